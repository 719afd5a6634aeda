/** What fuzzing found in whole requests: bodies that were answered with status 500. */

import { expect, test } from 'vitest'
import { openGateway } from '../support/gatewayWorld.ts'
import { own } from '../support/lab.ts'

test('a tool whose type is an object is not read by what the object brought along', async () => {
  await using world = await openGateway({ providers: own('claude', 1, ['m'], { dialect: 'anthropic', strict: false }) })
  const body = {
    model: 'm',
    max_tokens: 5,
    messages: [{ role: 'user', content: 'Hi' }],
    tools: [{ type: { toString: 1 } }],
  }
  expect((await world.ask('/v1/messages', body)).status).toBe(200)
  expect(world.logged.filter((line) => line.includes('TypeError'))).toEqual([])
})
