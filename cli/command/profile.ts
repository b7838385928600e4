/** `pullback profile`: where the time of a training step goes. */
import { fromArray, random } from '../../core/index.ts'
import { chromeTrace, joinProfiles, renderProfile } from '../../kernels/index.ts'
import type { Profile } from '../../kernels/index.ts'
import { bertForPreTraining, gpt } from '../../models/index.ts'
import { drawsOf, hostKey, initState, makeStep } from '../../training/index.ts'
import type { Metrics, Objective } from '../../training/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import { writeWhole } from '../file.ts'
import { bertConfigOf } from '../job/bert.ts'
import { gptConfigOf, gptObjective } from '../job/gpt.ts'
import { bertObjective } from '../job/masked.ts'
import { usualSpecials } from '../job/special.ts'
import { optimizerOf, recipeOf } from '../job/train.ts'
import type { Recipe } from '../job/train.ts'
import { count } from '../word.ts'
import { checkSizes } from './common.ts'

/** Steps that warm the machine up before any is timed. */
const warmUp = 3

/** Times the launches of some steps, the state handed on from one to the next. */
const profileSteps = async <P, B, M extends Metrics>(
  objective: Objective<P, B, M>,
  params: P,
  batch: B,
  recipe: Recipe,
  timed: number,
): Promise<Profile> => {
  const optimizer = optimizerOf(recipe)
  const step = makeStep({ objective, optimizer })
  let state = initState(params, optimizer, random.key(0))
  for (let i = 0; i < warmUp; i++) state = step(state, batch)[0]
  const profiles: Profile[] = []
  for (let i = 0; i < timed; i++) {
    const [[next], profile] = await step.profile(state, batch)
    state = next
    profiles.push(profile)
  }
  const [first, ...others] = profiles as [Profile, ...Profile[]]
  return joinProfiles(first, ...others)
}

export const profile: AnyCommand = command({
  name: 'profile',
  about: 'tell where the time of a training step goes, launch by launch, on random tokens',
  arguments: [],
  settings: [
    ...(['model', 'vocabulary', 'width', 'layers', 'heads', 'hidden', 'length', 'dropout', 'batch'] as const),
    ...(['steps', 'learningRate', 'optimizer', 'warmup', 'weightDecay', 'clip'] as const),
    ...(['runsProfiled', 'trace', 'seed', 'engine'] as const),
  ],
  run: (context, values) =>
    steps(async (take) => {
      const { say } = context.terminal
      await take(checkSizes(values))
      await take(useEngine(context, values.engine))
      const { batch: rows, length, vocabulary, seed, runsProfiled } = values
      const draws = drawsOf(hostKey(seed))
      const shape = [rows, length] as const
      const first = usualSpecials.mask + 1
      const ids = fromArray(
        Int32Array.from(
          { length: rows * length },
          () => first + draws.below(Math.max(1, vocabulary - first)),
        ),
        shape,
      )
      const key = random.key(seed)
      const recipe = recipeOf(values)
      const found =
        values.model === 'gpt'
          ? await (() => {
              const config = gptConfigOf(values, vocabulary, 0)
              return profileSteps(gptObjective(config), gpt(config).init(key), { ids }, recipe, runsProfiled)
            })()
          : await (() => {
              const config = bertConfigOf(values, vocabulary, usualSpecials)
              const batch = {
                ids,
                tokenTypes: fromArray(new Int32Array(rows * length), shape),
                keyMask: fromArray(new Uint8Array(rows * length).fill(1), shape),
                nextSentenceLabels: fromArray(new Int32Array(rows), [rows]),
              }
              return profileSteps(
                bertObjective(config, usualSpecials),
                bertForPreTraining(config).init(key),
                batch,
                recipe,
                runsProfiled,
              )
            })()
      say(renderProfile(found, 30))
      say(`${count(rows * length)} tokens in a step`)
      if (values.trace !== undefined) {
        await take(writeWhole(values.trace, JSON.stringify(chromeTrace(found))))
        say(`the timeline is in ${values.trace}; open it with chrome://tracing or ui.perfetto.dev`)
      }
    }),
})
