/**
 * Stable sorting permutations of rows. Elements become unsigned keys in the thread's scratch memory, whose order is
 * theirs; short rows are sorted by insertion, long ones by their digits, the lowest first (Knuth, "The Art of
 * Computer Programming" 3, 5.2.5).
 */
import type { Dtype } from '../dtype.ts'
import type { BufferId, SortLaunch } from '../program/index.ts'
import type { Code } from './code/index.ts'
import { block, branch, branchIf, choose, get, globalGet, i32, loop, set } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import { emitter } from './emitter.ts'
import { upTo } from './gemm.ts'
import type { Kernel } from './kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers } from './kernel.ts'
import { walkRange } from './nest.ts'
import { forgetPacked } from './packed.ts'
import { packedNoteAt, packedRowsAt } from './scratch.ts'
import type { Axis } from './space.ts'
import { accesses, axesOf, countOf, merged } from './space.ts'

/** Rows up to this length are sorted by insertion. */
const shortRow = 24
const digits = 256

/** What each row needs in scratch memory: counts at its beginning, then lists of words. */
const wordsAt = packedRowsAt

/** The kernel; `undefined` where a row does not fit in scratch memory, and JavaScript does it. */
export const sortKernel = (launch: SortLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel | undefined => {
  const { outer, length, descending } = launch
  const dtype = dtypeOf(launch.input.buffer)
  const wide = dtype === 'float64'
  const lists = wide ? 4 : 3
  if (lists * 4 * length > packedNoteAt - wordsAt) return undefined
  const gathered = accesses(dtypeOf)
  gathered.view(launch.input)
  gathered.view(launch.target)
  const { list, slots } = gathered
  const rows = merged(axesOf(outer, list))
  const [along] = axesOf([length], list, outer.length) as [Axis]
  const short = !wide && length <= shortRow
  const count = countOf(rows)
  const each = short ? length * (10 + 2 * length) : length * (wide ? 40 : 20) + 2000
  return {
    key: `sort ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: length === 0 ? 0 : count,
    grain: 1,
    cost: count * each,
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      forgetPacked(e)
      const pointers = openPointers(e, list)
      const [from, to] = pointers as [number, number]
      const [source, sink] = along.strides as [number, number]
      const row: Row = {
        e,
        length,
        place: (index) => i32.add(globalGet(0), i32.const(wordsAt + index * 4 * length)),
      }
      walkRange(e, rows, pointers, get(beginParameter), get(endParameter), () => {
        const [i, at] = [e.local('i32'), e.local('i32')]
        e.push(set(i, i32.const(0)), set(at, get(from)))
        upTo(e, i, i32.const(length), i32.const(1), () => {
          const keys = keysOf(e, dtype, descending, get(at))
          keys.forEach((key, part) => e.push(i32.store(word(row, part, get(i)), key)))
          e.push(i32.store(word(row, lists - 2, get(i)), get(i)))
          e.push(set(at, i32.add(get(at), i32.const(source))))
        })
        if (short) insertion(row)
        else byDigits(row, wide ? 2 : 1)
        // An even number of passes leaves the permutation where it began.
        e.push(set(i, i32.const(0)), set(at, get(to)))
        upTo(e, i, i32.const(length), i32.const(1), () => {
          e.push(i32.store(get(at), i32.load(word(row, lists - 2, get(i)))))
          e.push(set(at, i32.add(get(at), i32.const(sink))))
        })
      })
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}

interface Row {
  readonly e: Emitter
  readonly length: number
  /** The address of a list of words. */
  readonly place: (list: number) => Code
}

const word = ({ place }: Row, list: number, index: Code): Code =>
  i32.add(place(list), i32.shl(index, i32.const(2)))

/** The element as one or two (the lower first) unsigned words in whose order it is sorted. */
const keysOf = (e: Emitter, dtype: Dtype, descending: boolean, at: Code): readonly Code[] => {
  const turned = (key: Code): Code => (descending ? i32.xor(key, i32.const(-1)) : key)
  const top = i32.const(0x80000000 | 0)
  switch (dtype) {
    case 'bool':
      return [turned(i32.load8u(at))]
    case 'uint32':
      return [turned(i32.load(at))]
    case 'int32':
      return [turned(i32.xor(i32.load(at), top))]
    case 'float32': {
      const bits = e.keep(i32.load(at), 'i32')
      const size = e.keep(i32.and(bits, i32.const(0x7fffffff)), 'i32')
      // -0 is 0, and NaN comes last either way.
      const plain = e.keep(choose(size, bits, i32.const(0)), 'i32')
      const key = i32.xor(plain, i32.or(i32.shrS(plain, i32.const(31)), top))
      return [choose(i32.gtU(size, i32.const(0x7f800000)), i32.const(-1), turned(key))]
    }
    case 'float64': {
      const [low, high] = [e.keep(i32.load(at), 'i32'), e.keep(i32.load(at, 4), 'i32')]
      const size = e.keep(i32.and(high, i32.const(0x7fffffff)), 'i32')
      const sign = e.keep(choose(i32.or(size, low), i32.shrS(high, i32.const(31)), i32.const(0)), 'i32')
      const plain = choose(i32.or(size, low), high, i32.const(0))
      const infinite = i32.const(0x7ff00000)
      const isNaN = e.keep(
        i32.or(i32.gtU(size, infinite), i32.and(i32.eq(size, infinite), i32.ne(low, i32.const(0)))),
        'i32',
      )
      return [
        choose(isNaN, i32.const(-1), turned(i32.xor(low, sign))),
        choose(isNaN, i32.const(-1), turned(i32.xor(plain, i32.or(sign, top)))),
      ]
    }
  }
}

/** Moves each index of list 1 down to where its key belongs. */
const insertion = (row: Row): void => {
  const { e, length } = row
  const [i, j, index, key, before] = Array.from({ length: 5 }, () => e.local('i32')) as [
    number,
    number,
    number,
    number,
    number,
  ]
  e.push(set(i, i32.const(1)))
  upTo(e, i, i32.const(length), i32.const(1), () => {
    e.push(
      set(index, i32.load(word(row, 1, get(i)))),
      set(key, i32.load(word(row, 0, get(index)))),
      set(j, get(i)),
    )
    e.push(
      block(
        loop(
          branchIf(1, i32.eqz(get(j))),
          set(before, i32.load(word(row, 1, i32.sub(get(j), i32.const(1))))),
          branchIf(1, i32.leU(i32.load(word(row, 0, get(before))), get(key))),
          i32.store(word(row, 1, get(j)), get(before)),
          set(j, i32.sub(get(j), i32.const(1))),
          branch(0),
        ),
      ),
      i32.store(word(row, 1, get(j)), get(index)),
    )
  })
}

/** Distributes the permutation by each digit of the keys in turn, between the last two lists. */
const byDigits = (row: Row, parts: number): void => {
  const { e, length } = row
  const [i, digit, sum, index] = [e.local('i32'), e.local('i32'), e.local('i32'), e.local('i32')]
  const counts = (at: Code): Code => i32.add(globalGet(0), i32.shl(at, i32.const(2)))
  for (let pass = 0; pass < 4 * parts; pass++) {
    const keys = pass >> 2
    const [from, to] = pass % 2 === 0 ? [parts, parts + 1] : [parts + 1, parts]
    const digitOf = (key: Code): Code =>
      i32.and(i32.shrU(key, i32.const(8 * (pass % 4))), i32.const(digits - 1))
    e.push(set(i, i32.const(0)))
    upTo(e, i, i32.const(digits), i32.const(1), () => e.push(i32.store(counts(get(i)), i32.const(0))))
    e.push(set(i, i32.const(0)))
    upTo(e, i, i32.const(length), i32.const(1), () => {
      e.push(set(digit, counts(digitOf(i32.load(word(row, keys, get(i)))))))
      e.push(i32.store(get(digit), i32.add(i32.load(get(digit)), i32.const(1))))
    })
    e.push(set(i, i32.const(0)), set(sum, i32.const(0)))
    upTo(e, i, i32.const(digits), i32.const(1), () => {
      e.push(set(index, i32.load(counts(get(i)))), i32.store(counts(get(i)), get(sum)))
      e.push(set(sum, i32.add(get(sum), get(index))))
    })
    e.push(set(i, i32.const(0)))
    upTo(e, i, i32.const(length), i32.const(1), () => {
      e.push(set(index, i32.load(word(row, from, get(i)))))
      e.push(set(digit, counts(digitOf(i32.load(word(row, keys, get(index)))))))
      e.push(set(sum, i32.load(get(digit))))
      e.push(i32.store(word(row, to, get(sum)), get(index)))
      e.push(i32.store(get(digit), i32.add(get(sum), i32.const(1))))
    })
  }
}
