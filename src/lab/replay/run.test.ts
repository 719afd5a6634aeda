import { expect, test } from 'vitest'
import { replayOnce } from './replay.ts'
import { contender } from './scenarios.ts'
import { type ReplayScenario, ReplayWorld } from './world.ts'

const START = Date.UTC(2026, 8, 7)
const MINUTE = 60_000

/** Two targets of one try each: the first never works, the second as told. */
function scenarioWith(works: (at: number) => number): ReplayScenario {
  const target = (provider: string, twist: (at: number) => number) =>
    contender({ provider, model: 'm', conditions: {} }, { since: START, twist: (at) => ({ works: twist(at) }) })
  return {
    name: 'two',
    from: START,
    until: START + 100 * MINUTE,
    contenders: [target('one', () => 0), target('two', works)],
    arrivals: () => Array.from({ length: 100 }, (_, place) => ({ at: START + place * MINUTE, tokens: 0, task: null })),
  }
}

test('requests that fail while every target is down are not avoidable errors', () => {
  const { avoidable } = replayOnce(
    scenarioWith((at) => (at < START + 50 * MINUTE ? 0 : 1)),
    'static-order',
    1,
  )
  expect(avoidable).toEqual({ requests: 100, failed: 50, avoidable: 0 })
})

test('a request that fails although a target would have answered at the moment of a try is an avoidable error', () => {
  // Well only while the first target is being tried, down when its own turn comes.
  const works = (at: number) => ((at - START) % MINUTE < 1000 ? 1 : 0)
  const { avoidable } = replayOnce(scenarioWith(works), 'static-order', 1)
  expect(avoidable).toEqual({ requests: 100, failed: 100, avoidable: 100 })
})

test('wouldAnswer() tells beforehand what becomes of a call, and uses up no quota', () => {
  const scenario = scenarioWith(() => 0.5)
  const limited = { ...scenario.contenders[1]!, dailyLimit: () => 20 }
  const world = new ReplayWorld({ ...scenario, contenders: [scenario.contenders[0]!, limited] }, 1)
  for (let number = 0; number < 100; number++) {
    const at = START + number * MINUTE
    const foretold = world.wouldAnswer(number, 1, at) && world.wouldAnswer(number, 1, at)
    expect(world.fate(number, 1, { at, tokens: 0 }).failure === null).toBe(foretold)
  }
})
