/**
 * The parts of a packed, register-blocked matrix product (Goto and van de Geijn, "Anatomy of high-performance
 * matrix multiplication", 2008), the same for every launch: packing with any strides, which makes transposed
 * operands free, and the product of a block with packed columns by a kernel that keeps 6 × 8 sums in registers.
 */
import type { Code, ValueType } from './code/index.ts'
import {
  block,
  branchIf,
  f32x4,
  get,
  globalGet,
  i32,
  loop,
  set,
  shuffle32,
  smaller,
  tee,
  v128,
  when,
} from './code/index.ts'
import type { Emitter, Target } from './emitter.ts'
import { emitter, multiplyParameters } from './emitter.ts'
import type { WasmFunction } from './module.ts'
import { repeat } from './nest.ts'

/** Rows and columns of the register block. */
export const blockRows = 6
export const blockColumns = 8

const add = (pointer: number, amount: Code): Code => set(pointer, i32.add(get(pointer), amount))
const bytes = (n: number): Code => i32.const(n)

/** While `local` is below `limit`, `body` and a step. */
export const upTo = (e: Emitter, local: number, limit: Code, step: Code, body: () => void): void => {
  const inside = e.capture(body)
  e.push(
    block(
      branchIf(0, i32.geS(get(local), limit)),
      loop(inside, branchIf(0, i32.ltS(tee(local, i32.add(get(local), step)), limit))),
    ),
  )
}

/** Transposes 4 × 4 elements at `source` (rows `stride` bytes apart) into four vectors. */
const transposed = (e: Emitter, source: Code, stride: Code): readonly Code[] => {
  const base = e.keep(source, 'i32')
  const twice = e.keep(i32.add(base, i32.mul(stride, i32.const(2))), 'i32')
  const r0 = e.keep(v128.load(base))
  const r1 = e.keep(v128.load(i32.add(base, stride)))
  const r2 = e.keep(v128.load(twice))
  const r3 = e.keep(v128.load(i32.add(twice, stride)))
  const t0 = e.keep(shuffle32(r0, r1, [0, 4, 1, 5]))
  const t1 = e.keep(shuffle32(r2, r3, [0, 4, 1, 5]))
  const t2 = e.keep(shuffle32(r0, r1, [2, 6, 3, 7]))
  const t3 = e.keep(shuffle32(r2, r3, [2, 6, 3, 7]))
  return [
    e.keep(shuffle32(t0, t1, [0, 1, 4, 5])),
    e.keep(shuffle32(t0, t1, [2, 3, 6, 7])),
    e.keep(shuffle32(t2, t3, [0, 1, 4, 5])),
    e.keep(shuffle32(t2, t3, [2, 3, 6, 7])),
  ]
}

/**
 * `(source, width stride, depth stride, width, depth, destination)`: panels of `panel` elements beside each
 * other for each step in depth; what is missing at the edge is zero. Strides in bytes.
 */
const pack = (target: Target, panel: number): WasmFunction => {
  const e = emitter(target, ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [source, across, along, width, depth, destination] = [0, 1, 2, 3, 4, 5] as const
  const left = e.local('i32')
  const step = e.local('i32')
  const from = e.local('i32')
  const lane = e.local('i32')
  e.push(set(left, i32.const(0)))
  upTo(e, left, get(width), i32.const(panel), () => {
    e.push(set(from, i32.add(get(source), i32.mul(get(left), get(across)))))
    const full = i32.geS(i32.sub(get(width), get(left)), i32.const(panel))
    const lines = e.capture(() => {
      repeat(e, get(depth), () => {
        for (let i = 0; i + 4 <= panel; i += 4)
          e.push(v128.store(get(destination), v128.load(get(from), 4 * i), 4 * i))
        const rest = panel - (panel % 4)
        if (rest < panel)
          e.push(v128.store64Lane(get(destination), v128.load64Zero(get(from), 4 * rest), 0, 4 * rest))
        e.push(add(from, get(along)), add(destination, bytes(4 * panel)))
      })
    })
    const turned = e.capture(() => {
      repeat(e, i32.shrU(get(depth), i32.const(2)), () => {
        for (let i = 0; i < panel; i += 4) {
          const start = i32.add(get(from), i32.mul(get(across), i32.const(i)))
          const height = Math.min(4, panel - i)
          if (height === 4)
            transposed(e, start, get(across)).forEach((row, k) =>
              e.push(v128.store(get(destination), row, 4 * (k * panel + i))),
            )
          else
            for (let r = 0; r < height; r++)
              for (let k = 0; k < 4; k++)
                e.push(
                  i32.store(
                    get(destination),
                    i32.load(i32.add(start, i32.mul(get(across), i32.const(r))), 4 * k),
                    4 * (k * panel + i + r),
                  ),
                )
        }
        e.push(add(from, bytes(16)), add(destination, bytes(16 * panel)))
      })
      repeat(e, i32.and(get(depth), i32.const(3)), () => {
        one(panel)
        e.push(add(from, get(along)), add(destination, bytes(4 * panel)))
      })
    })
    const any = e.capture(() => {
      repeat(e, get(depth), () => {
        one(panel)
        e.push(add(from, get(along)), add(destination, bytes(4 * panel)))
      })
    })
    const edge = e.capture(() => {
      repeat(e, get(depth), () => {
        e.push(set(lane, i32.const(0)), set(step, get(from)))
        upTo(e, lane, i32.const(panel), i32.const(1), () => {
          e.push(
            when(
              i32.ltS(i32.add(get(lane), get(left)), get(width)),
              i32.store(i32.add(get(destination), i32.shl(get(lane), i32.const(2))), i32.load(get(step))),
              i32.store(i32.add(get(destination), i32.shl(get(lane), i32.const(2))), i32.const(0)),
            ),
            add(step, get(across)),
          )
        })
        e.push(add(from, get(along)), add(destination, bytes(4 * panel)))
      })
    })
    e.push(
      when(
        full,
        when(i32.eq(get(across), i32.const(4)), lines, [
          when(i32.eq(get(along), i32.const(4)), turned, any),
        ] as Code),
        edge,
      ),
    )
  })
  return e.finish()

  function one(count: number): void {
    for (let i = 0; i < count; i++)
      e.push(
        i32.store(get(destination), i32.load(i32.add(get(from), i32.mul(get(across), i32.const(i)))), 4 * i),
      )
  }
}

/**
 * `(rows, columns, depth, a, row stride of a, depth stride of a, stride of six rows of a, b, c, row stride of c,
 * accumulate)`: c = or += a · b, where b is packed, and a is or is read where it stands. Blocks that lack columns go
 * through the thread's scratch memory.
 */
const multiply = (target: Target): WasmFunction => {
  const e = emitter(target, new Array<ValueType>(multiplyParameters).fill('i32'))
  const [rows, columns, depth, a, across, along, down, b, c, stride, accumulate] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ] as const
  const [row, column, left, pa, pb, pc, out, outStride, adds, i, j] = Array.from({ length: 11 }, () =>
    e.local('i32'),
  ) as [number, number, number, number, number, number, number, number, number, number, number]
  const lines = Array.from({ length: blockRows }, () => e.local('i32'))
  const vectors = blockColumns / 4
  const sums = Array.from({ length: blockRows * vectors }, () => e.local('v128'))
  const bs = Array.from({ length: vectors }, () => e.local('v128'))
  const x = e.local('v128')
  e.push(set(column, i32.const(0)))
  upTo(e, column, get(columns), i32.const(blockColumns), () => {
    e.push(set(row, i32.const(0)), set(pa, get(a)))
    upTo(e, row, get(rows), i32.const(blockRows), () => {
      e.push(
        set(left, i32.sub(get(rows), get(row))),
        set(pb, i32.add(get(b), i32.mul(i32.mul(get(column), get(depth)), i32.const(4)))),
        set(pc, i32.add(i32.add(get(c), i32.mul(get(row), get(stride))), i32.shl(get(column), i32.const(2)))),
      )
      lines.forEach((line, r) => {
        // Rows that are missing are read as the last one.
        const at = smaller(i32.const(r), i32.sub(get(left), i32.const(1)))
        e.push(set(line, i32.add(get(pa), i32.mul(at, get(across)))))
      })
      e.push(add(pa, get(down)))
      const whole = e.keep(i32.leS(i32.add(get(column), i32.const(blockColumns)), get(columns)), 'i32')
      e.push(
        when(
          whole,
          [set(out, get(pc)), set(outStride, get(stride)), set(adds, get(accumulate))],
          [set(out, globalGet(0)), set(outStride, i32.const(4 * blockColumns)), set(adds, i32.const(0))],
        ),
      )
      for (const sum of sums) e.push(set(sum, e.f32(0)))
      repeat(e, get(depth), () => {
        bs.forEach((local, v) => e.push(set(local, v128.load(get(pb), 16 * v))))
        lines.forEach((line, r) => {
          e.push(set(x, v128.load32Splat(get(line))))
          for (let v = 0; v < vectors; v++) {
            const sum = sums[r * vectors + v] as number
            e.push(set(sum, e.madd(get(x), get(bs[v] as number), get(sum))))
          }
        })
        e.push(...lines.map((line) => add(line, get(along))), add(pb, bytes(4 * blockColumns)))
      })
      const write = (old: boolean): Code => {
        const lines = e.capture(() => {
          for (let r = 0; r < blockRows; r++) {
            for (let v = 0; v < vectors; v++) {
              const sum = get(sums[r * vectors + v] as number)
              e.push(v128.store(get(out), old ? f32x4.add(sum, v128.load(get(out), 16 * v)) : sum, 16 * v))
            }
            if (r < blockRows - 1)
              e.push(branchIf(0, i32.leS(get(left), i32.const(r + 1))), add(out, get(outStride)))
          }
        })
        return block(lines)
      }
      e.push(when(get(adds), write(true), write(false)))
      const copied = e.capture(() => {
        e.push(set(i, i32.const(0)), set(out, globalGet(0)))
        upTo(e, i, smaller(get(left), i32.const(blockRows)), i32.const(1), () => {
          e.push(set(j, i32.const(0)))
          upTo(e, j, i32.sub(get(columns), get(column)), i32.const(1), () => {
            const from = i32.add(get(out), i32.shl(get(j), i32.const(2)))
            const to = i32.add(get(pc), i32.shl(get(j), i32.const(2)))
            const value = v128.load32Zero(from)
            e.push(
              when(
                get(accumulate),
                v128.store32Lane(to, f32x4.add(v128.load32Zero(to), value), 0),
                v128.store32Lane(to, value, 0),
              ),
            )
          })
          e.push(add(out, bytes(4 * blockColumns)), add(pc, get(stride)))
        })
      })
      e.push(when(i32.eqz(whole), copied))
    })
  })
  return e.finish()
}

/** The functions of the module, in order: packing of a, packing of b, the product. */
export const gemmFunctions = (target: Target): readonly WasmFunction[] => [
  pack(target, blockRows),
  pack(target, blockColumns),
  multiply(target),
]
