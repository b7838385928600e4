import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodeSafetensors,
  decodeSafetensorsHeader,
  decodeSafetensorsTensor,
  encodeSafetensors,
  safetensorsHeaderSize,
  toFloat32,
  type SafetensorsEntry,
  type SafetensorsTensor,
} from '../../core/safetensors.ts'

const safetensors = suite('safetensors')

const right = <A>(either: E.Either<string, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left)
  return either.right
}

const left = (bytes: Uint8Array): string => {
  const decoded = decodeSafetensors(bytes)
  return E.isLeft(decoded) ? decoded.left : assert.unreachable('should have been refused')!
}

/** A file whose header is the given text, whatever it says, before `size` bytes of data. */
const file = (header: string, size = 0): Uint8Array => {
  const text = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + text.length + size)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}

const tensor = (shape: string, offsets: string, dtype = '"F32"'): string =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`

const constructors = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
} as const

const shapeArbitrary = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

const tensorArbitrary: fc.Arbitrary<SafetensorsTensor> = fc.oneof(
  shapeArbitrary.chain((shape) =>
    fc
      .array(fc.integer({ min: 0, max: 1 }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
      .map((values) => ({ dtype: 'BOOL' as const, shape, data: Uint8Array.from(values) })),
  ),
  fc
    .tuple(fc.constantFrom(...(Object.keys(constructors) as (keyof typeof constructors)[])), shapeArbitrary)
    .chain(([dtype, shape]) => {
      const bytes = sizeOf(shape) * constructors[dtype].BYTES_PER_ELEMENT
      return fc
        .uint8Array({ minLength: bytes, maxLength: bytes })
        .map(
          (raw) => ({ dtype, shape, data: new constructors[dtype](raw.slice().buffer) }) as SafetensorsTensor,
        )
    }),
)

const nameArbitrary = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((name) => name !== '__metadata__' && !name.split(/[./]/).includes('__proto__'))

const entriesArbitrary: fc.Arbitrary<readonly SafetensorsEntry[]> = fc
  .uniqueArray(fc.tuple(nameArbitrary, tensorArbitrary), { selector: ([name]) => name, maxLength: 6 })
  .map((pairs) => pairs.map(([name, body]): SafetensorsEntry => ({ name, ...body })))

const metadataArbitrary = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__'),
  fc.string(),
  { maxKeys: 3 },
)

const rawBytes = (array: SafetensorsTensor['data']): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const everyDtype = new URL('../fixtures/safetensors/every-dtype.safetensors', import.meta.url)

safetensors('what was written is read, in every dtype and at any alignment', () => {
  fc.assert(
    fc.property(entriesArbitrary, metadataArbitrary, fc.nat(9), (entries, metadata, shift) => {
      const bytes = encodeSafetensors(entries, metadata)
      const shifted = new Uint8Array(bytes.length + shift).subarray(shift)
      shifted.set(bytes)
      const read = right(decodeSafetensors(shifted))
      assert.equal({ ...read.metadata }, { ...metadata })
      assert.is(read.tensors.size, entries.length)
      for (const { name, dtype, shape, data } of entries) {
        const found = read.tensors.get(name)
        assert.ok(found)
        assert.equal([found.dtype, found.shape], [dtype, shape])
        assert.is(found.data.constructor, data.constructor)
        assert.equal(rawBytes(found.data), rawBytes(data))
      }
    }),
  )
})

safetensors('the order of the entries does not change the file', () => {
  fc.assert(
    fc.property(entriesArbitrary, (entries) => {
      assert.equal(encodeSafetensors([...entries].reverse()), encodeSafetensors(entries))
    }),
  )
})

safetensors('a file of the reference implementation: values, and the same bytes when written again', () => {
  const bytes = new Uint8Array(readFileSync(everyDtype))
  const { metadata, tensors } = right(decodeSafetensors(bytes))
  const values = (name: string): readonly (number | bigint)[] => [...tensors.get(name)!.data]
  assert.equal(metadata, { format: 'pt' })
  assert.equal(values('f64'), [1.5, -2.25, 3e300, 0.1])
  assert.equal(values('f32'), [0.1, -1e-40, 3.4e38].map(Math.fround))
  assert.equal(values('i64'), [-(2n ** 63n), 2n ** 63n - 1n])
  assert.equal(values('u64'), [0n, 2n ** 64n - 1n])
  assert.equal(values('i32'), [-(2 ** 31), 7])
  assert.equal(values('u32'), [0, 2 ** 32 - 1])
  assert.equal(values('i16'), [-32768, 7])
  assert.equal(values('u16'), [0, 65535])
  assert.equal(values('i8'), [-128, 127])
  assert.equal(values('u8'), [0, 255, 3])
  assert.equal(values('bool'), [1, 0, 1])
  assert.equal(values('naïve/„names“.0'), [1])
  assert.equal([tensors.get('scalar')!.shape, tensors.get('empty')!.shape], [[], [0, 3]])
  const f16 = right(toFloat32(tensors.get('f16')!))
  assert.equal(Array.from(f16), [0.0999755859375, -65504, 2 ** -24])
  const bf16 = right(toFloat32(tensors.get('bf16')!))
  assert.ok(Math.abs(bf16[0]! - 0.1) < 0.0005 && bf16[1]! < -2.9e38 && bf16[2]! > 0)
  assert.ok(E.isLeft(toFloat32(tensors.get('i64')!)))

  const again = encodeSafetensors(
    [...tensors].map(([name, body]): SafetensorsEntry => ({ name, ...body })),
    metadata,
  )
  assert.equal(again, bytes)
})

safetensors('tensor by tensor: the header from its own bytes, then each range', () => {
  const bytes = new Uint8Array(readFileSync(everyDtype))
  const size = right(safetensorsHeaderSize(bytes.subarray(0, 8), bytes.length))
  const header = right(decodeSafetensorsHeader(bytes.slice(0, size), bytes.length))
  const whole = right(decodeSafetensors(bytes))
  assert.equal([...header.tensors.keys()], [...whole.tensors.keys()])
  for (const [name, info] of header.tensors)
    assert.equal(
      right(decodeSafetensorsTensor(info, bytes.slice(info.begin, info.end))),
      whole.tensors.get(name),
    )
  assert.ok(E.isLeft(decodeSafetensorsHeader(bytes.slice(0, size - 1), bytes.length)))
  assert.ok(E.isLeft(decodeSafetensorsTensor(header.tensors.get('f32')!, bytes.slice(0, 8))))
})

safetensors('a file that is cut off anywhere, or goes on, is refused', () => {
  fc.assert(
    fc.property(
      entriesArbitrary,
      fc.nat(),
      fc.uint8Array({ minLength: 1, maxLength: 9 }),
      (entries, cut, more) => {
        const bytes = encodeSafetensors(entries)
        assert.match(left(bytes.subarray(0, cut % bytes.length)), /^safetensors: [^\n]+$/)
        assert.match(left(Uint8Array.of(...bytes, ...more)), 'follow the last tensor')
      },
    ),
  )
})

safetensors('any other bytes give a sentence or tensors that lie within the file, never an exception', () => {
  const check = (bytes: Uint8Array): void => {
    const decoded = decodeSafetensors(bytes)
    if (E.isLeft(decoded)) assert.match(decoded.left, /^safetensors: [^\n]{1,400}$/)
    else for (const { shape, data } of decoded.right.tensors.values()) assert.is(sizeOf(shape), data.length)
  }
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(entriesArbitrary, flips, (entries, changes) => {
      const bytes = encodeSafetensors(entries, { format: 'pt' })
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      check(bytes)
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check))
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '"dtype"',
    '"F32"',
    '"shape"',
    '0',
    '1',
    ' ',
  )
  fc.assert(fc.property(fc.array(piece, { maxLength: 24 }), (parts) => check(file(parts.join(''), 4))))
  fc.assert(fc.property(fc.jsonValue(), (value) => check(file(JSON.stringify({ w: value }), 4))))
})

const hostile: readonly (readonly [string, Uint8Array, string])[] = [
  ['nothing at all', new Uint8Array(), 'cut off'],
  ['a length beyond the file', file('{}').fill(9, 0, 1), 'the header claims 9 bytes'],
  ['a length beyond every file', new Uint8Array(32).fill(255), 'at most 16777216'],
  ['an HTML page', new TextEncoder().encode('<!doctype html><p>404'), 'at most 16777216'],
  ['an empty header', file(''), 'not an object'],
  ['a header that is a list', file('[]'), 'not an object'],
  ['a header behind a space', file(' {}'), 'not an object'],
  ['a header that is no UTF-8', file('{"ab":1}').fill(0xff, 10, 12), 'not UTF-8'],
  ['deep nesting', file(`{"a":${'['.repeat(2_000_000)}`), 'not an object'],
  ['deep nesting under a name', file(`{"a":{"shape":${'['.repeat(100_000)}`), 'is not a list of'],
  ['many little objects', file(`{"a":[${'{},'.repeat(500_000)}{}]}`), 'not an object'],
  ['a text for a tensor', file('{"a":"b"}'), '"a" is not an object'],
  ['one name twice', file(`{"a":${tensor('[1]', '[0,4]')},"a":${tensor('[1]', '[0,4]')}}`, 4), 'twice in'],
  ['one field twice', file(`{"a":{"shape":[9],${tensor('[1]', '[0,4]').slice(1)}}`, 4), 'twice in'],
  ['__proto__', file(`{"__proto__":${tensor('[1]', '[0,4]')}}`, 4), '"__proto__" cannot name a tensor'],
  ['__proto__ in a path', file(`{"a.__proto__.b":${tensor('[1]', '[0,4]')}}`, 4), 'cannot name a tensor'],
  ['half a surrogate pair', file(`{"\\ud800":${tensor('[1]', '[0,4]')}}`, 4), 'cannot name a tensor'],
  ['an unknown dtype', file(`{"a":${tensor('[1]', '[0,4]', '"F4"')}}`, 4), 'has dtype "F4", known are'],
  ['a dtype of prototypes', file(`{"a":${tensor('[1]', '[0,4]', '"toString"')}}`, 4), 'has dtype "toString"'],
  ['a dtype that is a list', file(`{"a":${tensor('[1]', '[0,4]', '["F32"]')}}`, 4), 'is not a text'],
  [
    'a negative size',
    file(`{"a":${tensor('[-1]', '[0,4]')}}`, 4),
    'the shape of tensor "a" is not a list of',
  ],
  ['a broken size', file(`{"a":${tensor('[0.5]', '[0,4]')}}`, 4), 'the shape of tensor "a" is not a list of'],
  [
    'a text for a size',
    file(`{"a":${tensor('["1"]', '[0,4]')}}`, 4),
    'the shape of tensor "a" is not a list of',
  ],
  [
    'too many axes',
    file(`{"a":${tensor(`[${'1,'.repeat(32)}1]`, '[0,4]')}}`, 4),
    'the shape of tensor "a" is not a list of',
  ],
  ['no shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), 'lacks a dtype, a shape'],
  [
    'a negative offset',
    file(`{"a":${tensor('[1]', '[-4,0]')}}`, 4),
    'data_offsets of tensor "a" is not a list of',
  ],
  [
    'offsets beyond exact numbers',
    file(`{"a":${tensor('[1]', '[0,9007199254740993]')}}`, 4),
    'data_offsets of tensor "a" is not a list of',
  ],
  [
    'three offsets',
    file(`{"a":${tensor('[1]', '[0,4,8]')}}`, 4),
    'data_offsets of tensor "a" is not a list of',
  ],
  [
    'offsets turned round',
    file(`{"a":${tensor('[1]', '[4,0]')}}`, 4),
    'needs 4 bytes, but its offsets hold -4',
  ],
  [
    'sizes whose product overflows',
    file(`{"a":${tensor('[4294967296,4294967296]', '[0,0]')}}`),
    'be counted',
  ],
  ['a shape larger than its bytes', file(`{"a":${tensor('[2]', '[0,4]')}}`, 4), 'needs 8 bytes'],
  ['offsets beyond the file', file(`{"a":${tensor('[2]', '[0,8]')}}`, 4), 'cut off'],
  ['a giant tensor', file(`{"a":${tensor('[1000000000000]', '[0,4000000000000]')}}`, 4), 'cut off'],
  ['an overlap', file(`{"a":${tensor('[2]', '[0,8]')},"b":${tensor('[2]', '[4,12]')}}`, 12), 'overlaps'],
  ['a gap', file(`{"a":${tensor('[1]', '[0,4]')},"b":${tensor('[1]', '[8,12]')}}`, 12), 'comes after a gap'],
  ['a gap at the start', file(`{"a":${tensor('[1]', '[4,8]')}}`, 8), 'comes after a gap'],
  ['bytes after the last tensor', file(`{"a":${tensor('[1]', '[0,4]')}}`, 5), '1 bytes follow'],
  ['metadata that is no text', file('{"__metadata__":{"a":1}}'), 'in __metadata__'],
  ['metadata that is a list', file('{"__metadata__":"a"}'), '__metadata__ is not an object'],
  [
    'a BOOL of 2',
    file(`{"a":${tensor('[1]', '[0,1]', '"BOOL"')}}`, 1).fill(2, -1),
    'other bytes than 0 and 1',
  ],
]

for (const [what, bytes, message] of hostile)
  safetensors(`refused in one sentence: ${what}`, () => {
    assert.match(left(bytes), message)
    assert.match(left(bytes), /^safetensors: [^\n]{1,300}$/)
  })

safetensors('mistakes of the calling program throw', () => {
  const data = Float32Array.of(1, 2)
  const entry: SafetensorsEntry = { name: 'w', dtype: 'F32', shape: [2], data }
  assert.throws(() => encodeSafetensors([entry, entry]), 'given twice')
  assert.throws(() => encodeSafetensors([{ ...entry, shape: [3] }]), 'does not hold 2 elements')
  assert.throws(() => encodeSafetensors([{ ...entry, name: '__metadata__' }]), 'cannot name a tensor')
  assert.throws(
    () => encodeSafetensors([{ ...entry, dtype: 'I32' } as unknown as SafetensorsEntry]),
    'dtype I32',
  )
})

safetensors.run()
