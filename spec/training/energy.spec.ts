import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { costOf, openEnergyMeter } from '../../training/energy.ts'
import type { Figure } from '../../training/energy.ts'

const energy = suite<{ folder: string }>('energy', { folder: '' })

energy.before.each(async (context) => {
  context.folder = await mkdtemp(`${tmpdir()}/energy-`)
})
energy.after.each(async ({ folder }) => rm(folder, { recursive: true, force: true }))

const figure = (value: number, measured = false): Figure => ({ value, source: 'a test', measured })

energy('a kilowatt over an hour is a kilowatt-hour, whatever way it is told', () => {
  const hour = { watts: figure(1000, true), seconds: figure(3600, true) }
  assert.equal(costOf(hour), {
    kilowattHours: 1,
    measured: true,
    provenance: ['watts: 1000 (a test; measured)', 'seconds: 3600 (a test; measured)'],
  })
  const cost = costOf(
    { joules: figure(3.6e6) },
    { overhead: figure(1.5), gramsPerKilowattHour: figure(100), pricePerKilowattHour: figure(0.2) },
  )
  assert.is(cost.kilowattHours, 1.5)
  assert.is(cost.gramsOfCarbonDioxide, 150)
  assert.ok(Math.abs((cost.price as number) - 0.3) < 1e-12)
  assert.not(cost.measured)
  assert.is(cost.provenance.length, 4)
})

energy('power that was guessed over time that was measured was not measured', () => {
  assert.not(costOf({ watts: figure(10), seconds: figure(10, true) }).measured)
})

energy('figures without a source, and impossible ones, are refused', () => {
  assert.throws(() => costOf({ joules: { value: 1, source: ' ' } }), /joules has no source/)
  assert.throws(() => costOf({ joules: figure(NaN) }), /joules must be a number of at least 0/)
  assert.throws(() => costOf({ joules: figure(1) }, { overhead: figure(0.9) }), /overhead .* at least 1/)
})

const counter = async (folder: string, name: string, value: number): Promise<void> => {
  await mkdir(`${folder}/${name}`, { recursive: true })
  await writeFile(`${folder}/${name}/energy_uj`, `${value}\n`)
  await writeFile(`${folder}/${name}/max_energy_range_uj`, '10000000\n')
}

energy('counters are summed over packages, their parts left out, and may wrap', async ({ folder }) => {
  await counter(folder, 'intel-rapl:0', 1e6)
  await counter(folder, 'intel-rapl:1', 9e6)
  await counter(folder, 'intel-rapl:0:0', 5e6)
  const opened = await openEnergyMeter(folder)()
  if (E.isLeft(opened)) return assert.unreachable(opened.left)
  assert.is((await opened.right()).value, 0)
  await counter(folder, 'intel-rapl:0', 3e6)
  await counter(folder, 'intel-rapl:1', 2e6)
  await counter(folder, 'intel-rapl:0:0', 9e6)
  const used = await opened.right()
  assert.is(used.value, 2 + 3)
  assert.ok(used.measured)
  assert.match(used.source, /2 processors/)
  await counter(folder, 'intel-rapl:0', 4e6)
  assert.is((await opened.right()).value, 6)
})

energy('a machine without counters says so', async ({ folder }) => {
  const reason = async (path: string): Promise<string> => {
    const opened = await openEnergyMeter(path)()
    return E.isLeft(opened) ? opened.left : (assert.unreachable('it was opened') as never)
  }
  assert.match(await reason(folder), /there are no energy counters/)
  assert.match(await reason(`${folder}/none`), /^energy: .*none does not exist$/)
  await counter(folder, 'intel-rapl:0', 1)
  await writeFile(`${folder}/intel-rapl:0/energy_uj`, 'x')
  assert.match(await reason(folder), /holds no number/)
})

energy.run()
