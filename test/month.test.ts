/**
 * Half a day of the simulated month: refusals that strike a healthy target once must not keep it away. `npm run bench --
 * month` lives through the whole of it.
 */

import { expect, test } from 'vitest'
import { absenceText, liveMonth, tooLong } from './support/month/month.ts'
import { ONE_OFFS } from './support/month/refusals.ts'

const HOUR = 3_600_000

/** Of three languages, two models each. */
const TARGETS = 6

for (const group of ['edge', 'server', 'timeout', 'network', 'rate', 'request'] as const)
  test(`a target that was struck once is used again within a minute of being well: ${group}`, async () => {
    const only = ONE_OFFS.filter((refusal) => refusal.group === group).map(({ name }) => name)
    const absences = await liveMonth({ only, targets: TARGETS, everyMs: HOUR })
    expect(new Set(absences.map(({ refusal }) => refusal.name))).toEqual(new Set(only))
    expect(tooLong(absences).map(absenceText)).toEqual([])
  })

test('a target whose key, account or model was refused once is used again in the time of its class', async () => {
  const only = ONE_OFFS.filter(({ group, restMs }) => group === 'class' && restMs(0, 'openai') <= HOUR).map(
    ({ name }) => name,
  )
  const absences = await liveMonth({ only, targets: TARGETS, everyMs: 3 * HOUR })
  expect(new Set(absences.map(({ refusal }) => refusal.name))).toEqual(new Set(only))
  expect(tooLong(absences).map(absenceText)).toEqual([])
})
