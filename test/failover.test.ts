/**
 * The sixteen faults of the failover suite in simulated time: the same gateway, HTTP and checks as `npm run bench --
 * failover`, in which waits take no time.
 */

import { expect, test } from 'vitest'
import { FAILOVER_SCENARIOS, verdictOf } from './support/failover/scenarios.ts'
import { runFailover } from './support/failover/suite.ts'

/** The gateway moves on at once instead of asking the same target again; the suite advises the opposite. */
const MOVES_ON = new Set(['S01', 'S03'])

for (const { id, title } of FAILOVER_SCENARIOS)
  test(`${id} with the settings for failover: ${title}`, async () => {
    const { results } = await runFailover({ settings: 'best', only: [id], isSimulated: true })
    const told = results.map(({ verdict, missed }) => [verdict, missed])
    if (MOVES_ON.has(id)) expect(told).toEqual([['partial', expect.arrayContaining(['asked again'])]])
    else expect(told).toEqual([['pass', []]])
  })

for (const settings of ['best', 'defaults'] as const)
  test(`after an outage of a minute the primary is used again in time, whenever the requests come (${settings})`, async () => {
    const missed: number[] = []
    for (let seed = 1; seed <= 12; seed++) {
      const { results } = await runFailover({ settings, only: ['S15'], isSimulated: true, seed })
      if (results[0]!.verdict !== 'pass') missed.push(seed)
    }
    expect(missed).toEqual([])
  })

/** What breaks off after its first content cannot be taken back: only a rescue goes on with another target. */
const NEEDS_RESCUE = ['S08', 'S09', 'S10', 'S14']
/** A target of which nothing is known has a minute for its first token. */
const SLOW = 'S07'

test.each([
  { settings: 'defaults' as const, safe: NEEDS_RESCUE },
  { settings: 'rescue' as const, safe: [] },
])('with the settings "$settings" none fails, and what does not pass is known', async ({ settings, safe }) => {
  const { results, avoidable } = await runFailover({ settings, isSimulated: true })
  expect(avoidable.avoidable).toBe(0)
  const of = (verdict: string) => results.filter((one) => one.verdict === verdict).map(({ scenario }) => scenario.id)
  expect([of('fail'), of('safe'), of('partial')]).toEqual([[], safe, ['S01', 'S03', SLOW]])
})

test('verdictOf() takes a shortened answer and a hang for a fail, an honest error for safe', () => {
  const [scenario] = FAILOVER_SCENARIOS.filter(({ id }) => id === 'S05')
  const verdict = (outcome: 'answer' | 'cut' | 'error' | 'hang') =>
    verdictOf(scenario!, {
      heard: [{ outcome, ms: 1, model: null, hasUsage: true, hasBegun: false, error: null }],
      sentAt: [0],
      primary: [{ model: 'reset-once', at: 0, status: null }],
      fallback: [],
      fallbackModel: 'ok',
      isAlive: true,
    }).verdict
  expect([verdict('answer'), verdict('cut'), verdict('hang'), verdict('error')]).toEqual([
    'pass',
    'fail',
    'fail',
    'safe',
  ])
})
