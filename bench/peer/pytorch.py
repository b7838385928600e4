"""PyTorch, on the CPU or on CUDA: the same steps, products, rows and operations as ours, one JSON line a figure."""

import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

what, argument, threads, seconds, sizes, device = sys.argv[1:7]
sizes = json.loads(sizes)
torch.set_num_threads(int(threads))
torch.manual_seed(0)
if device == 'cuda':
    if not torch.cuda.is_available():
        sys.exit('PyTorch has no CUDA device here')
    torch.set_default_device('cuda')
engine = 'torch-cuda' if device == 'cuda' else 'torch'


def synchronise():
    if device == 'cuda':
        torch.cuda.synchronize()


def show(**line):
    print(json.dumps({'engine': engine, 'threads': int(threads), **line}), flush=True)


def median(values):
    return sorted(values)[len(values) // 2]


def times_of(f, warm=5, turns=8, milliseconds=500):
    begin, turn = time.perf_counter(), 0
    while turn < warm or time.perf_counter() - begin < milliseconds / 2e3:
        f()
        turn += 1
    synchronise()
    times, start = [], time.perf_counter()
    while len(times) < turns or time.perf_counter() - start < milliseconds / 1e3:
        before = time.perf_counter()
        f()
        synchronise()
        times.append((time.perf_counter() - before) * 1e3)
    return times


def time_of(f):
    return median(times_of(f))


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate='tanh'))


class Decoder(nn.Module):
    def __init__(self, vocabulary, width, layers, heads, hidden, time, batch):
        super().__init__()
        self.word, self.position = nn.Embedding(vocabulary, width), nn.Embedding(time, width)
        self.blocks = nn.ModuleList([Block(width, heads, hidden) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        x = self.word(ids) + self.position.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def step():
    load = sizes['loads'][argument]
    vocabulary, batch, length = load['vocabulary'], load['batch'], load['time']
    model = Decoder(**load)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    ids = torch.randint(0, vocabulary, (batch, length))
    labels = torch.randint(0, vocabulary, (batch, length))

    def turn():
        before = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(ids).view(-1, vocabulary), labels.view(-1))
        loss.backward()
        optimizer.step()
        loss.item()
        return (time.perf_counter() - before) * 1e3

    first = turn()
    times = times_of(turn, warm=3, turns=5, milliseconds=float(seconds) * 1e3)
    ms = median(times)
    show(
        load=argument,
        msPerStep=ms,
        tokensPerSecond=batch * length / ms * 1e3,
        compileMs=first - min(first, *times),
        peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def matmul():
    for name, (batch, rows, inner, columns) in sizes['matmul'][argument]:
        lead = [] if batch == 1 else [batch]
        a, b = torch.rand(*lead, rows, inner) - 0.5, torch.rand(*lead, inner, columns) - 0.5
        out = a @ b
        ms = time_of(lambda: torch.matmul(a, b, out=out))
        show(shape=name, ms=ms, gflops=2 * batch * rows * inner * columns / ms / 1e6)


def rows():
    size = 2**20
    x, y, out = (torch.rand(size) - 0.5) * 6, torch.rand(size), torch.empty(size)
    matrix, gain, bias = torch.rand(4096, 256), torch.rand(256), torch.rand(256)
    parameter = nn.Parameter(torch.rand(size))
    parameter.grad = torch.rand(size)
    optimizer = torch.optim.AdamW([parameter], fused=True)
    cases = [
        ('add', lambda: torch.add(x, y, out=out)),
        ('gelu backward', lambda: torch.ops.aten.gelu_backward(y, x, approximate='tanh')),
        ('softmax [4096, 256]', lambda: torch.softmax(matrix, -1)),
        ('layer norm [4096, 256]', lambda: torch.layer_norm(matrix, (256,), gain, bias)),
        ('AdamW', lambda: optimizer.step()),
    ]
    for name, f in cases:
        show(case=name, nsPerElement=time_of(f) * 1e6 / size)


def eager():
    a, b, w = torch.rand(8, 8), torch.rand(8, 8), torch.rand(8, 8, requires_grad=True)

    def gradient():
        (a @ w).sum().backward()
        w.grad = None

    def measure(f, calls):
        for _ in range(500):
            f()
        times = []
        for _ in range(9):
            before = time.perf_counter()
            for _ in range(calls):
                f()
            times.append((time.perf_counter() - before) / calls * 1e6)
        return median(times)

    show(case='add', microseconds=measure(lambda: a + b, 10000))
    show(case='matmul', microseconds=measure(lambda: a @ b, 10000))
    show(case='matmul, sum and gradient', microseconds=measure(gradient, 3000))


def generate():
    from transformers import GPT2LMHeadModel

    writer = sizes['writers'][argument]
    model = GPT2LMHeadModel.from_pretrained(writer['folder'], dtype=torch.float32).eval()
    prompt = torch.tensor([writer['prompt']])
    options = dict(max_new_tokens=writer['tokens'], do_sample=False, use_cache=True, pad_token_id=0)

    def turn():
        before = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(prompt, attention_mask=torch.ones_like(prompt), **options)
        return (time.perf_counter() - before) * 1e3, out[0, prompt.shape[1] :].tolist()

    _, ids = turn()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < float(seconds):
        times.append(turn()[0] / writer['tokens'])
    ms = median(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    show(load=argument, msPerToken=ms, tokensPerSecond=1e3 / ms, peakBytes=peak, ids=' '.join(map(str, ids)))


{'step': step, 'matmul': matmul, 'rows': rows, 'eager': eager, 'generate': generate}[what]()
