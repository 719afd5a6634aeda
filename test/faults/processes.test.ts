/** What throws inside of one request fails that request and nothing else. */

import { expect, onTestFinished, test } from 'vitest'
import { DIALECTS } from '../support/askGateway.ts'
import { expectAnswer, openFaultWorld } from '../support/faults/faultWorld.ts'

const boom = () => {
  throw new Error('thrown on purpose')
}

test.each(DIALECTS)('F39 a listener that throws harms no request of %s', async (dialect) => {
  const world = await openFaultWorld({ dialect })
  const { events } = world.gateway.gateway.opened.engine
  for (const event of ['attempt', 'decision', 'exhausted', 'recovered', 'budget', 'alert'] as const)
    events.on(event, boom)
  for (const stream of [false, true]) expectAnswer(await world.ask(stream), 'primary/first-model#1=ok')
  expect(world.gateway.logged.join('\n')).toContain('thrown on purpose')
  expect(world.ledger()).toHaveLength(2)
})

/** What a request passes through; each is made to throw once. */
const HOOKS = {
  'the decision': (engine) => spoil(engine, 'decide'),
  'the reservation': (engine) => spoil(engine.learned.quota, 'reserve'),
  'the store': (engine) => spoil(engine.store, 'append'),
} as const satisfies Readonly<Record<string, (engine: Engine) => boolean>>
type Engine = Awaited<ReturnType<typeof openFaultWorld>>['gateway']['gateway']['opened']['engine']

test.each(
  Object.entries(HOOKS),
)('F39 an error in %s fails one request at most, in the shape of its protocol', async (_, breakIt) => {
  for (const dialect of DIALECTS) {
    const world = await openFaultWorld({ dialect })
    expect(breakIt(world.gateway.gateway.opened.engine)).toBe(true)
    const { status, text } = await world.ask(false)
    if (status !== 200) {
      expect(status).toBe(500)
      expect(JSON.parse(text)).toMatchObject({ error: { message: expect.stringContaining('keywise failed') } })
    }
    expect(text).not.toContain('thrown on purpose')
    expect((await world.ask(false)).status).toBe(200)
    expect((await world.ask(true)).status).toBe(200)
    await world.expectReleased()
  }
})

/** Throws at the next call of a method, and works again afterwards. False when there is no such method. */
function spoil(owner: object, name: string): boolean {
  const method: unknown = Reflect.get(owner, name)
  if (typeof method !== 'function') return false
  const restore = () => Reflect.deleteProperty(owner, name) || Reflect.set(owner, name, method)
  Reflect.set(owner, name, () => {
    restore()
    boom()
  })
  onTestFinished(() => void restore())
  return true
}
