import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inexactness } from '../../../kernels/gpujs/exact.ts'
import type { Body, Dtype } from '../../../kernels/index.ts'

const test = suite('gpujs exactness')

/** Why a map over positions 0 … n - 1 (operand 0), an int32 and a float32 buffer must run on the host. */
const reason = (body: Body, n = 100): string | undefined =>
  inexactness(
    {
      outer: [n],
      inner: [],
      operands: [
        { kind: 'iota', strides: [1], offset: 0 },
        { kind: 'buffer', buffer: 0, strides: [1], offset: 0 },
        { kind: 'buffer', buffer: 1, strides: [1], offset: 0 },
      ],
      body,
      folds: [],
      outputs: [{ over: 'outer', value: body.length - 1, target: { buffer: 2, strides: [1], offset: 0 } }],
    },
    'webasm',
  )

const read = (index: number, dtype: Dtype) => ({ op: 'read', index, dtype }) as const
const constant = (value: number) => ({ op: 'constant', value, dtype: 'int32' }) as const

test('positions and small constants may be computed with', () => {
  const body: Body = [read(0, 'int32'), constant(3), { op: 'mul', args: [0, 1], dtype: 'int32' }]
  assert.is(reason(body), undefined)
  assert.match(reason(body, 2 ** 23) ?? '', 'may exceed 2^24')
})

test('numbers of an int32 buffer may be compared with positions, clamped and converted', () => {
  assert.is(
    reason([read(0, 'int32'), read(1, 'int32'), { op: 'eq', args: [0, 1], dtype: 'bool' }]),
    undefined,
  )
  assert.is(reason([read(1, 'int32'), { op: 'cast', args: [0], dtype: 'float32' }]), undefined)
  const low: Body = [read(1, 'int32'), constant(0), { op: 'max', args: [0, 1], dtype: 'int32' }]
  assert.match(reason(low) ?? '', 'writes int32 numbers that may exceed 2^24')
  assert.is(reason([...low, constant(99), { op: 'min', args: [2, 3], dtype: 'int32' }]), undefined)
})

test('they may not be copied, added or compared with each other', () => {
  assert.match(reason([read(1, 'int32')]) ?? '', 'writes int32 numbers')
  assert.match(
    reason([read(0, 'int32'), read(1, 'int32'), { op: 'add', args: [0, 1], dtype: 'int32' }]) ?? '',
    'add of int32',
  )
  assert.match(
    reason([read(1, 'int32'), read(1, 'int32'), { op: 'lt', args: [0, 1], dtype: 'bool' }]) ?? '',
    'lt of int32 compares two numbers that float32 rounds',
  )
})

test('a truncated float is carried, and an unsigned number that wraps is not', () => {
  assert.is(reason([read(2, 'float32'), { op: 'cast', args: [0], dtype: 'int32' }]), undefined)
  assert.match(
    reason([
      { op: 'constant', value: 1, dtype: 'uint32' },
      { op: 'neg', args: [0], dtype: 'uint32' },
    ]) ?? '',
    'neg of uint32 may wrap',
  )
})

test.run()
