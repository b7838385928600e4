import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import wabt from 'wabt'
import { wasmKernels } from '../../../kernels/index.ts'
import * as code from '../../../kernels/wasm/code/index.ts'
import type { Code } from '../../../kernels/wasm/code/index.ts'
import { imports } from '../../../kernels/wasm/emitter.ts'
import { gemmFunctions } from '../../../kernels/wasm/gemm.ts'
import { kernelOf } from '../../../kernels/wasm/launch.ts'
import { encode } from '../../../kernels/wasm/module.ts'
import type { WasmModule } from '../../../kernels/wasm/module.ts'
import { functionText, moduleText } from '../../../kernels/wasm/text.ts'
import { flatLaunches } from '../../../kernels/program/index.ts'
import { programCase } from '../../arbitrary/program.ts'

const { parseWat } = await wabt()

/** The bytes of a module's code section. */
const codeOf = (module: Uint8Array): string => {
  let at = 8
  while (at < module.length) {
    const id = module[at++]
    let [length, shift] = [0, 0]
    for (let more = true; more; shift += 7) {
      const byte = module[at++] as number
      length |= (byte & 0x7f) << shift
      more = byte >= 0x80
    }
    if (id === 10) return Buffer.from(module.subarray(at, at + length)).toString('hex')
    at += length
  }
  throw new Error('the module has no code')
}

/** Assembled again by the WebAssembly Binary Toolkit, the text is the code that it was printed from. */
const assembles = (module: WasmModule): void => {
  const parsed = parseWat('module.wat', moduleText(module), {
    simd: true,
    relaxed_simd: true,
    threads: true,
    sat_float_to_int: true,
  })
  try {
    assert.is(codeOf(parsed.toBinary({}).buffer), codeOf(encode(module)))
  } finally {
    parsed.destroy()
  }
}

const target = (fused: boolean) => ({ fused, constantAddress: () => undefined })
const memory = { sharedMemory: true, maximumPages: 65536 }

test('the parts of a matrix product as text are, assembled, the same code', () => {
  for (const fused of [true, false])
    assembles({ imports: [], functions: gemmFunctions(target(fused)), ...memory })
})

test('the kernels of every program as text are, assembled, the same code', () =>
  fc.assert(
    fc.property(programCase({ maxLaunches: 3 }), fc.boolean(), ({ program }, fused) => {
      const kernels = flatLaunches(program.launches).flatMap((launch) => {
        const kernel = kernelOf(launch, (id) => program.buffers[id]?.dtype ?? 'float32', 1)
        return kernel === undefined || kernel.units === 0 ? [] : [kernel]
      })
      if (kernels.length === 0) return
      assembles({ imports, functions: kernels.map(({ emit }) => emit(target(fused)).code), ...memory })
    }),
    { numRuns: 100 },
  ))

test('every instruction that the encoder knows has a name of its own', () => {
  const named = new Set<string>()
  let count = 0
  for (const group of [
    code.i32,
    code.f64,
    code.v128,
    code.i8x16,
    code.i16x8,
    code.i32x4,
    code.i64x2,
    code.f32x4,
    code.f64x2,
  ])
    for (const [name, make] of Object.entries(
      group as unknown as Record<string, (...args: unknown[]) => Code>,
    )) {
      const sixteen = new Array<number>(16).fill(0)
      const none: Code = []
      const args = /const/i.test(name)
        ? group === (code.i32 as unknown)
          ? [1]
          : [sixteen]
        : name === 'shuffle'
          ? [none, none, sixteen]
          : /extract|replace/.test(name)
            ? [none, 1, none]
            : /Lane$/.test(name)
              ? [none, none, 0, 8]
              : /load|store/.test(name)
                ? [none, ...(name.startsWith('store') ? [none] : []), 8]
                : [none, none, none]
      const text = functionText({ params: [], results: [], locals: [], body: make(...args) })
      named.add(text.split('\n')[1]?.trim().split(' ')[0] ?? '')
      count++
    }
  assert.is(named.size, count)
})

test('a launch is listed with what it does, and its parameters by their names', () => {
  const view = { strides: [1], offset: 0 }
  const [kernel] = wasmKernels({
    buffers: [
      { dtype: 'float32', size: 8 },
      { dtype: 'float32', size: 8 },
    ],
    inputs: [0],
    outputs: [1],
    donated: [],
    launches: [
      {
        kind: 'map',
        shape: [8],
        operands: [{ kind: 'buffer', buffer: 0, ...view }],
        body: [
          { op: 'read', index: 0, dtype: 'float32' },
          { op: 'mul', args: [0, 0], dtype: 'float32' },
        ],
        outputs: [{ target: { buffer: 1, ...view }, value: 1 }],
      },
    ],
  })
  assert.is(kernel?.label, 'map 8: mul')
  assert.match(
    kernel?.code ?? '',
    /^\(func \(param \$block i32\) \(param \$begin i32\) \(param \$end i32\)\n/,
  )
  assert.match(kernel?.code ?? '', /local\.get \$v\d+\n +local\.get \$v\d+\n +f32x4\.mul\n/)
})

test('what is no instruction is refused', () => {
  const text = (body: Code): string => functionText({ params: [], results: [], locals: [], body })
  assert.throws(() => text([0xff]), /no instruction 0xff/)
  assert.throws(() => text([0xfd, 0xff, 0x03]), /no vector instruction/)
  assert.throws(() => text([0x41]), /ends within an instruction/)
})

test('an offset below zero is refused, which would be another instruction', () => {
  assert.throws(() => code.v128.load(code.get(0), -4), /not negative, got -4/)
})

test.run()
