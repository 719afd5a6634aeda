import { expect, test } from 'vitest'
import { own } from '../../test/support/lab.ts'
import { openWorld } from '../../test/support/labCall.ts'
import { makeHome } from '../../test/support/runKeywise.ts'
import { put } from '../../test/support/temporaryFolder.ts'

const race = {
  name: 'race',
  variants: [
    { name: 'now', share: 0.5, model: 'alpha/m' },
    { name: 'new', share: 0.5, model: 'alpha/n' },
  ],
}

test('an experiment is started from a file, shown, exported and stopped on the command line', async () => {
  const world = await openWorld({ providers: own('alpha', 1, ['m', 'n']) })
  const home = makeHome(world.config())
  put(home.folder, 'race.json', `{ "experiments": [${JSON.stringify(race)}] } // comments are welcome`)
  const started = await home.keywise('experiment', 'start', 'race.json')
  expect(started.stdout, started.stderr).toContain('race runs as version 1\n')
  expect(started.stdout).toContain('or the label experiment=race.')
  expect((await home.keywise('call', 'hi', '--model', 'experiment:race')).code).toBe(0)
  const [shown, exported] = await Promise.all([
    home.keywise('experiment', 'show', 'race'),
    home.keywise('experiment', 'export', 'race'),
  ])
  expect(shown.stdout).toMatch(
    /^race, version 1, running since 20.* UTC, by request\ntoo early to say anything; assigned \d and \d of shares 50 %\/50 %; reported 0 and 0\n/,
  )
  const lines = exported.stdout.trimEnd().split('\r\n')
  expect(lines[0]).toBe('experiment,version,variant,unit,metric,value,at,requestId,source,answeredBy')
  expect(lines.slice(1).map((line) => line.split(',')[4])).toEqual(expect.arrayContaining(['success', 'latency']))
  const stopped = await home.keywise('experiment', 'stop', 'race', '--keep', 'new', '--json')
  expect(JSON.parse(stopped.stdout)).toMatchObject({
    generatedAt: expect.stringMatching(/Z$/),
    experiments: [{ name: 'race', version: 1, state: 'stopped', kept: 'new' }],
  })
  const kept = await home.keywise('experiment', 'show', 'race')
  expect(kept.stdout).toContain('Note: all requests get new, because it was stopped with --keep\n')
  expect((await home.keywise('experiment', 'start', 'race')).stdout).toBe('race runs as version 1\n')
})

test('an invalid file, an unknown name and an unknown action are each reported in one sentence', async () => {
  const world = await openWorld({ providers: own('alpha', 1, ['m']) })
  const home = makeHome(world.config())
  put(home.folder, 'race.json', JSON.stringify({ ...race, holdout: 0.5 }))
  const [wrong, unknown, action] = await Promise.all([
    home.keywise('experiment', 'start', 'race.json'),
    home.keywise('experiment', 'show', 'rase'),
    home.keywise('experiment', 'begin', 'race.json'),
  ])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('add up to 1.5 instead of 1')])
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('unknown experiment "rase"')])
  expect([action.code, action.stderr]).toEqual([2, expect.stringContaining('"experiment" knows list, show, start')])
})
