/** How the channels of alerts do, as people and programs see it: readiness, status, metrics, doctor. */

import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run as runDoctor } from '../src/cli/doctor/doctor.ts'
import { run as runStatus } from '../src/cli/status/status.ts'
import { BOT_TOKEN, CHAT_ID, type Double, startTelegram, startWebhook, unauthorized } from './support/alertDoubles.ts'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

interface Place {
  readonly world: GatewayWorld
  readonly bot: Double
  readonly hook: Double
  readonly store: string
  readonly alerts: object
  /** Makes everything fail, and waits until both channels were tried. */
  failAll(): Promise<void>
}

async function place(): Promise<Place> {
  const [bot, hook] = [await startTelegram(), await startWebhook()]
  const alerts = {
    telegram: { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin },
    webhook: { url: `${hook.origin}/hook` },
  }
  const store = join(temporaryFolder(), 'keywise.db')
  const world = await openGateway(
    { providers: { own: { models: { m: {} } } } },
    { store, settings: { alerts, timeouts: { patience_ms: 0 } } },
  )
  onTestFinished(() => world.close())
  return {
    world,
    bot,
    hook,
    store,
    alerts,
    async failAll() {
      world.fakes.fault('own', { do: 'server' })
      await world.ask('/v1/chat/completions', CHAT)
      const { monitor } = world.gateway.opened.engine
      while (bot.calls.length === 0 || hook.calls.length === 0) await monitor.alerts.deliver()
      await monitor.alerts.deliver()
    },
  }
}

const read = async (world: GatewayWorld, path: string, token: string | null) => {
  const response = await fetch(world.origin + path, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  })
  return { status: response.status, text: await response.text() }
}

/** Runs a command in this process on the same store. */
async function output(run: typeof runStatus, { store, alerts, world }: Place, options: object): Promise<string> {
  const folder = temporaryFolder()
  put(folder, 'config/api-keys.json', JSON.stringify({ ...world.fakes.config(), settings: { alerts } }))
  const written: string[] = []
  const stream = { write: (text: string) => void written.push(text) }
  const out = stream as unknown as NodeJS.WriteStream // of which the commands only write
  await run({ args: [], options: { store, ...options }, stdout: out, stderr: out, env: { NO_COLOR: '1' }, cwd: folder })
  return written.join('')
}

test('channels that work are no news', async () => {
  const one = await place()
  expect(await read(one.world, '/readyz', null)).toEqual({ status: 200, text: 'yes\n' })
  await one.failAll()
  expect(await read(one.world, '/readyz', null)).toEqual({ status: 200, text: 'yes\n' })
  expect(await output(runStatus, one, {})).toMatch(
    /Alerts: telegram works; last delivered \d\d:\d\d UTC\nAlerts: webhook works/,
  )
})

test('one that is off and one that rests are said everywhere, and readiness stays', async () => {
  const one = await place()
  one.bot.usual = unauthorized
  one.hook.usual = { status: 404 }
  await one.failAll()
  const ready = await read(one.world, '/readyz', null)
  expect(ready.status).toBe(200)
  expect(ready.text).toMatch(
    /^yes\nalerts: telegram is off since \d\d:\d\d UTC; "keywise status" says why\nalerts: webhook is resting since \d\d:\d\d UTC; "keywise status" says why\n$/,
  )
  const status = JSON.parse((await read(one.world, '/api/status', ADMIN_TOKEN)).text) as { alertChannels: object[] }
  expect(status.alertChannels).toMatchObject([
    { channel: 'telegram', state: 'off', failures: 1, reason: '401 Unauthorized', waiting: 1, lastDelivered: null },
    { channel: 'webhook', state: 'resting', reason: 'answered 404', retryAt: expect.any(String), undelivered: 0 },
  ])
  const alerts = JSON.parse((await read(one.world, '/api/alerts', ADMIN_TOKEN)).text) as { channelStates: object[] }
  expect(alerts.channelStates).toEqual(status.alertChannels)
  const metrics = (await read(one.world, '/metrics', TOKEN)).text
  expect(metrics).toContain('keywise_alert_channel_state{channel="telegram",state="off"} 1\n')
  expect(metrics).toContain('keywise_alert_channel_state{channel="webhook",state="resting"} 1\n')
  expect(metrics).toContain('keywise_alerts_waiting{channel="telegram"} 1\n')

  const shown = await output(runStatus, one, {})
  expect(shown).toMatch(
    /Alerts: telegram is off since .*: 401 Unauthorized; 1 alert waits; check settings.alerts.telegram.bot_token/,
  )
  expect(shown).toMatch(/Alerts: webhook rests until .* after 1 failure since .*: answered 404; \d alerts wait/)
  expect(shown + ready.text + metrics).not.toContain(BOT_TOKEN)

  one.bot.usual = 'ok'
  const doctor = await output(runDoctor, one, { alerts: true })
  expect(doctor).toMatch(/✅ alerts: telegram: sent; 1 alert that waited follows while keywise runs/)
  expect(doctor).toMatch(
    /❌ alerts: webhook: answered 404; check settings.alerts.webhook.url and its headers, if it stays so/,
  )
  expect(doctor).toMatch(/alerts: webhook rests until/)
  // The process that serves takes it up within a second.
  one.world.gateway.opened.engine.monitor.tick()
  await one.world.gateway.opened.engine.monitor.alerts.deliver()
  expect(one.bot.texts.filter((text) => text.startsWith('🔴'))).toHaveLength(1)
})
