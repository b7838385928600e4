/** Loading and storing vectors: side by side, repeated, reversed, spread, or at positions that are data. */
import type { Dtype } from '../dtype.ts'
import type { Code } from './code/index.ts'
import { get, i16x8, i32, i32x4, i8x16, larger, shuffle32, smaller, v128 } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import type { Access } from './space.ts'
import { unitOf } from './space.ts'

/** Where a vector stands. */
export interface Site {
  readonly list: readonly Access[]
  /** The local with the address (or number) of each access's first lane. */
  readonly pointers: readonly number[]
  /** The stride of each access from lane to lane. */
  readonly strides: readonly number[]
  /** Lanes of a vector. */
  readonly lanes: number
  /** Whole vectors between the pointers and this one. */
  readonly shift: number
  /** Lanes that exist. */
  readonly count: number
  /** Accesses whose pointers have their data-dependent part already. */
  readonly resolved: ReadonlySet<number>
}

/** An address as code and a constant offset that is not negative. */
interface Place {
  readonly base: Code
  readonly offset: number
}

const placeOf = (base: Code, displacement: number): Place =>
  displacement >= 0
    ? { base, offset: displacement }
    : { base: i32.add(base, i32.const(displacement)), offset: 0 }

const clamped = (e: Emitter, index: Code, size: number): Code => {
  if (size <= 1) return i32.const(0)
  const raw = e.keep(index, 'i32')
  const low = e.keep(larger(raw, i32.const(0)), 'i32')
  return smaller(low, i32.const(size - 1))
}

/** The data-dependent part of an access whose indices are the same in every lane. */
export const indexedPart = (e: Emitter, site: Site, access: Access): Code =>
  access.at.reduce<Code>((sum, { index, stride, size }) => {
    const { base, offset } = placeOf(get(site.pointers[index] as number), displacementOf(site, index))
    return i32.add(sum, i32.mul(clamped(e, i32.load(base, offset), size), i32.const(stride)))
  }, i32.const(0))

const displacementOf = (site: Site, access: number): number =>
  site.shift * site.lanes * (site.strides[access] as number)

/** The address of each lane, for accesses whose indices differ from lane to lane. */
const laneAddresses = (e: Emitter, site: Site, id: number): Place[] => {
  const access = site.list[id] as Access
  const parts = access.at.map(({ index, stride, size }) => {
    const raw = load(e, site, index)
    const inside = i32x4.minS(i32x4.maxS(raw, e.i32(0)), e.i32(Math.max(size - 1, 0)))
    return i32x4.mul(inside, e.i32(stride))
  })
  const moved = e.keep(parts.reduce((sum, part) => i32x4.add(sum, part)))
  return Array.from({ length: site.count }, (_, lane) => {
    const base = e.keep(i32.add(get(site.pointers[id] as number), i32x4.extract(moved, lane)), 'i32')
    return placeOf(base, displacementOf(site, id) + lane * (site.strides[id] as number))
  })
}

const isGathered = (site: Site, id: number): boolean =>
  !site.resolved.has(id) && (site.list[id] as Access).at.some(({ index }) => site.strides[index] !== 0)

/** The places of the lanes one by one. */
const places = (e: Emitter, site: Site, id: number): Place[] => {
  if (isGathered(site, id)) return laneAddresses(e, site, id)
  const base = baseOf(e, site, id)
  return Array.from({ length: site.count }, (_, lane) =>
    placeOf(base, displacementOf(site, id) + lane * (site.strides[id] as number)),
  )
}

const baseOf = (e: Emitter, site: Site, id: number): Code => {
  const access = site.list[id] as Access
  const pointer = get(site.pointers[id] as number)
  return access.at.length === 0 || site.resolved.has(id)
    ? pointer
    : e.keep(i32.add(pointer, indexedPart(e, site, access)), 'i32')
}

/** Bytes 0 and 1 in the lowest lanes as masks. */
const masksOf = (bytes: Code): Code => i32x4.neg(i32x4.extendLowI16u(i16x8.extendLowI8u(bytes)))

const loadLanes = (dtype: Dtype, spots: readonly Place[]): Code => {
  const [first, ...rest] = spots as [Place, ...Place[]]
  switch (dtype) {
    case 'float64':
      return rest.reduce<Code>(
        (vector, { base, offset }, i) => v128.load64Lane(base, vector, i + 1, offset),
        v128.load64Zero(first.base, first.offset),
      )
    case 'bool':
      return i32x4.neg(
        rest.reduce<Code>(
          (vector, { base, offset }, i) => i32x4.replace(vector, i + 1, i32.load8u(base, offset)),
          i32x4.splat(i32.load8u(first.base, first.offset)),
        ),
      )
    default:
      return rest.reduce<Code>(
        (vector, { base, offset }, i) => v128.load32Lane(base, vector, i + 1, offset),
        v128.load32Zero(first.base, first.offset),
      )
  }
}

const loadRepeated = (dtype: Dtype, { base, offset }: Place): Code => {
  if (dtype === 'float64') return v128.load64Splat(base, offset)
  if (dtype === 'bool') return i32x4.neg(i32x4.splat(i32.load8u(base, offset)))
  return v128.load32Splat(base, offset)
}

const loadWhole = (dtype: Dtype, lanes: number, { base, offset }: Place): Code => {
  if (dtype === 'bool') return masksOf(v128.load32Zero(base, offset))
  // Beside float64, other dtypes use two lanes of four.
  return dtype === 'float64' || lanes === 4 ? v128.load(base, offset) : v128.load64Zero(base, offset)
}

const position = (e: Emitter, site: Site, id: number): Code => {
  const stride = site.strides[id] as number
  const start = i32.add(get(site.pointers[id] as number), i32.const(displacementOf(site, id)))
  return stride === 0
    ? i32x4.splat(start)
    : i32x4.add(i32x4.splat(start), e.i32(0, stride, 2 * stride, 3 * stride))
}

/** The vector that an access reads. Lanes that do not exist hold anything. */
export const load = (e: Emitter, site: Site, id: number): Code => {
  const access = site.list[id] as Access
  if (access.origin === 'position') return position(e, site, id)
  const stride = site.strides[id] as number
  const unit = unitOf(access)
  if (isGathered(site, id)) return loadLanes(access.dtype, places(e, site, id))
  const displacement = displacementOf(site, id)
  const base = baseOf(e, site, id)
  if (stride === 0) return loadRepeated(access.dtype, placeOf(base, displacement))
  // What lies behind the last element is still inside the memory, and never used.
  if (stride === unit) return loadWhole(access.dtype, site.lanes, placeOf(base, displacement))
  if (stride === -unit && unit === 4 && site.lanes === 4 && site.count === 4) {
    const reversed = e.keep(loadWhole(access.dtype, 4, placeOf(base, displacement - 12)))
    return shuffle32(reversed, reversed, [3, 2, 1, 0])
  }
  const spots = Array.from({ length: site.count }, (_, lane) => placeOf(base, displacement + lane * stride))
  return loadLanes(access.dtype, spots)
}

const storeLane = (dtype: Dtype, { base, offset }: Place, value: Code, lane: number): Code => {
  if (dtype === 'float64') return v128.store64Lane(base, value, lane, offset)
  return dtype === 'bool'
    ? v128.store8Lane(base, value, lane, offset)
    : v128.store32Lane(base, value, lane, offset)
}

/** Masks as bytes 0 and 1: four of them in the lowest 32 bits. */
const bytesOfMasks = (e: Emitter, masks: Code): Code => {
  const words = e.keep(v128.and(masks, e.i32(1)))
  const halves = e.keep(i16x8.narrowI32(words, words))
  return i8x16.narrowI16(halves, halves)
}

/** Writes the lanes of `value` that exist. */
export const storeVector = (e: Emitter, site: Site, id: number, value: Code): void => {
  const access = site.list[id] as Access
  const stride = site.strides[id] as number
  const unit = unitOf(access)
  const { dtype } = access
  const held = e.keep(dtype === 'bool' ? bytesOfMasks(e, value) : value)
  const { lanes, count } = site
  if (stride === unit && !isGathered(site, id) && count === lanes) {
    const { base, offset } = placeOf(baseOf(e, site, id), displacementOf(site, id))
    if (unit * lanes === 16) e.push(v128.store(base, held, offset))
    else if (unit * lanes === 8) e.push(v128.store64Lane(base, held, 0, offset))
    else if (unit * lanes === 4) e.push(v128.store32Lane(base, held, 0, offset))
    else e.push(v128.store16Lane(base, held, 0, offset))
    return
  }
  places(e, site, id).forEach((place, lane) => e.push(storeLane(dtype, place, held, lane)))
}
