/** What `keywise experiment` prints of an experiment that was edited, and of requests and reports out of the usual. */

import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { openLab, own } from '../../test/support/lab.ts'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { run } from './experiment.ts'

const variants = [
  { name: 'now', share: 0.8, model: 'alpha/m' },
  { name: 'new', share: 0.2, model: 'careful' },
]
const race = { name: 'race', unit: 'session', variants }
const [now, fresh] = variants

const halves = variants.map(({ name }) => ({ name, share: 0.5, model: 'alpha/m' }))

function commandIn(folder: string, config: string, store: string) {
  return async (...args: string[]) => {
    let text = ''
    const stdout = new PassThrough().on('data', (data) => {
      text += String(data)
    }) as unknown as NodeJS.WriteStream // all that the command uses of a stream
    await run({ args, options: { config, store }, env: {}, cwd: folder, stdout, stderr: stdout })
    await new Promise((done) => setImmediate(done))
    return text
  }
}

async function openCommand(scenario: Parameters<typeof openLab>[0]) {
  const folder = temporaryFolder()
  const store = join(folder, 'keywise.db')
  const lab = await openLab(scenario, {
    settings: { models: { careful: ['alpha/n', 'alpha/m'] } },
    manager: { store },
  })
  const config = put(folder, 'api-keys.json', JSON.stringify(lab.world.config()))
  const command = commandIn(folder, config, store)
  const start = (definition: object) => {
    put(folder, 'race.json', JSON.stringify(definition))
    return command('start', 'race.json')
  }
  return { lab, command, start }
}

test('an edit is told when it is taken over and with the result, and so is what ran otherwise', async () => {
  const faults = [{ do: 'overloaded', model: 'n' }] as const
  const { lab, command, start } = await openCommand({ providers: own('alpha', 1, ['m', 'n'], { faults }) })
  lab.manager.startExperiment(race)
  expect(
    await start({
      ...race,
      variants: [
        { ...now, share: 0.7 },
        { ...fresh, share: 0.3 },
      ],
    }),
  ).toContain(
    'race runs as version 2: share of now 80 % → 70 %, share of new 20 % → 30 %, 10 % of the units change their variant, all others keep theirs; version 1 keeps its data\n',
  )
  lab.manager.engine.experiments.tick()
  let asked = 0
  for (let call = 0; call < 12; call++) {
    const { result } = await lab.call({ prompt: 'hi', experiment: 'race', sessionId: `session ${call}` })
    if (result?.experiment?.variant === 'new') asked++
  }
  for (let call = 0; call < 2; call++) await lab.call({ prompt: 'hi', labels: { experiment: 'race' } })
  lab.manager.engine.experiments.tick()
  await lab.manager.engine.store.flushed()
  const edited = {
    ...race,
    alpha: 0.04,
    variants: [
      { ...now, share: 0.7 },
      { ...fresh, share: 0.3 },
    ],
  }
  expect(await start(edited)).toMatch(
    /race runs as version 2.*\n {2}alpha 0\.05 → 0\.04, since 20\d\d-\d\d-\d\d \d\d:\d\d UTC; its data goes on, read by the new rules\n/,
  )
  const shown = await command('show', 'race')
  expect(shown).toContain('Note: share of now 80 % → 70 %, share of new 20 % → 30 %, 10 % of the units change their')
  expect(shown).toMatch(/Note: alpha 0\.05 → 0\.04, since /)
  expect(shown).toContain('Note: 2 requests named no session and ran as usual\n')
  expect(asked).toBeGreaterThan(0)
  expect(shown).toContain(
    `Note: new: ${asked} of ${asked} units were answered by another target than the first one asked\n`,
  )
  const rows = (await command('export', 'race'))
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','))
  // One row each of success and latency, and by whom it was answered.
  const ends = rows.filter((row) => row[4] === 'success')
  expect(ends.map((row) => [row[2], row[9]])).toEqual(
    expect.arrayContaining([
      ['new', 'alpha/m'],
      ['now', ''],
    ]),
  )
  expect(ends.filter((row) => row[2] === 'new' && row[9] !== 'alpha/m')).toEqual([])
})

test('an export has the value that counts, once, and who reported it', async () => {
  const { lab, command } = await openCommand({ providers: own('alpha', 1, ['m', 'n']) })
  lab.manager.startExperiment(race)
  const { result } = await lab.call({ prompt: 'hi', experiment: 'race', sessionId: 's' })
  const id = String(result?.requestId)
  for (const score of [0.2, 0.9, 0.4]) lab.manager.rate(id, score)
  const other = await lab.call({ prompt: 'hi', experiment: 'race', sessionId: 's' })
  // Another request of the same session.
  lab.manager.rate(String(other.result?.requestId), 1)
  await lab.manager.engine.store.flushed()
  const rows = (await command('export', 'race'))
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','))
  expect(rows.filter((row) => row[4] === 'quality').map((row) => [row[5], row[7], row[8]])).toEqual([
    ['0.4', id, 'library'],
  ])
})

test('an experiment of the configuration that a person stopped is started again by its name', async () => {
  const folder = temporaryFolder()
  const store = join(folder, 'keywise.db')
  const settings = { experiments: [{ ...race, unit: 'request', variants: halves }] }
  const lab = await openLab({ providers: own('alpha', 1, ['m']) }, { settings, manager: { store } })
  const config = put(folder, 'api-keys.json', JSON.stringify({ ...lab.world.config(), settings }))
  const command = commandIn(folder, config, store)
  expect(await command('stop', 'race')).toContain('race is stopped')
  expect(await command('start', 'race')).toBe('race runs as version 1\n')
  expect(await command('show', 'race')).toMatch(/^race, version 1, running since/)
  put(folder, 'api-keys.json', JSON.stringify(lab.world.config()))
  expect(await command('show', 'race')).toMatch(/^race, version 1, stopped since/)
  expect(await command('start', 'race')).toContain('race stays stopped: no configuration defines it any more')
})

test('means are shown with the digits that they have, however small', async () => {
  const { lab, command, start } = await openCommand({ providers: own('alpha', 1, ['m', 'n']) })
  const metric = { name: 'rate', minimum_effect: 1e-8 }
  await start({ name: 'race', variants: halves, metric })
  lab.manager.engine.experiments.tick()
  for (let call = 0; call < 4; call++) {
    const { result } = await lab.call({ prompt: 'hi', experiment: 'race' })
    lab.manager.report(result?.requestId ?? '', 'rate', 1.2345e-7)
  }
  await lab.manager.engine.store.flushed()
  const shown = await command('show', 'race')
  expect(shown).toMatch(/ 0\.000000123 \(\d\) .* 100 % \(\d\) /)
  expect(shown).not.toMatch(/\de-\d/)
})
