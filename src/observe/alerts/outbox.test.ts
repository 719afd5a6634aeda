/** How alerts reach channels that fail, refuse, rest, move, end and come back. */

import { Agent } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  BOT_TOKEN,
  blocked,
  CHAT_ID,
  type Double,
  type Mood,
  startDiscord,
  startSlack,
  startTelegram,
  startWebhook,
  tooMany,
  unauthorized,
} from '../../../test/support/alertDoubles.ts'
import { Secret } from '../../domain/redact.ts'
import type { Store } from '../../domain/store.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { ALERT_EVENTS, type Alert } from './alert.ts'
import { Alerts, type News } from './alerts.ts'
import type { Channel } from './channel.ts'
import { healthText } from './channelHealth.ts'
import { Outbox } from './outbox.ts'
import { telegram } from './telegram.ts'
import { webhook } from './webhook.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let dispatcher: Agent
let now: number
let deadlines: { readonly at: number; readonly controller: AbortController }[]
let lines: string[]

beforeEach(() => {
  dispatcher = new Agent()
  now = NOON
  deadlines = []
  lines = []
})
afterEach(() => dispatcher.destroy())

function deadline(ms: number): AbortSignal {
  const controller = new AbortController()
  deadlines.push({ at: now + ms, controller })
  return controller.signal
}

function elapse(ms: number): void {
  now += ms
  for (const { at, controller } of deadlines) if (now >= at) controller.abort()
}

const redact = (text: string) => text
const tools = (id: string) => ({ id, dispatcher, redact, now: () => now, userAgent: 'keywise/test', deadline })
const events = new Set<string>(ALERT_EVENTS)

interface Facts {
  readonly id?: string
  readonly backupAfterMs?: number
  readonly botToken?: string
  readonly template?: string
  readonly only?: readonly string[]
}

function toTelegram(
  bot: Double,
  { id = 'telegram@1', botToken = BOT_TOKEN, backupAfterMs, only }: Facts = {},
): Channel {
  const waits = backupAfterMs ?? null
  const subscribed = only === undefined ? events : new Set(only)
  const settings = { botToken: new Secret(botToken), chatId: CHAT_ID, apiRoot: bot.origin, backupAfterMs: waits }
  return telegram({ ...settings, events: subscribed }, tools(id))
}

function toWebhook(hook: Double, { id = 'webhook@1', backupAfterMs, template }: Facts = {}): Channel {
  const url = new Secret(`${hook.origin}/hook`)
  return webhook({ url, events, template, backupAfterMs: backupAfterMs ?? null }, tools(id))
}

function desk(channels: readonly Channel[], store: Store = createMemoryStore(), home: string | null = null): Alerts {
  const say = (line: string) => void lines.push(line)
  const logger = { info: say, warn: say, error: say }
  const alerts = new Alerts({ store, now: () => now, random: () => 0.5, logger, redact, emit: () => {} })
  alerts.use(channels, home)
  return alerts
}

const news = (what: string, facts: Partial<News> = {}): News => ({
  event: 'budget',
  subject: what,
  since: now,
  what,
  why: null,
  works: null,
  returnsAt: null,
  returns: null,
  advice: null,
  ...facts,
})

/** Raises an alert with that text. */
const raise = (alerts: Alerts, what: string, facts: Partial<News> = {}) => alerts.raise(what, news(what, facts))

/** So much time passes, with a look at the outbox every ten seconds, or a hundred looks. */
async function passes(ms: number, ...desks: readonly Pick<Alerts, 'deliver'>[]): Promise<void> {
  for (const one of desks) await one.deliver()
  const step = Math.max(10 * SECOND, ms / 100)
  for (let left = ms; left > 0; left -= step) {
    elapse(Math.min(left, step))
    for (const one of desks) await one.deliver()
  }
}

/** The first lines of the alerts in the messages that were taken, and their notes. */
const heard = (double: Double): readonly (readonly string[])[] => double.texts.map((text) => firstLines(textIn(text)))
const firstLines = (text: string) => text.split('\n\n').map((part) => part.split('\n')[0] ?? '')

function textIn(body: string): string {
  try {
    return String((JSON.parse(body) as { text: string }).text)
  } catch {
    return body
  }
}

const page = '<html><body>nginx</body></html>'
const blips: readonly { name: string; mood: Mood }[] = [
  { name: 'a 404', mood: { status: 404 } },
  { name: 'a 404 page', mood: { status: 404, page } },
  { name: 'a 401', mood: { status: 401 } },
  { name: 'a 403', mood: { status: 403 } },
  { name: 'a 403 page', mood: { status: 403, page } },
  { name: 'a 405', mood: { status: 405 } },
  { name: 'a 407', mood: { status: 407 } },
  { name: 'a 400 page', mood: { status: 400, page } },
  { name: 'a redirect', mood: { status: 302, location: 'http://portal.invalid/' } },
  { name: 'a permanent redirect', mood: { status: 308, location: 'https://other.invalid/' } },
  { name: 'a 503', mood: { status: 503 } },
  { name: 'a broken connection', mood: 'broken' },
]
for (const { name, mood } of blips) {
  test(`${name} ends no channel: what waits goes out in order, once`, async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    for (const double of [bot, hook]) double.usual = mood
    const alerts = desk([toTelegram(bot), toWebhook(hook)])
    raise(alerts, 'one')
    await passes(2 * MINUTE, alerts)
    raise(alerts, 'two')
    await passes(2 * MINUTE, alerts)
    for (const double of [bot, hook]) double.usual = 'ok'
    await passes(10 * MINUTE, alerts)
    raise(alerts, 'three')
    await passes(MINUTE, alerts)
    // What breaks off behind a good answer has arrived.
    const expected = mood === 'broken' ? ['💰 three'] : ['💰 one', '💰 two', '💰 three']
    expect(heard(bot).flat()).toEqual(expected)
    expect(heard(hook).flat()).toEqual(expected)
  })
}

test('an alert that a receiver refuses with a page keeps no other one waiting, and is sent short', async () => {
  const hook = await startWebhook()
  hook.refuses = ({ text }) =>
    text.includes('über') ? { status: 400, page: '<!doctype html><pre>Bad Request</pre>' } : null
  const alerts = desk([toWebhook(hook)])
  raise(alerts, 'das über')
  await passes(MINUTE, alerts)
  raise(alerts, 'two')
  await passes(10 * MINUTE, alerts)
  expect(heard(hook).flat()).toEqual(['keywise alert: budget (das uber). das uber. Since 12:00 UTC.', '💰 two'])
})

describe('a channel that is off by its service’s own word', () => {
  const words: readonly { name: string; mood: Mood; of: 'telegram' | 'webhook' }[] = [
    { name: '401 of Telegram', mood: unauthorized, of: 'telegram' },
    { name: '410', mood: { status: 410 }, of: 'webhook' },
    { name: 'no_service of Slack', mood: { status: 404, text: 'no_service' }, of: 'webhook' },
    { name: 'Unknown Webhook of Discord', mood: { status: 404, body: { message: 'x', code: 10015 } }, of: 'webhook' },
  ]
  for (const { name, mood, of } of words) {
    test(`(${name}) is said once by the other one, tried daily, and told when it is back`, async () => {
      const [bot, hook] = [await startTelegram(), await startWebhook()]
      const [sick, well] = of === 'telegram' ? [bot, hook] : [hook, bot]
      sick.usual = mood
      const alerts = desk([toTelegram(bot, { only: ['budget'] }), toWebhook(hook)])
      raise(alerts, 'one')
      await passes(5 * MINUTE, alerts)
      raise(alerts, 'two')
      await passes(HOUR, alerts)
      expect(sick.calls).toHaveLength(1)
      expect(heard(well).flat()).toEqual(['💰 one', `📪 No alert is delivered by ${of} any more`, '💰 two'])
      expect(alerts.health().find((one) => one.name === of)).toMatchObject({ state: 'off', waiting: 2, since: NOON })

      sick.usual = 'ok'
      await passes(DAY - HOUR - 6 * MINUTE, alerts)
      expect(sick.texts).toEqual([])
      await passes(2 * MINUTE, alerts)
      expect(heard(sick).flat()).toContain('💰 two')
      expect(heard(well).flat().slice(3)).toEqual([`📬 Alerts are delivered by ${of} again`])
      expect(alerts.health().every(({ state }) => state === 'ok')).toBe(true)
    })
  }

  test('is tried at once by another process, and by a new address', async () => {
    const [bot, store] = [await startTelegram(), createMemoryStore()]
    bot.usual = unauthorized
    const first = desk([toTelegram(bot)], store, '/a/keys.json')
    raise(first, 'one')
    await passes(MINUTE, first)
    await first.close(0)
    const second = desk([toTelegram(bot)], store, '/a/keys.json')
    await passes(MINUTE, second)
    expect(bot.calls).toHaveLength(2)
    bot.usual = 'ok'
    // The same configuration with another token, after a restart: what waited waits for the new channel.
    await second.close(0)
    const third = desk([toTelegram(bot, { id: 'telegram@2' })], store, '/a/keys.json')
    await passes(MINUTE, third)
    expect(heard(bot)).toEqual([['💰 one']])
    expect(raise(third, 'one')).toBe(false)
    // Another configuration on the store has other people to tell.
    const other = desk([toTelegram(bot, { id: 'telegram@3' })], store, '/b/keys.json')
    await passes(MINUTE, other)
    expect(bot.texts).toHaveLength(1)
    expect(raise(other, 'one')).toBe(true)
  })

  test('by the word of an earlier version is not off, and is told what goes on', async () => {
    const [bot, hook, store] = [await startTelegram(), await startWebhook(), createMemoryStore()]
    const home = '/a/keys.json'
    const first = desk([toTelegram(bot), toWebhook(hook)], store, home)
    raise(first, 'one')
    await passes(MINUTE, first)
    await first.close(0)
    store.setDoc('alert-channels', 'telegram@1', { claim: null, claimUntil: 0, nextAt: 0, failures: 0, off: true })
    const second = desk([toTelegram(bot), toWebhook(hook)], store, home)
    expect(second.health()).toMatchObject([{ state: 'ok', waiting: 1 }, { state: 'ok' }])
    await passes(MINUTE, second, desk([toTelegram(bot), toWebhook(hook)], store, home))
    expect(heard(bot).flat()).toEqual(['💰 one', '💰 one'])
    expect(heard(hook).flat()).toEqual(['💰 one'])
  })

  test('is tried at once with edited settings, while it runs', async () => {
    const bot = await startTelegram()
    const alerts = desk([toTelegram(bot, { id: 'telegram@0', botToken: `${BOT_TOKEN}0` })])
    raise(alerts, 'one')
    await passes(MINUTE, alerts)
    expect(alerts.health()).toMatchObject([{ state: 'off', waiting: 1 }])
    alerts.use([toTelegram(bot)])
    await passes(SECOND, alerts)
    expect(heard(bot)).toEqual([['💰 one']])
    expect(raise(alerts, 'one')).toBe(false)
  })
})

test('a bot that stays blocked is said by the other channel, and not for a first refusal', async () => {
  const [bot, hook] = [await startTelegram(), await startWebhook()]
  bot.moods = [blocked]
  const alerts = desk([toTelegram(bot), toWebhook(hook)])
  raise(alerts, 'one')
  await passes(MINUTE, alerts)
  expect(heard(hook).flat()).toEqual(['💰 one'])
  bot.usual = blocked
  raise(alerts, 'two')
  await passes(3 * HOUR, alerts)
  expect(heard(hook).flat()).toEqual(['💰 one', '💰 two', '📪 No alert is delivered by telegram'])
  expect(healthText(alerts.health()[0]!, now)).toMatch(
    /^telegram rests until \d\d:\d\d UTC after \d+ failures since 12:01 UTC: 403 Forbidden: bot was blocked by the user; 1 alert waits; last delivered 12:00 UTC$/,
  )
  bot.usual = 'ok'
  await passes(HOUR + MINUTE, alerts)
  expect(heard(bot).flat()).toEqual(['💰 one', '💰 two'])
  expect(heard(hook).flat().slice(3)).toEqual(['📬 Alerts are delivered by telegram again'])
})

test('a wait that the service asked for is kept, also by a process that starts', async () => {
  const [bot, store] = [await startTelegram(), createMemoryStore()]
  bot.moods = [tooMany(600)]
  const first = desk([toTelegram(bot)], store)
  raise(first, 'one')
  await passes(MINUTE, first)
  await first.close(0)
  const second = desk([toTelegram(bot)], store)
  await passes(8 * MINUTE, second)
  expect(bot.calls).toHaveLength(1)
  await passes(2 * MINUTE, second)
  expect(heard(bot)).toEqual([['💰 one']])
})

test('a group that moved gets its alerts in the new chat, and its person is told what to set', async () => {
  const bot = await startTelegram({ movedTo: -1009999 })
  const alerts = desk([toTelegram(bot)])
  raise(alerts, 'one')
  await passes(MINUTE, alerts)
  raise(alerts, 'two')
  await passes(MINUTE, alerts)
  expect(heard(bot)).toEqual([['💰 one'], ['💰 two']])
  expect(bot.calls).toHaveLength(3)
  const said = 'the group has moved: set settings.alerts.telegram.chat_id to -1009999'
  expect(lines).toEqual([`alerts by telegram: ${said}`])
  expect(alerts.health()).toMatchObject([{ state: 'ok', advice: said }])
})

describe('a message refused for its contents', () => {
  const unreadable: Mood = { status: 400, body: { ok: false, error_code: 400, description: 'Bad Request: who knows' } }

  test('is sent once more, plain and short', async () => {
    const bot = await startTelegram()
    bot.moods = [unreadable]
    const alerts = desk([toTelegram(bot)])
    raise(alerts, 'Límite “diario” 🔴 agotado'.padEnd(500, '…'), { subject: 'añadido' })
    await passes(10 * SECOND, alerts)
    expect(bot.calls).toHaveLength(2)
    const [text = ''] = bot.texts
    expect(text).toMatch(/^keywise alert: budget \(anadido\)\. Limite \?diario\? \? agotado.*\. Since 12:00 UTC\.$/)
    expect(text).toMatch(/^[\x20-\x7e]{1,300}$/)
  })

  test('is given up when that is refused too, which the log and the next message say', async () => {
    const bot = await startTelegram()
    bot.moods = [unreadable, unreadable]
    const alerts = desk([toTelegram(bot)])
    raise(alerts, 'one')
    await passes(10 * SECOND, alerts)
    expect(alerts.health()).toMatchObject([{ state: 'ok', undelivered: 1, waiting: 0 }])
    expect(lines).toEqual([
      'alerts by telegram: budget (one) of 12:00 UTC is not sent there: 400 Bad Request: who knows, also in a plain short form',
    ])
    raise(alerts, 'two')
    await passes(10 * SECOND, alerts)
    raise(alerts, 'three')
    await passes(10 * SECOND, alerts)
    expect(heard(bot)).toEqual([['1 alert of 12:00 UTC could not be delivered here.', '💰 two'], ['💰 three']])
  })

  test('among others loses none of them', async () => {
    const bot = await startTelegram()
    bot.moods = [tooMany(30), unreadable, 'ok', unreadable, unreadable]
    const alerts = desk([toTelegram(bot)])
    for (const what of ['one', 'two', 'three']) raise(alerts, what)
    await passes(2 * MINUTE, alerts)
    expect(heard(bot)).toEqual([['💰 one'], ['1 alert of 12:00 UTC could not be delivered here.', '💰 three']])
  })

  test('by a channel that takes nothing at all waits, except the first', async () => {
    const hook = await startWebhook()
    hook.usual = { status: 400, body: { error: 'bad' } }
    const alerts = desk([toWebhook(hook)])
    for (const what of ['one', 'two', 'three']) raise(alerts, what)
    await passes(30 * MINUTE, alerts)
    expect(alerts.health()).toMatchObject([{ state: 'resting', waiting: 2, undelivered: 1 }])
    expect(hook.calls.length).toBeLessThan(20)
    hook.usual = 'ok'
    await passes(10 * MINUTE, alerts)
    expect(
      heard(hook)
        .flat()
        .filter((line) => /two|three/.test(line)),
    ).toHaveLength(2)
  })

  for (const { name, start, template } of [
    { name: 'Slack', start: startSlack, template: 'slack' },
    { name: 'Discord', start: startDiscord, template: 'discord' },
  ])
    test(`by ${name} arrives plain`, async () => {
      const hook = await start()
      hook.moods = [{ status: 400, text: 'invalid_payload' }]
      const alerts = desk([toWebhook(hook, { template })])
      raise(alerts, 'one 🔴')
      await passes(MINUTE, alerts)
      expect(hook.texts).toEqual(['keywise alert: budget (one ?). one ?. Since 12:00 UTC.'])
    })
})

test('nothing that a text may contain is refused', async () => {
  const [bot, slack, discord] = [await startTelegram(), await startSlack(), await startDiscord()]
  const hooks = [
    toWebhook(slack, { id: 'webhook@s', template: 'slack' }),
    toWebhook(discord, { id: 'webhook@d', template: 'discord' }),
  ]
  const alerts = desk([toTelegram(bot), ...hooks])
  const texts = [
    `${'x'.repeat(599)}🔴`,
    `a\ud83d`,
    `\udd34b`,
    '👩\u200d👩\u200d👧'.repeat(90),
    'e\u0301'.repeat(900),
    '\u0000',
  ]
  for (const [index, text] of texts.entries()) {
    raise(alerts, `${index} ${text}`, { why: text, works: text, returns: text, advice: text })
    await passes(2 * MINUTE, alerts)
  }
  for (const double of [bot, slack, discord]) {
    expect(double.calls).toHaveLength(texts.length)
    expect(double.texts).toHaveLength(texts.length)
  }
})

describe('what is too late or too much', () => {
  test('is dropped after a day, with a word in the next message', async () => {
    const bot = await startTelegram()
    bot.usual = { status: 502 }
    const alerts = desk([toTelegram(bot)])
    raise(alerts, 'one')
    await passes(HOUR, alerts)
    raise(alerts, 'two')
    await passes(HOUR, alerts)
    elapse(23.5 * HOUR)
    raise(alerts, 'three')
    bot.usual = 'ok'
    await passes(10 * MINUTE, alerts)
    expect(heard(bot)).toEqual([
      ['2 alerts between 2026-11-20 12:00 UTC and 2026-11-20 13:00 UTC could not be delivered here.', '💰 three'],
    ])
  })

  test('is said by the channel with new settings too', async () => {
    const bot = await startTelegram()
    bot.usual = { status: 502 }
    const alerts = desk([toTelegram(bot)])
    raise(alerts, 'one')
    await passes(25 * HOUR, alerts)
    alerts.use([toTelegram(bot, { id: 'telegram@2' })])
    bot.usual = 'ok'
    raise(alerts, 'two')
    await passes(10 * MINUTE, alerts)
    expect(heard(bot)).toEqual([['1 alert of 2026-11-20 12:00 UTC could not be delivered here.', '💰 two']])
  })

  test('beyond 200 drops the oldest', async () => {
    const hook = await startWebhook()
    hook.usual = { status: 502 }
    const alerts = desk([toWebhook(hook)])
    for (let index = 0; index < 203; index++) raise(alerts, `a${index}`)
    await passes(20 * MINUTE, alerts)
    expect(alerts.health()).toMatchObject([{ waiting: 200, undelivered: 3 }])
  })
})

describe('awkward receivers', () => {
  for (const mood of ['endless', 'huge'] as const)
    test(`an answer that is ${mood} is an answer`, async () => {
      const [bot, hook] = [await startTelegram(), await startWebhook()]
      for (const double of [bot, hook]) double.moods = [mood]
      const alerts = desk([toTelegram(bot), toWebhook(hook)])
      raise(alerts, 'one')
      const delivering = alerts.deliver()
      while (hook.calls.length + bot.calls.length < 2) await new Promise(setImmediate)
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
      elapse(6 * SECOND)
      await delivering
      await passes(10 * MINUTE, alerts)
      expect([bot.calls.length, hook.calls.length]).toEqual([1, 1])
      expect(alerts.health().every(({ state }) => state === 'ok')).toBe(true)
    })

  test('one that is slow keeps no other channel waiting', async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    bot.usual = 'hang'
    const alerts = desk([toTelegram(bot), toWebhook(hook)])
    raise(alerts, 'one')
    while (alerts.health()[1]?.deliveredAt === null) await new Promise(setImmediate)
    elapse(2 * SECOND)
    raise(alerts, 'two')
    while (hook.texts.length < 2) {
      void alerts.deliver()
      await new Promise(setImmediate)
    }
    expect(bot.calls).toHaveLength(1)
    bot.release()
    bot.usual = 'ok'
    await passes(MINUTE, alerts)
    expect(bot.calls).toHaveLength(2)
  })

  test('one that asks for no wait is not asked every second', async () => {
    const hook = await startWebhook()
    hook.usual = { status: 429, retryAfter: 0 }
    const alerts = desk([toWebhook(hook)])
    raise(alerts, 'one')
    await passes(10 * MINUTE, alerts)
    expect(hook.calls.length).toBeLessThan(12)
  })

  test('one that takes 20 seconds gets each alert once', async () => {
    const hook = await startWebhook()
    hook.moods = ['hang']
    hook.onHang = () => {
      elapse(20 * SECOND)
      hook.release()
    }
    const alerts = desk([toWebhook(hook)])
    raise(alerts, 'one')
    await alerts.deliver()
    await passes(10 * MINUTE, alerts)
    expect(hook.calls).toHaveLength(1)
    expect(alerts.health()).toMatchObject([{ state: 'ok' }])
  })
})

describe('a backup channel', () => {
  const after5 = { backupAfterMs: 5 * MINUTE }

  test('gets nothing while the first delivers', async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    const alerts = desk([toTelegram(bot), toWebhook(hook, after5)])
    raise(alerts, 'one')
    await passes(HOUR, alerts)
    alerts.end('one', news('over'))
    await passes(HOUR, alerts)
    expect(heard(bot)).toEqual([['💰 one'], ['💰 over']])
    expect(hook.calls).toEqual([])
  })

  test('gets after five minutes what the first has not delivered, marked, and the first says so when it is back', async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    bot.usual = { status: 502 }
    const alerts = desk([toTelegram(bot), toWebhook(hook, after5)])
    raise(alerts, 'one')
    await passes(4 * MINUTE + 50 * SECOND, alerts)
    expect(hook.calls).toEqual([])
    expect(alerts.health()).toMatchObject([
      { state: 'resting', waiting: 1 },
      { waiting: 0, isBackup: true },
    ])
    await passes(10 * SECOND, alerts)
    expect(heard(hook)).toEqual([['telegram has not delivered this for 5 minutes.', '💰 one']])

    bot.usual = 'ok'
    await passes(HOUR, alerts)
    expect(bot.texts).toEqual([])
    alerts.end('one', news('over'))
    await passes(MINUTE, alerts)
    expect(heard(bot)).toEqual([['1 alert of 12:00 UTC came by another channel instead.', '💰 over']])
    // Its last word would be the trouble otherwise.
    expect(heard(hook).slice(1)).toEqual([['💰 over']])
  })

  test('gets nothing of what the first delivers late, but in time', async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    bot.moods = [{ status: 502 }, { status: 502 }]
    const alerts = desk([toTelegram(bot), toWebhook(hook, after5)])
    raise(alerts, 'one')
    await passes(HOUR, alerts)
    expect(heard(bot)).toEqual([['💰 one']])
    expect(hook.calls).toEqual([])
  })

  test('gets everything at once while the first is off', async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    bot.usual = unauthorized
    const alerts = desk([toTelegram(bot), toWebhook(hook, after5)])
    raise(alerts, 'one')
    await passes(20 * SECOND, alerts)
    raise(alerts, 'two')
    await passes(20 * SECOND, alerts)
    expect(
      heard(hook)
        .flat()
        .filter((line) => /one|two|off/.test(line)),
    ).toEqual(['telegram is off, so this comes here.', '💰 one', 'telegram is off, so this comes here.', '💰 two'])
    expect(heard(hook).flat()).toContain('📪 No alert is delivered by telegram any more')
  })

  test('of two processes tells it once, also when the one that saw it has died', async () => {
    const [bot, hook, store] = [await startTelegram(), await startWebhook(), createMemoryStore()]
    bot.usual = { status: 502 }
    const channels = () => [toTelegram(bot), toWebhook(hook, after5)]
    const [first, second] = [desk(channels(), store), desk(channels(), store)]
    raise(first, 'one')
    await passes(MINUTE, first)
    await first.close(0)
    expect(hook.calls).toEqual([])
    const third = desk(channels(), store)
    await passes(10 * MINUTE, second, third)
    expect(heard(hook)).toEqual([['telegram has not delivered this for 5 minutes.', '💰 one']])
  })

  test('gets the end of what it told, also when the first one told the reminder', async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    bot.usual = { status: 502 }
    const say = (line: string) => void lines.push(line)
    const logger = { info: say, warn: say, error: say }
    const outbox = new Outbox({ store: createMemoryStore(), now: () => now, random: () => 0.5, logger })
    outbox.use([toTelegram(bot), toWebhook(hook, after5)])
    const alert = (what: string, incident?: string): Alert => {
      const { id, at } = { id: `id of ${what}`, at: now }
      return { ...news(what), id, at, ...(incident !== undefined && { incident }) }
    }
    outbox.add(alert('one'))
    await passes(6 * MINUTE, outbox)
    bot.usual = 'ok'
    outbox.add(alert('still one', 'id of one'))
    await passes(10 * MINUTE, outbox)
    outbox.add(alert('over', 'id of one'), { ends: 'id of still one' })
    await passes(10 * MINUTE, outbox)
    expect(heard(bot).flat()).toEqual([
      '1 alert of 12:00 UTC came by another channel instead.',
      '💰 still one',
      '💰 over',
    ])
    expect(heard(hook).flat()).toEqual(['telegram has not delivered this for 5 minutes.', '💰 one', '💰 over'])
  })

  test('may be the chat; it gets at once what the webhook refuses for good', async () => {
    const [bot, hook] = [await startTelegram(), await startWebhook()]
    hook.moods = [{ status: 422 }, { status: 422 }]
    const alerts = desk([toTelegram(bot, after5), toWebhook(hook)])
    raise(alerts, 'one')
    await passes(20 * SECOND, alerts)
    expect(heard(bot)).toEqual([['webhook has not delivered this.', '💰 one']])
  })
})
