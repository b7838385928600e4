// transformers.js on onnxruntime: the same text written greedily with a cache, one JSON line.
import { performance } from 'node:perf_hooks'
import { median } from '../clock.ts'
import { promptOf, writers } from '../size.ts'

const [, argument, threads = '1', seconds = '4'] = process.argv.slice(2)
const { AutoModelForCausalLM, Tensor, env } = await import('@huggingface/transformers')
env.allowRemoteModels = false
env.localModelPath = new URL('../results/models/', import.meta.url).pathname

const writer = writers[argument]
const prompt = promptOf(writer)
const model = await AutoModelForCausalLM.from_pretrained(argument, {
  dtype: 'fp32',
  device: 'cpu',
  session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
})
const ints = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length])
const turn = async () => {
  const before = performance.now()
  const out = await model.generate({
    input_ids: ints(prompt),
    attention_mask: ints(prompt.map(() => 1)),
    max_new_tokens: writer.tokens,
    do_sample: false,
  })
  return [(performance.now() - before) / writer.tokens, out.tolist()[0].slice(prompt.length)]
}
const [, ids] = await turn()
const times = []
const start = performance.now()
while (times.length < 3 || performance.now() - start < Number(seconds) * 1e3) times.push((await turn())[0])
const msPerToken = median(times)
const peakBytes = process.resourceUsage().maxRSS * 1024
const line = { msPerToken, tokensPerSecond: 1e3 / msPerToken, peakBytes, ids: ids.map(Number).join(' ') }
console.log(JSON.stringify({ load: argument, engine: 'transformers.js', threads: Number(threads), ...line }))
process.exit(0)
