/** Every official client over every dialect of upstream: plain, streamed, tools, thoughts, formats, pictures. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway, TOKEN } from '../support/gatewayWorld.ts'
import { clientNames, clientOf } from './all.ts'
import { PIXEL } from './driver.ts'
import { CLOCK, modelOf, REPLY, sdkScenario, UPSTREAMS, WEATHER } from './world.ts'

let world: GatewayWorld
beforeAll(async () => {
  world = await openGateway(sdkScenario())
})
afterAll(() => world.close())

const driverOf = (name: string) => clientOf(name, { origin: world.origin, token: TOKEN })
const CALLS = [
  { name: 'weather', arguments: WEATHER },
  { name: 'clock', arguments: CLOCK },
]

describe.each(clientNames)('%s', (name) => {
  describe.each(UPSTREAMS)('over an upstream that speaks %s', (upstream) => {
    test('is answered, with the tokens that were used', async () => {
      const said = await driverOf(name).plain(modelOf(upstream), 'Tell me a tale')
      expect(said).toEqual({ text: REPLY, outputTokens: Math.ceil(REPLY.length / 4) })
    })

    test('reads a stream to its end', async () => {
      const said = await driverOf(name).stream(modelOf(upstream))
      expect(said).toEqual({ text: REPLY, complete: true, outputTokens: Math.ceil(REPLY.length / 4) })
    })

    test('has two tools called at once, and its results understood', async () => {
      const { calls, answer } = await driverOf(name).tools(modelOf(upstream, 'calls'))
      expect(calls).toEqual(CALLS)
      expect(answer).toContain('The tool said: ')
    })

    test('has tools called over a stream', async () => {
      const streamed = driverOf(name).streamedTools
      if (streamed !== undefined) expect(await streamed(modelOf(upstream, 'calls'))).toEqual(CALLS)
    })

    test('sees what the model thought', async () => {
      const reasoning = driverOf(name).reasoning
      if (reasoning !== undefined) expect(await reasoning(modelOf(upstream, 'thinks'))).toContain('Let me think')
    })

    test('gets the shape it asked for', async () => {
      expect(await driverOf(name).structured(modelOf(upstream, 'shapes'))).toEqual({ city: 'text', warm: true })
    })

    test('shows a picture', async () => {
      world.fakes.forget()
      expect(await driverOf(name).image(modelOf(upstream))).toBe(REPLY)
      expect(JSON.stringify(world.fakes.calls.at(-1)?.body)).toContain(PIXEL)
    })
  })
})
