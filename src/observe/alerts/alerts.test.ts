import { join } from 'node:path'
import { Agent } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  BOT_TOKEN,
  blocked,
  CHAT_ID,
  startTelegram,
  startWebhook,
  tooMany,
} from '../../../test/support/alertDoubles.ts'
import { temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { Secret } from '../../domain/redact.ts'
import type { Store } from '../../domain/store.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { openStore } from '../../store/open.ts'
import { ALERT_EVENTS, type Alert } from './alert.ts'
import { Alerts, EVERYTHING, type News } from './alerts.ts'
import type { Channel } from './channel.ts'
import { TELEGRAM_EVENTS, telegram } from './telegram.ts'
import { webhook } from './webhook.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

let dispatcher: Agent
let now: number
let deadlines: { readonly at: number; readonly controller: AbortController }[]
let lines: string[]
let told: Alert[]

beforeEach(() => {
  dispatcher = new Agent()
  now = NOON
  deadlines = []
  lines = []
  told = []
})
afterEach(() => dispatcher.destroy())

const tools = (id: string) => ({
  id,
  dispatcher,
  redact: (text: string) => text,
  now: () => now,
  userAgent: 'keywise/test',
  deadline,
})

/** A deadline of the tests' own clock: on the real one, a busy machine alone could make a send be repeated. */
function deadline(ms: number): AbortSignal {
  const controller = new AbortController()
  deadlines.push({ at: now + ms, controller })
  return controller.signal
}

function elapse(ms: number): void {
  now += ms
  for (const { at, controller } of deadlines) if (now >= at) controller.abort()
}

function toTelegram(apiRoot: string, events: readonly string[] = ALERT_EVENTS): Channel {
  const settings = {
    botToken: new Secret(BOT_TOKEN),
    chatId: CHAT_ID,
    apiRoot,
    events: new Set(events),
    backupAfterMs: null,
  }
  return telegram(settings, tools('telegram@1'))
}

function toWebhook(url: string, facts: { template?: string; secret?: Secret } = {}): Channel {
  return webhook(
    { url: new Secret(url), events: new Set(ALERT_EVENTS), backupAfterMs: null, ...facts },
    tools('webhook@1'),
  )
}

function desk(channels: readonly Channel[], store: Store = createMemoryStore()): Alerts {
  const say = (line: string) => void lines.push(line)
  const alerts = new Alerts({
    store,
    now: () => now,
    random: () => 0.5,
    logger: { info: say, warn: say, error: say },
    redact: (text) => text,
    emit: (alert) => void told.push(alert),
    witness: () => ({ attest: ({ alert }) => alert, isConfigured: () => true, everythingFails: false }),
  })
  alerts.use(channels)
  return alerts
}

const news = (facts: Partial<News> = {}): News => ({
  event: 'key_revoked',
  subject: 'groq#1',
  since: now,
  what: 'groq key 1 is refused',
  why: null,
  works: '3 of 4 targets (google)',
  returnsAt: null,
  returns: null,
  advice: 'replace it',
  ...facts,
})
const everything = (facts: Partial<News> = {}) =>
  news({ event: 'all_failed', subject: EVERYTHING, what: 'Everything fails', ...facts })
const recovered = () => news({ event: 'recovered', subject: EVERYTHING, what: 'answered again' })

/** Delivers what is due, advances the clock by `ms`, and delivers what is due then. */
async function pass(alerts: Alerts, ms: number): Promise<void> {
  await alerts.deliver()
  elapse(ms)
  await alerts.deliver()
}

describe('an alert', () => {
  test('states what happened, since when, what works, when it is expected back, and one thing to do', async () => {
    const bot = await startTelegram()
    const alerts = desk([toTelegram(bot.origin)])
    alerts.raise(
      'x',
      everything({ returnsAt: NOON + HOUR, returns: 'next reset 13:00 UTC (google)', why: 'groq: server errors' }),
    )
    await alerts.deliver()
    expect(bot.texts).toEqual([
      [
        '🔴 Everything fails',
        'Since: 12:00 UTC',
        'Why: groq: server errors',
        'Still works: 3 of 4 targets (google)',
        'Expected back: next reset 13:00 UTC (google)',
        'To do: replace it',
      ].join('\n'),
    ])
    expect(bot.wrong).toEqual([])
  })

  test('is sent once while the incident lasts, and again when it recurs', async () => {
    const bot = await startTelegram()
    const alerts = desk([toTelegram(bot.origin)])
    expect(alerts.raise('key:a', news())).toBe(true)
    expect(alerts.raise('key:a', news())).toBe(false)
    await pass(alerts, 3 * SECOND)
    expect(alerts.end('key:a')).toBe(true)
    expect(alerts.end('key:a')).toBe(false)
    now += MINUTE
    expect(alerts.raise('key:a', news())).toBe(true)
    await pass(alerts, 3 * SECOND)
    expect(bot.texts).toHaveLength(2)
  })

  test('that flaps is sent three times an hour, and the third says so', async () => {
    const bot = await startTelegram()
    const alerts = desk([toTelegram(bot.origin)])
    for (let turn = 0; turn < 6; turn++) {
      alerts.raise('all', everything())
      await pass(alerts, MINUTE)
      alerts.end('all', recovered())
      await pass(alerts, MINUTE)
    }
    expect(bot.texts.filter((text) => text.includes('fails'))).toHaveLength(3)
    expect(bot.texts.filter((text) => text.includes('answered'))).toHaveLength(3)
    expect(bot.texts[4]).toContain('not reported again before 13:00 UTC')
    now += HOUR
    alerts.raise('all', everything())
    await alerts.deliver()
    expect(bot.texts).toHaveLength(7)
  })

  test('for a budget may recur when its period is over', () => {
    const alerts = desk([])
    expect(alerts.raise('b', news({ event: 'budget', until: NOON + HOUR }))).toBe(true)
    now += HOUR - 1
    expect(alerts.raise('b', news({ event: 'budget', until: NOON + 2 * HOUR }))).toBe(false)
    now += 1
    expect(alerts.raise('b', news({ event: 'budget', until: NOON + 2 * HOUR }))).toBe(true)
  })

  test('reaches only the channels that subscribe to it; a leaked key comes with revoked ones', async () => {
    const bot = await startTelegram()
    const alerts = desk([toTelegram(bot.origin, TELEGRAM_EVENTS)])
    alerts.raise('a', news({ event: 'provider_down' }))
    alerts.raise('b', news({ event: 'no_credit' }))
    alerts.raise('c', news({ event: 'key_leaked', what: 'leaked' }))
    await pass(alerts, MINUTE)
    expect(bot.texts).toHaveLength(1)
    expect(bot.texts[0]).toContain('leaked')
    expect(told.map((alert) => alert.event)).toEqual(['provider_down', 'no_credit', 'key_leaked'])
  })
})

describe('what was muted and lasts', () => {
  for (const event of ['no_credit', 'credit_low', 'store_degraded', 'model_retired', 'budget', 'key_leaked'] as const)
    test(`is told once when it does, also as ${event}`, async () => {
      const bot = await startTelegram()
      const alerts = desk([toTelegram(bot.origin)])
      for (let turn = 0; turn < 4; turn++) {
        alerts.raise('one', news({ event, until: NOON + 24 * HOUR }))
        await pass(alerts, MINUTE)
        if (turn < 3) alerts.end('one')
        await pass(alerts, MINUTE)
      }
      expect(bot.texts).toHaveLength(3)
      for (let minute = 0; minute < 120; minute++) {
        elapse(MINUTE)
        alerts.tick()
        await alerts.deliver()
      }
      expect(bot.texts).toHaveLength(4)
      expect(bot.texts[3]).toContain('Flapping: it came and went 3 times since 12:00 UTC')
    })
})

test('an end that comes while its beginning is held back comes after it', async () => {
  const hook = await startWebhook()
  const alerts = desk([toWebhook(hook.origin)])
  alerts.raise('key:a', news())
  alerts.end('key:a', news({ event: 'key_back', what: 'groq key 1 works again' }))
  await pass(alerts, SECOND)
  await pass(alerts, 5 * SECOND)
  expect(hook.calls.map(({ headers }) => headers['x-keywise-event'])).toEqual(['key_revoked', 'key_back'])
})

describe('while everything fails', () => {
  test('queued and later alerts fold into the one alert', async () => {
    const bot = await startTelegram()
    const alerts = desk([toTelegram(bot.origin)])
    alerts.raise('provider:groq', news({ event: 'provider_down' }))
    alerts.raise('key:google', news())
    alerts.raise('all', everything())
    alerts.raise('provider:google', news({ event: 'provider_down' }), true)
    await pass(alerts, MINUTE)
    expect(bot.texts).toHaveLength(1)
    expect(bot.texts[0]).toContain('Everything fails')
    expect(alerts.list().map(({ incident }) => incident.told)).toEqual(expect.arrayContaining(['told', 'folded']))
    alerts.end('provider:google', news({ event: 'provider_back' }))
    alerts.end('all', recovered())
    await pass(alerts, MINUTE)
    expect(bot.texts).toHaveLength(2)
    expect(bot.texts[1]).toContain('answered again')
  })

  test('what another process has just queued folds too, and is told after it', async () => {
    const [bot, store] = [await startTelegram(), createMemoryStore()]
    const [first, second] = [desk([toTelegram(bot.origin)], store), desk([toTelegram(bot.origin)], store)]
    first.raise('key:groq', news())
    second.raise('all', everything())
    await pass(second, MINUTE)
    second.end('all', recovered())
    for (let turn = 0; turn < 90; turn++) {
      first.tick()
      await pass(first, SECOND)
    }
    expect(bot.texts.map((text) => text.split('\n')[0])).toEqual([
      '🔴 Everything fails',
      '🟢 answered again',
      '🔑 groq key 1 is refused',
    ])
  })

  test('that another process saw, its parts fold here too', async () => {
    const [hook, store] = [await startWebhook(), createMemoryStore()]
    const [first, second] = [desk([toWebhook(hook.origin)], store), desk([toWebhook(hook.origin)], store)]
    first.raise('all', everything())
    await first.deliver()
    second.raise('provider:groq', news({ event: 'provider_down' }))
    await pass(second, MINUTE)
    expect(hook.calls.map(({ headers }) => headers['x-keywise-event'])).toEqual(['all_failed'])
  })

  test('a provider that recovers within seconds is never reported', async () => {
    const hook = await startWebhook()
    const alerts = desk([toWebhook(hook.origin)])
    alerts.raise('provider:groq', news({ event: 'provider_down' }))
    await pass(alerts, 5 * SECOND)
    alerts.end('provider:groq', news({ event: 'provider_back' }))
    await pass(alerts, MINUTE)
    expect(hook.calls).toEqual([])
  })
})

describe('the outbox', () => {
  test('keeps an alert across a restart and sends it once', async () => {
    const bot = await startTelegram()
    const path = join(temporaryFolder(), 'keywise.db')
    const options = { now: () => now, warn: (line: string) => void lines.push(line) }
    bot.moods = [{ status: 502 }]
    const before = openStore(path, options)
    const first = desk([toTelegram(bot.origin)], before)
    first.raise('all', everything())
    await first.deliver()
    await first.close(0)
    await before.close()
    expect(bot.texts).toEqual([])

    now += MINUTE
    const after = openStore(path, options)
    const second = desk([toTelegram(bot.origin)], after)
    expect(second.find('all')).toBeDefined()
    await second.deliver()
    await pass(second, MINUTE)
    await second.close(0)
    await after.close()
    expect(bot.texts).toHaveLength(1)
    expect(bot.wrong).toEqual([])
  })

  test('shared by several processes sends each alert once', async () => {
    const bot = await startTelegram()
    const store = createMemoryStore()
    const desks = [1, 2, 3].map(() => desk([toTelegram(bot.origin)], store))
    expect(desks.map((one) => one.raise('all', everything())).filter(Boolean)).toHaveLength(1)
    await Promise.all(desks.map((one) => one.deliver()))
    for (const one of desks) await pass(one, 10 * SECOND)
    expect(bot.texts).toHaveLength(1)
    for (const one of desks) one.sync()
    expect(desks.map((one) => one.end('all', recovered())).filter(Boolean)).toHaveLength(1)
    for (const one of desks) await pass(one, 10 * SECOND)
    expect(bot.texts).toHaveLength(2)
    expect(desks[1]!.tick()).toEqual([])
  })

  test('ignores the claim of a process that was killed while sending, once it has expired', async () => {
    const bot = await startTelegram()
    const store = createMemoryStore()
    const alerts = desk([toTelegram(bot.origin)], store)
    store.setDoc('alert-channels', 'telegram@1', {
      claim: 'dead',
      claimUntil: NOON + 30 * SECOND,
      tokens: 5,
      tokensAt: NOON,
    })
    alerts.raise('all', everything())
    await pass(alerts, 10 * SECOND)
    expect(bot.calls).toHaveLength(0)
    await pass(alerts, 20 * SECOND)
    expect(bot.texts).toHaveLength(1)
  })

  test('waits as long as Telegram requests', async () => {
    const bot = await startTelegram()
    bot.moods = [tooMany(40)]
    const alerts = desk([toTelegram(bot.origin)])
    alerts.raise('all', everything())
    await alerts.deliver()
    await pass(alerts, 39 * SECOND)
    expect(bot.calls).toHaveLength(1)
    await pass(alerts, SECOND)
    expect(bot.texts).toHaveLength(1)
  })

  test('retries a channel that fails or hangs with increasing delays, and logs it once', async () => {
    const bot = await startTelegram()
    bot.moods = ['hang', { status: 500 }, { status: 500 }]
    bot.onHang = () => elapse(30 * SECOND)
    const alerts = desk([toTelegram(bot.origin)])
    alerts.raise('all', everything())
    await alerts.deliver()
    const callsAfter = async (ms: number) => {
      await pass(alerts, ms)
      return bot.calls.length
    }
    expect(await callsAfter(4 * SECOND)).toBe(1)
    expect(await callsAfter(SECOND)).toBe(2)
    expect(await callsAfter(9 * SECOND)).toBe(2)
    expect(await callsAfter(SECOND)).toBe(3)
    expect(await callsAfter(20 * SECOND)).toBe(4)
    expect(bot.texts).toHaveLength(1)
    expect(lines.filter((line) => line.includes('retried'))).toHaveLength(1)
    expect(lines.at(-1)).toContain('works again')
  })

  test('for a blocked bot logs the block once, and sends what waits when a test gets through', async () => {
    const bot = await startTelegram()
    bot.usual = blocked
    const alerts = desk([toTelegram(bot.origin)])
    alerts.raise('all', everything())
    await alerts.deliver()
    alerts.raise('key:a', news())
    alerts.raise('key:b', news())
    for (let turn = 0; turn < 12; turn++) await pass(alerts, HOUR)
    expect(bot.calls.length).toBeLessThan(20)
    expect(lines).toEqual([expect.stringMatching(/blocked by the user.*unblock the bot.*its alerts wait/)])
    bot.usual = 'ok'
    const [sent] = await alerts.test(news())
    expect(sent?.delivery.ok).toBe(true)
    await pass(alerts, SECOND)
    expect(bot.texts).toHaveLength(2)
    expect(bot.texts[1]).toMatch(/^🔴 Everything fails[\s\S]*groq key 1[\s\S]*groq key 1/)
  })

  test('batches what queued up while a channel was unavailable into messages the Bot API accepts', async () => {
    const bot = await startTelegram()
    bot.moods = [tooMany(60)]
    const alerts = desk([toTelegram(bot.origin)])
    for (let key = 0; key < 30; key++) alerts.raise(`key:${key}`, news({ what: `key ${key} ${'x'.repeat(250)}` }))
    await pass(alerts, 3 * SECOND)
    for (let turn = 0; turn < 5; turn++) await pass(alerts, MINUTE)
    expect(bot.wrong).toEqual([])
    expect(bot.texts.length).toBeLessThan(5)
    for (let key = 0; key < 30; key++) expect(bot.texts.join()).toContain(`key ${key} `)
  })

  test('sends at most a burst, then one message a minute', async () => {
    const hook = await startWebhook()
    const alerts = desk([toWebhook(hook.origin)])
    for (let key = 0; key < 40; key++) alerts.raise(`key:${key}`, news())
    for (let second = 0; second < 60; second++) await pass(alerts, SECOND)
    expect(hook.calls).toHaveLength(10)
    for (let minute = 0; minute < 5; minute++) await pass(alerts, MINUTE)
    expect(hook.calls).toHaveLength(15)
  })

  test('discards what is a day old', async () => {
    const bot = await startTelegram()
    bot.usual = { status: 500 }
    const alerts = desk([toTelegram(bot.origin)])
    alerts.raise('all', everything())
    await alerts.deliver()
    bot.usual = 'ok'
    await pass(alerts, 25 * HOUR)
    expect(bot.texts).toEqual([])
  })

  test('drops a message refused for its contents and continues with the next', async () => {
    const hook = await startWebhook()
    hook.moods = [{ status: 422 }]
    const alerts = desk([toWebhook(hook.origin)])
    alerts.raise('a', everything())
    alerts.raise('b', news())
    await alerts.deliver()
    await pass(alerts, 5 * SECOND)
    expect(hook.texts).toHaveLength(1)
  })

  test('never reveals the token or the address, whatever happens', async () => {
    const bot = await startTelegram()
    const store = createMemoryStore()
    const path = `/hook/${'canary'.repeat(4)}`
    const dead = toWebhook(`http://127.0.0.1:1${path}`)
    const alerts = desk([toTelegram(bot.origin), dead], store)
    bot.moods = ['hang', { status: 500 }, blocked]
    bot.onHang = () => elapse(30 * SECOND)
    for (let turn = 0; turn < 6; turn++) {
      alerts.raise(`key:${turn}`, news())
      await pass(alerts, 10 * MINUTE)
    }
    const sent = await alerts.test(news())
    const written = JSON.stringify([
      lines,
      told,
      sent.map(({ channel, delivery }) => [channel.id, delivery]),
      ['alerts', 'alert-outbox', 'alert-channels'].map((place) => store.listDocs(place)),
    ])
    expect(written).not.toContain(BOT_TOKEN)
    expect(written).not.toContain('canary')
    expect(lines.length).toBeGreaterThan(0)
  })
})
