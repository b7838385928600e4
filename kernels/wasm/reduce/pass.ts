/** Which walks over a row its folds and outputs need, and what is kept from one to the next. */
import type { BufferId, Fold, ReduceLaunch } from '../../program/index.ts'
import type { Body, ScalarOp } from '../../scalar.ts'
import { argsOf, reachable } from '../../scalar.ts'
import { bodyWeight } from '../map.ts'

export const isPosition = ({ op }: Fold): boolean => op === 'argmax' || op === 'argmin'

/** A walk over the row: the folds whose values are known by then, and the outputs written in it. */
export interface Pass {
  readonly folds: readonly number[]
  readonly outputs: readonly number[]
  /** Values kept in scratch memory for later passes, and those read back from it. */
  readonly keeps: readonly number[]
  readonly recalls: readonly number[]
}

/** For each operation the number of passes that must have ended before it can be computed. */
const stagesOf = (body: Body, folds: readonly Fold[]): { ops: number[]; folds: number[] } => {
  const ofFolds: number[] = []
  const ofOps: number[] = []
  const stage = (index: number): number => {
    const known = ofOps[index]
    if (known !== undefined) return known
    const op = body[index] as ScalarOp
    const found =
      op.op === 'fold'
        ? stageOfFold(op.index) + 1
        : argsOf(op).reduce((top, arg) => Math.max(top, stage(arg)), 0)
    ofOps[index] = found
    return found
  }
  const stageOfFold = (index: number): number => (ofFolds[index] ??= stage((folds[index] as Fold).value))
  body.forEach((_, index) => stage(index))
  folds.forEach((_, index) => stageOfFold(index))
  return { ops: ofOps, folds: ofFolds }
}

/** Values worth keeping from one pass for the next, rather than computing them again. */
const keepWeight = 12

export const passesOf = (
  { body, folds, outputs }: ReduceLaunch,
  reads: ReadonlySet<BufferId>,
  changes: (index: number) => boolean,
  mayKeep: boolean,
): Pass[] => {
  const stages = stagesOf(body, folds)
  const whole = outputs.flatMap(({ over }, index) => (over === 'all' ? [index] : []))
  const stageOfOutput = (index: number): number =>
    stages.ops[(outputs[index] as { value: number }).value] as number
  const count = Math.max(
    0,
    ...stages.folds.map((stage) => stage + 1),
    ...whole.map((o) => stageOfOutput(o) + 1),
  )
  // What is overwritten in place must not be needed again.
  const passOfOutput = (index: number): number =>
    reads.has((outputs[index] as ReduceLaunch['outputs'][number]).target.buffer)
      ? count - 1
      : stageOfOutput(index)
  const kept = new Set<number>()
  const passes: Pass[] = []
  for (let pass = 0; pass < count; pass++) {
    const own = folds.flatMap((_, index) => (stages.folds[index] === pass ? [index] : []))
    const written = whole.filter((index) => passOfOutput(index) === pass)
    const roots = [
      ...own.map((index) => (folds[index] as Fold).value),
      ...written.map((index) => (outputs[index] as { value: number }).value),
    ]
    const needed = reachable(body, roots, (op, index) => (kept.has(index) ? [] : argsOf(op)))
    const recalls = [...needed].filter((index) => kept.has(index))
    const later = new Set<number>()
    for (let after = pass + 1; after < count; after++) {
      const next = [
        ...folds.flatMap(({ value }, index) => (stages.folds[index] === after ? [value] : [])),
        ...whole.flatMap((index) =>
          passOfOutput(index) === after ? [(outputs[index] as { value: number }).value] : [],
        ),
      ]
      // The largest common parts only: what is behind them is not needed again.
      const shared = (index: number): boolean => kept.has(index) || (needed.has(index) && worth(index))
      for (const index of reachable(body, next, (op, index) => (shared(index) ? [] : argsOf(op))))
        if (shared(index) && !kept.has(index)) later.add(index)
    }
    const keeps = mayKeep ? [...later] : []
    keeps.forEach((index) => kept.add(index))
    passes.push({ folds: own, outputs: written, keeps, recalls })
  }
  return passes

  function worth(index: number): boolean {
    return changes(index) && bodyWeight(body, [index]) >= keepWeight
  }
}
