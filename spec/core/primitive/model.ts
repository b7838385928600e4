/**
 * What each primitive means, said once more in the plainest way: one element at a time, by positions, over
 * lists of numbers. Slow and independent of programs, views and engines.
 */
import type { Primitive, PrimitiveName, Shape, primitives } from '../../../core/index.ts'

export interface Value {
  readonly shape: Shape
  readonly data: readonly number[]
}

type Position = readonly number[]
type ParamsOf<T> = T extends Primitive<infer P> ? P : never
type Model<P> = (inputs: readonly Value[], params: P) => readonly Value[]

/** A model for every primitive: one that is missing is an error of the type check. */
type Models = { readonly [N in PrimitiveName]: Model<ParamsOf<(typeof primitives)[N]>> }

const sizeOf = (shape: Shape): number => shape.reduce((n, size) => n * size, 1)

/** All positions of a shape, row-major. */
export const positions = (shape: Shape): readonly Position[] =>
  shape.reduce<Position[]>(
    (all, size) => all.flatMap((position) => Array.from({ length: size }, (_, i) => [...position, i])),
    [[]],
  )

const read = ({ shape, data }: Value, position: Position): number =>
  data[position.reduce((at, i, axis) => at * (shape[axis] as number) + i, 0)] as number

const build = (shape: Shape, element: (position: Position) => number): Value => ({
  shape,
  data: positions(shape).map(element),
})

const insert = (list: Position, axis: number, ...values: readonly number[]): number[] => [
  ...list.slice(0, axis),
  ...values,
  ...list.slice(axis),
]
const replace = (list: Position, axis: number, value: number): number[] =>
  list.map((x, i) => (i === axis ? value : x))
const without = (list: Position, axes: readonly number[]): number[] =>
  list.filter((_, i) => !axes.includes(i))

const elementwise =
  (f: (...elements: number[]) => number | boolean): Model<unknown> =>
  (inputs) => {
    const rank = Math.max(...inputs.map(({ shape }) => shape.length))
    const shape = Array.from({ length: rank }, (_, axis) => {
      const sizes = inputs.map((x) => x.shape[axis - rank + x.shape.length] ?? 1)
      return sizes.find((size) => size !== 1) ?? 1
    })
    return [
      build(shape, (position) =>
        Number(
          f(
            ...inputs.map((x) => {
              const own = position.slice(rank - x.shape.length)
              return read(
                x,
                own.map((i, axis) => (x.shape[axis] === 1 ? 0 : i)),
              )
            }),
          ),
        ),
      ),
    ]
  }

/** Folds the elements along axes, in row-major order of these. */
const fold =
  (f: (row: readonly number[]) => number): Model<{ readonly axes: readonly number[] }> =>
  ([x], { axes }) => {
    const { shape } = x as Value
    const inner = positions(axes.map((axis) => shape[axis] as number))
    return [
      build(without(shape, axes), (outer) => {
        const rest = [...outer]
        const base = shape.map((_, axis) => (axes.includes(axis) ? 0 : (rest.shift() as number)))
        return f(
          inner.map((own) =>
            read(
              x as Value,
              axes.reduce((at, axis, i) => replace(at, axis, own[i] as number), base),
            ),
          ),
        )
      }),
    ]
  }

const sum = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0)
const product = (row: readonly number[]): number => row.reduce((a, b) => a * b, 1)
const max = (row: readonly number[]): number => row.reduce((a, b) => Math.max(a, b), -Infinity)
const min = (row: readonly number[]): number => row.reduce((a, b) => Math.min(a, b), Infinity)
const folds = { sum, prod: product, max, min }

/** The rows along an axis, each replaced by a list of the same length. */
const alongAxis = (x: Value, axis: number, f: (row: readonly number[]) => readonly number[]): Value =>
  build(x.shape, (position) => {
    const row = Array.from({ length: x.shape[axis] as number }, (_, i) => read(x, replace(position, axis, i)))
    return f(row)[position[axis] as number] as number
  })

const rows =
  (f: (row: readonly number[]) => readonly number[]): Model<unknown> =>
  ([x]) => [alongAxis(x as Value, (x as Value).shape.length - 1, f)]

const logSumExp = (row: readonly number[]): number => {
  const peak = max(row)
  return peak + Math.log(sum(row.map((x) => Math.exp(x - peak))))
}

/** Ordered positions; equal elements keep their order. */
const order = (row: readonly number[], descending: boolean): readonly number[] =>
  row
    .map((x, i) => [x, i] as const)
    .sort(([x, i], [y, j]) => (descending ? y - x : x - y) || i - j)
    .map(([, i]) => i)

const sign = Math.sign
const even = (x: number): number => {
  const low = Math.floor(x)
  const rest = x - low
  return rest < 0.5 ? low : rest > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1
}
const simpson = (f: (t: number) => number, to: number): number => {
  const n = 2000
  const h = to / n
  let total = f(0) + f(to)
  for (let i = 1; i < n; i++) total += (i % 2 === 0 ? 2 : 4) * f(i * h)
  return (total * h) / 3
}
const erf = (x: number): number => (2 / Math.sqrt(Math.PI)) * simpson((t) => Math.exp(-t * t), x)
const erfInv = (y: number): number => {
  if (Math.abs(y) >= 1) return Math.abs(y) === 1 ? y * Infinity : NaN
  let [low, high] = [-6, 6]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (erf(middle) < y) low = middle
    else high = middle
  }
  return (low + high) / 2
}

const rotate = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0
/** Salmon et al. 2011, figure 3, with the key schedule of Skein. */
const threefry = (k0: number, k1: number, c0: number, c1: number): readonly [number, number] => {
  const schedule = [k0, k1, (0x1bd11bda ^ k0 ^ k1) >>> 0]
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24]
  let [x, y] = [(c0 + k0) >>> 0, (c1 + k1) >>> 0]
  for (let round = 0; round < 20; round++) {
    x = (x + y) >>> 0
    y = (rotate(y, rotations[round % 8] as number) ^ x) >>> 0
    if (round % 4 === 3) {
      const turn = (round + 1) / 4
      x = (x + (schedule[turn % 3] as number)) >>> 0
      y = (y + (schedule[(turn + 1) % 3] as number) + turn) >>> 0
    }
  }
  return [x, y]
}

const columnsOf = ({ shape }: Value): readonly number[] =>
  Array.from({ length: shape.at(-1) as number }, (_, i) => i)

/** Scores (-∞ where not seen), factors, weights and totals of attention, by position of the query. */
function attended(
  q: Value,
  k: Value,
  rest: readonly Value[],
  { scale, causal, masked, rate }: { scale: number; causal: number | null; masked: boolean; rate: number },
) {
  const rows = q.shape.slice(0, -1)
  const keys = k.shape.at(-2) as number
  const mask = masked ? rest[0] : undefined
  const random = rate > 0 ? rest[masked ? 1 : 0] : undefined
  const factor = (row: Position, j: number): number => {
    if (random === undefined) return 1
    const lead = random.shape.length - 1
    const at = row.slice(0, lead)
    const space = [...rows, keys].slice(lead)
    const position = [...row, j].slice(lead).reduce((sum, i, axis) => sum * (space[axis] as number) + i, 0)
    const [x, y] = threefry(read(random, [...at, 0]), read(random, [...at, 1]), 0, position)
    const uniform = (((x ^ y) >>> 0) >>> 9) * 2 ** -23
    return uniform < Math.fround(1 - rate) ? 1 / (1 - rate) : 0
  }
  const scores = (row: Position): readonly { s: number; m: number }[] =>
    Array.from({ length: keys }, (_, j) => {
      const lead = row.slice(0, -1)
      const product = columnsOf(q).reduce(
        (sum, c) => sum + read(q, [...row, c]) * read(k, [...lead, j, c]),
        0,
      )
      const looks = causal === null || j <= (row.at(-1) as number) + causal
      const shown =
        mask === undefined ||
        read(
          mask,
          [...row, j].map((i, axis) => (mask.shape[axis] === 1 ? 0 : i)),
        ) === 1
      return { s: looks && shown ? product * scale : -Infinity, m: factor(row, j) }
    })
  const sees = (row: Position): boolean => scores(row).some(({ s }) => s > -Infinity)
  const total = (row: Position): number => (sees(row) ? logSumExp(scores(row).map(({ s }) => s)) : 0)
  const weights = (row: Position): readonly { p: number; m: number }[] =>
    scores(row).map(({ s, m }) => ({ p: Math.exp(s - total(row)), m }))
  return { rows, scores, total, weights }
}

const scattered =
  (change: (before: number, update: number) => number): Model<Lookup> =>
  ([x, indices, updates], params) => {
    const [base, looked, given] = [x as Value, indices as Value, updates as Value]
    const changed = new Map<string, number>()
    for (const position of positions(given.shape)) {
      const target = source(position, base, looked, params)
      const before = changed.get(target.join()) ?? read(base, target)
      changed.set(target.join(), change(before, read(given, position)))
    }
    return [build(base.shape, (position) => changed.get(position.join()) ?? read(base, position))]
  }

export const models: Models = {
  neg: elementwise((x) => -x),
  abs: elementwise(Math.abs),
  sign: elementwise(sign),
  exp: elementwise(Math.exp),
  expm1: elementwise(Math.expm1),
  log: elementwise(Math.log),
  log1p: elementwise(Math.log1p),
  sqrt: elementwise(Math.sqrt),
  rsqrt: elementwise((x) => 1 / Math.sqrt(x)),
  sin: elementwise(Math.sin),
  cos: elementwise(Math.cos),
  tanh: elementwise(Math.tanh),
  sigmoid: elementwise((x) => 1 / (1 + Math.exp(-x))),
  erf: elementwise(erf),
  erfInv: elementwise(erfInv),
  floor: elementwise(Math.floor),
  ceil: elementwise(Math.ceil),
  round: elementwise(even),
  logicalNot: elementwise((x) => x === 0),
  isFinite: elementwise((x) => Number.isFinite(x)),
  isNaN: elementwise((x) => Number.isNaN(x)),
  stopGradient: ([x]) => [x as Value],
  add: elementwise((x, y) => (x as number) + (y as number)),
  sub: elementwise((x, y) => (x as number) - (y as number)),
  mul: elementwise((x, y) => (x as number) * (y as number)),
  div: elementwise((x, y) => (x as number) / (y as number)),
  remainder: elementwise((x, y) => (x as number) % (y as number)),
  pow: elementwise((x, y) => Math.pow(x as number, y as number)),
  maximum: elementwise(Math.max),
  minimum: elementwise(Math.min),
  atan2: elementwise((y, x) => Math.atan2(y as number, x as number)),
  equal: elementwise((x, y) => x === y),
  notEqual: elementwise((x, y) => x !== y),
  less: elementwise((x, y) => (x as number) < (y as number)),
  lessEqual: elementwise((x, y) => (x as number) <= (y as number)),
  greater: elementwise((x, y) => (x as number) > (y as number)),
  greaterEqual: elementwise((x, y) => (x as number) >= (y as number)),
  bitwiseAnd: elementwise((x, y) => (x as number) & (y as number)),
  bitwiseOr: elementwise((x, y) => (x as number) | (y as number)),
  bitwiseXor: elementwise((x, y) => (x as number) ^ (y as number)),
  shiftLeft: elementwise((x, y) => (inside(y as number) ? (x as number) << (y as number) : 0)),
  shiftRight: elementwise((x, y) => (x as number) >> (inside(y as number) ? (y as number) : 31)),
  select: elementwise((c, x, y) => (c === 1 ? (x as number) : (y as number))),
  cast: ([x]) => [x as Value],
  bitcastConvertType: (inputs, { dtype }) =>
    elementwise((x) => {
      const bytes = new DataView(new ArrayBuffer(4))
      if (dtype === 'float32') {
        bytes.setInt32(0, x as number)
        return bytes.getFloat32(0)
      }
      bytes.setFloat32(0, x as number)
      return dtype === 'int32' ? bytes.getInt32(0) : bytes.getUint32(0)
    })(inputs, {}),
  threefry: (inputs, { word }) =>
    elementwise((k0, k1, c0, c1) => {
      const [x, y] = threefry(k0 as number, k1 as number, c0 as number, c1 as number)
      return word === 'xor' ? (x ^ y) >>> 0 : word === 0 ? x : y
    })(inputs, {}),

  broadcastTo: ([x], { shape }) => [
    build(shape, (position) => {
      const own = position.slice(shape.length - (x as Value).shape.length)
      return read(
        x as Value,
        own.map((i, axis) => ((x as Value).shape[axis] === 1 ? 0 : i)),
      )
    }),
  ],
  reshape: ([x], { shape }) => [{ shape, data: (x as Value).data }],
  transpose: ([x], { permutation }) => [
    build(
      permutation.map((axis) => (x as Value).shape[axis] as number),
      (position) => {
        const source: number[] = []
        permutation.forEach((axis, i) => (source[axis] = position[i] as number))
        return read(x as Value, source)
      },
    ),
  ],
  slice: ([x], { start, limit, step }) => [
    build(
      start.map((from, axis) => {
        let count = 0
        for (let i = from; i < (limit[axis] as number); i += step[axis] as number) count++
        return count
      }),
      (position) =>
        read(
          x as Value,
          position.map((i, axis) => (start[axis] as number) + i * (step[axis] as number)),
        ),
    ),
  ],
  pad: ([x, fill], { low, high, interior }) => {
    const { shape } = x as Value
    const placed = new Map(
      positions(shape).map((position) => [
        position.map((i, axis) => (low[axis] as number) + i * ((interior[axis] as number) + 1)).join(),
        read(x as Value, position),
      ]),
    )
    const wide = shape.map(
      (n, axis) =>
        (low[axis] as number) +
        n +
        (n > 1 ? (n - 1) * (interior[axis] as number) : 0) +
        (high[axis] as number),
    )
    return [build(wide, (position) => placed.get(position.join()) ?? read(fill as Value, []))]
  },
  concatenate: (inputs, { axis }) => {
    const sizes = inputs.map(({ shape }) => shape[axis] as number)
    return [
      build(replace((inputs[0] as Value).shape, axis, sum(sizes)), (position) => {
        let i = position[axis] as number
        let part = 0
        while (i >= (sizes[part] as number)) i -= sizes[part++] as number
        return read(inputs[part] as Value, replace(position, axis, i))
      }),
    ]
  },
  split: ([x], { axis, sizes }) =>
    sizes.map((size, part) =>
      build(replace((x as Value).shape, axis, size), (position) =>
        read(x as Value, replace(position, axis, sum(sizes.slice(0, part)) + (position[axis] as number))),
      ),
    ),
  reverse: ([x], { axes }) => [
    build((x as Value).shape, (position) =>
      read(
        x as Value,
        position.map((i, axis) => (axes.includes(axis) ? ((x as Value).shape[axis] as number) - 1 - i : i)),
      ),
    ),
  ],
  barrier: (inputs) => inputs,
  iota: (_, { shape, axis }) => [build(shape, (position) => position[axis] as number)],

  reduceSum: fold(sum),
  reduceProd: fold(product),
  reduceMax: fold(max),
  reduceMin: fold(min),
  argMax: fold((row) => row.indexOf(max(row))),
  argMin: fold((row) => row.indexOf(min(row))),
  cumulative: ([x], { op, axis, reverse }) => [
    alongAxis(x as Value, axis, (row) =>
      row.map((_, i) => folds[op](reverse ? row.slice(i) : row.slice(0, i + 1))),
    ),
  ],

  softmax: rows((row) => row.map((x) => Math.exp(x - logSumExp(row)))),
  logSoftmax: rows((row) => row.map((x) => x - logSumExp(row))),
  attention: (inputs, params) => {
    const [q, k, v, ...rest] = inputs as [Value, Value, Value, ...Value[]]
    const { rows, weights, total } = attended(q, k, rest, params)
    const out = build([...rows, v.shape.at(-1) as number], (at) => {
      const [lead, row, column] = [at.slice(0, -2), at.at(-2) as number, at.at(-1) as number]
      return weights([...lead, row]).reduce(
        (sum, { p, m }, j) => sum + p * m * read(v, [...lead, j, column]),
        0,
      )
    })
    return [out, build(rows, total)]
  },
  attentionGradient: (inputs, params) => {
    const [q, k, v, g, total, delta, ...rest] = inputs as [
      Value,
      Value,
      Value,
      Value,
      Value,
      Value,
      ...Value[],
    ]
    const { rows, scores } = attended(q, k, rest, params)
    const pairs = new Map(
      positions(rows).map((row) => [
        row.join(),
        scores(row).map(({ s, m }, j) => {
          const lead = row.slice(0, -1)
          const p = Math.exp(s - read(total, row))
          const d = columnsOf(v).reduce((sum, c) => sum + read(g, [...row, c]) * read(v, [...lead, j, c]), 0)
          return { ds: p === 0 ? 0 : p * (m * d - read(delta, row)) * params.scale, pm: p * m }
        }),
      ]),
    )
    const pair = (row: Position, j: number) => pairs.get(row.join())?.[j] as { ds: number; pm: number }
    const queries = Array.from({ length: q.shape.at(-2) as number }, (_, i) => i)
    const keys = Array.from({ length: k.shape.at(-2) as number }, (_, i) => i)
    const overQueries =
      (pick: (pair: { ds: number; pm: number }) => number, by: Value) =>
      (at: Position): number => {
        const [lead, j, c] = [at.slice(0, -2), at.at(-2) as number, at.at(-1) as number]
        return queries.reduce((sum, i) => sum + pick(pair([...lead, i], j)) * read(by, [...lead, i, c]), 0)
      }
    return [
      build(q.shape, (at) => {
        const [lead, i, c] = [at.slice(0, -2), at.at(-2) as number, at.at(-1) as number]
        return keys.reduce((sum, j) => sum + pair([...lead, i], j).ds * read(k, [...lead, j, c]), 0)
      }),
      build(
        k.shape,
        overQueries(({ ds }) => ds, q),
      ),
      build(
        v.shape,
        overQueries(({ pm }) => pm, g),
      ),
    ]
  },
  logSoftmaxAt: ([x, labels]) => {
    const [scores, at] = [x as Value, labels as Value]
    const classes = scores.shape.at(-1) as number
    const rows = at.data.map((_, i) => scores.data.slice(i * classes, (i + 1) * classes))
    const label = (i: number): number => Math.max(0, Math.min(classes - 1, at.data[i] as number))
    const values = rows.map((row, i) => (row[label(i)] as number) - logSumExp(row))
    return [
      { shape: at.shape, data: values },
      { shape: at.shape, data: rows.map(logSumExp) },
    ]
  },
  logSumExp: ([x]) => fold(logSumExp)([x as Value], { axes: [(x as Value).shape.length - 1] }),
  standardise: ([x], { center, epsilon }) => {
    const middle = (row: readonly number[]): number => (center ? sum(row) / row.length : 0)
    const scale = (row: readonly number[]): number =>
      1 / Math.sqrt(sum(row.map((v) => (v - middle(row)) ** 2)) / row.length + epsilon)
    return [
      ...rows((row) => row.map((v) => (v - middle(row)) * scale(row)))([x as Value], {}),
      ...fold(scale)([x as Value], { axes: [(x as Value).shape.length - 1] }),
    ]
  },

  gather: ([x, indices], params) => {
    const [operand, looked] = [x as Value, indices as Value]
    return [
      build(gathered(operand.shape, looked.shape, params), (position) =>
        read(operand, source(position, operand, looked, params)),
      ),
    ]
  },
  scatterAdd: scattered((before, update) => before + update),
  scatterSet: scattered((_, update) => update),
  scatterMax: scattered(Math.max),
  scatterMin: scattered(Math.min),
  matmul: ([x, y]) => {
    const [a, b] = [x as Value, y as Value]
    const inner = a.shape.at(-1) as number
    return [
      build([...a.shape.slice(0, -1), b.shape.at(-1) as number], (position) => {
        const batch = position.slice(0, -2)
        const [i, j] = position.slice(-2) as [number, number]
        return sum(
          Array.from({ length: inner }, (_, k) => read(a, [...batch, i, k]) * read(b, [...batch, k, j])),
        )
      }),
    ]
  },
  argSort: ([x], { axis, descending }) => [alongAxis(x as Value, axis, (row) => order(row, descending))],
}

function inside(by: number): boolean {
  return by >= 0 && by < 32
}

interface Lookup {
  readonly axis: number
  readonly batchAxes: number
}

function gathered(operand: Shape, indices: Shape, { axis, batchAxes }: Lookup): Shape {
  return insert(without(operand, [axis]), axis, ...indices.slice(batchAxes))
}

/** Where the element at a position of the gathered shape comes from. */
function source(position: Position, operand: Value, indices: Value, { axis, batchAxes }: Lookup): Position {
  const looked = indices.shape.length - batchAxes
  const at = [...position.slice(0, batchAxes), ...position.slice(axis, axis + looked)]
  const size = operand.shape[axis] as number
  const index = Math.min(Math.max(read(indices, at), 0), size - 1)
  return [...position.slice(0, axis), index, ...position.slice(axis + looked)]
}

export { sizeOf }
