/** Times of a run's launches: by the device's own clock where it has one, else by the host's between submissions. */
import type { Span } from '../profile/index.ts'
import type { Device } from './device.ts'
import type { Call, Recorder } from './encode.ts'
import type { Part } from './record.ts'

const usage = { mapRead: 1, copySource: 4, copyTarget: 8, resolve: 512 } as const

/** Queries that one set may have; each launch takes two. */
const mostQueries = 4096

const copied = (recorder: Recorder, gpu: GPUDevice, sets: readonly GPUQuerySet[]): GPUBuffer => {
  const bytes = sets.reduce((sum, { count }) => sum + 8 * count, 0)
  const found = gpu.createBuffer({ size: bytes, usage: usage.resolve | usage.copySource })
  const copy = gpu.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyTarget })
  const encoder = recorder.encoder()
  sets.forEach((set, index) => encoder.resolveQuerySet(set, 0, set.count, found, 8 * mostQueries * index))
  encoder.copyBufferToBuffer(found, 0, copy, 0, bytes)
  recorder.submit()
  found.destroy()
  return copy
}

/** Runs steps that are dispatches alone in one submission, with a pass for each, timed by the device. */
export const timedByDevice = async (
  { gpu, ticker }: Device,
  recorder: Recorder,
  steps: readonly (readonly Part<Call>[])[],
): Promise<readonly Span[]> => {
  const launches = steps.flatMap((parts, launch) => (parts.length === 0 ? [] : [{ launch, parts }]))
  if (launches.length === 0) return []
  const perSet = mostQueries / 2
  const sets = Array.from({ length: Math.ceil(launches.length / perSet) }, (_, index) =>
    gpu.createQuerySet({
      type: 'timestamp',
      count: 2 * Math.min(perSet, launches.length - index * perSet),
    }),
  )
  launches.forEach(({ parts }, index) => {
    recorder.timed(sets[Math.floor(index / perSet)] as GPUQuerySet, 2 * (index % perSet))
    for (const part of parts) if (part.kind === 'dispatch') recorder.dispatch(part.dispatch)
  })
  const copy = copied(recorder, gpu, sets)
  await ticker.awaited(() => copy.mapAsync(1))
  const times = new BigInt64Array(copy.getMappedRange().slice(0))
  copy.destroy()
  for (const set of sets) set.destroy()
  const begin = times[0] as bigint
  const since = (time: bigint): number => Number(time - begin) / 1e6
  return launches.map(({ launch }, index) => {
    const [start, end] = [since(times[2 * index] as bigint), since(times[2 * index + 1] as bigint)]
    return { launch, start, milliseconds: Math.max(0, end - start) }
  })
}

/** Runs each step in submissions of its own and waits for it: the time includes the way there and back. */
export const timedByHost = async (
  { gpu, ticker }: Device,
  steps: readonly (readonly Part<Call>[])[],
  run: (parts: readonly Part<Call>[]) => Promise<void>,
): Promise<readonly Span[]> => {
  const spans: Span[] = []
  await ticker.awaited(() => gpu.queue.onSubmittedWorkDone())
  const begin = performance.now()
  for (const [launch, parts] of steps.entries()) {
    if (parts.length === 0) continue
    const start = performance.now()
    await run(parts)
    await ticker.awaited(() => gpu.queue.onSubmittedWorkDone())
    spans.push({ launch, start: start - begin, milliseconds: performance.now() - start })
  }
  return spans
}
