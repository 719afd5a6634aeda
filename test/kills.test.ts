/** kill -9 at any moment. `npm run bench -- kills` kills 200 times at random, and at every operation of a run. */

import { expect, test } from 'vitest'
import { killAtOperation, killAtRandom } from './support/kills/kills.ts'

test('no answer that a client has read is missing after a kill, and no call that was sent is untold', async () => {
  const result = await killAtRandom({
    gateways: 2,
    width: 8,
    killAfter: (gateway) => ({ answers: 10 + 50 * gateway, ms: 3 }),
  })
  expect(result).toMatchObject({ kills: 2, lost: [], untold: 0, isCounted: true })
  expect(result.answered).toBeGreaterThanOrEqual(70)
})

test('nor when it kills itself in the middle of a write', async () => {
  expect(await killAtOperation(20)).toMatchObject({ kills: 1, lost: [], untold: 0, isCounted: true })
})
