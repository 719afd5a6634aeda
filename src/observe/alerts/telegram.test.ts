import { Agent } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { BOT_TOKEN, CHAT_ID, type Double, type Mood, startTelegram } from '../../../test/support/alertDoubles.ts'
import { Secret } from '../../domain/redact.ts'
import { type Alert, alertText, coversEvent, readAlert } from './alert.ts'
import { telegram } from './telegram.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const ALERT: Alert = {
  id: 'a1',
  event: 'recovered',
  subject: 'auto',
  at: NOON,
  since: NOON - 30 * 3_600_000,
  what: '*Requests* are [answered](http://x.invalid) again',
  why: null,
  works: null,
  returnsAt: null,
  returns: null,
  advice: null,
}

function send(bot: Double, alerts: readonly Alert[] = [ALERT], botToken = BOT_TOKEN) {
  const dispatcher = new Agent()
  onTestFinished(() => dispatcher.destroy())
  const apiRoot = `${bot.origin}/`
  const settings = {
    botToken: new Secret(botToken),
    chatId: CHAT_ID,
    apiRoot,
    events: new Set('x'),
    backupAfterMs: null,
  }
  const redact = (text: string) => text.replaceAll(botToken, '…')
  const channel = telegram(settings, { id: 't', dispatcher, redact, now: () => NOON, userAgent: 'keywise/test' })
  return channel.send({ alerts, note: null, isPlain: false }, new AbortController().signal)
}

test('a message is plain text without previews, whatever it contains', async () => {
  const bot = await startTelegram()
  expect(await send(bot)).toEqual({ ok: true })
  const message = bot.calls[0]?.body as Record<string, unknown>
  expect(message).not.toHaveProperty('parse_mode')
  expect(message).toMatchObject({ chat_id: CHAT_ID, link_preview_options: { is_disabled: true } })
  expect(bot.texts[0]).toContain('Since: 2026-11-19 06:00 UTC')
  expect(bot.wrong).toEqual([])
})

test('a message is never longer than the Bot API accepts', async () => {
  const bot = await startTelegram()
  await send(bot, [{ ...ALERT, what: '🔴'.repeat(4000) }])
  expect(bot.wrong).toEqual([])
  expect(bot.texts[0]?.length).toBeLessThanOrEqual(4096)
})

const refused = (status: number, description: string, parameters?: object): Mood => ({
  status,
  body: { ok: false, error_code: status, description, ...(parameters && { parameters }) },
})
const cases: readonly { name: string; answer: Mood; next: string; reason: RegExp; afterMs?: number }[] = [
  { name: 'too many', answer: refused(429, 'x', { retry_after: 9 }), next: 'retry', reason: /wait/, afterMs: 9000 },
  { name: 'a wrong token', answer: refused(401, 'Unauthorized'), next: 'off', reason: /check .*bot_token/ },
  { name: 'no such bot', answer: refused(404, 'Not Found'), next: 'retry', reason: /check .*bot_token/ },
  { name: 'a blocked bot', answer: refused(403, 'Forbidden: bot was blocked'), next: 'retry', reason: /unblock/ },
  { name: 'no such chat', answer: refused(400, 'Bad Request: chat not found'), next: 'retry', reason: /chat_id/ },
  {
    name: 'a group in which it may not write',
    answer: refused(400, 'Bad Request: CHAT_WRITE_FORBIDDEN'),
    next: 'retry',
    reason: /may write there/,
  },
  {
    name: 'a message it does not take',
    answer: refused(400, 'Bad Request: entities'),
    next: 'shorten',
    reason: /entities/,
  },
  {
    name: 'a text that is not UTF-8',
    answer: refused(400, 'Bad Request: strings must be encoded in UTF-8'),
    next: 'shorten',
    reason: /UTF-8/,
  },
  { name: 'a page with 401', answer: { status: 401, page: '<html>log in</html>' }, next: 'retry', reason: /unlike/ },
  { name: 'a page with 404', answer: { status: 404, page: '<html>gone</html>' }, next: 'retry', reason: /unlike/ },
  { name: 'a page with 400', answer: { status: 400, page: '<html>no</html>' }, next: 'retry', reason: /unlike/ },
  { name: 'a 410 that is not the Bot API’s', answer: { status: 410 }, next: 'retry', reason: /unlike/ },
  { name: 'a method it does not know', answer: { status: 405 }, next: 'retry', reason: /unlike/ },
  {
    name: 'a proxy’s wait',
    answer: { status: 429, page: '-', retryAfter: 7 },
    next: 'retry',
    reason: /429/,
    afterMs: 7000,
  },
  { name: 'a stated wait', answer: { status: 503, retryAfter: 7 }, next: 'retry', reason: /503/, afterMs: 7000 },
  { name: 'trouble of its own', answer: { status: 502 }, next: 'retry', reason: /502/ },
  { name: 'a captive portal', answer: { status: 200, body: { hello: 1 } }, next: 'retry', reason: /api_root/ },
  { name: 'a redirect', answer: { status: 302 }, next: 'retry', reason: /api_root/ },
  { name: 'its own token echoed', answer: refused(403, `no ${BOT_TOKEN}`), next: 'retry', reason: /^403 no …;/ },
]
for (const { name, answer, next, reason, afterMs } of cases) {
  test(`${name} means ${next}`, async () => {
    const bot = await startTelegram()
    bot.moods = [answer]
    const delivery = await send(bot)
    expect(delivery).toMatchObject({ ok: false, next })
    if (delivery.ok) return
    expect(`${delivery.reason}; ${delivery.advice}`).toMatch(reason)
    if (afterMs !== undefined) expect(delivery).toMatchObject({ afterMs })
  })
}

test('a token with special characters cannot reach another path', async () => {
  const bot = await startTelegram()
  await send(bot, [ALERT], '1:a/../../other?x=')
  expect(bot.calls[0]?.path).toBe('/bot1:a%2F..%2F..%2Fother%3Fx%3D/sendMessage')
})

test('readAlert() reads what was stored, and nothing else', () => {
  expect(readAlert(JSON.parse(JSON.stringify(ALERT)))).toEqual(ALERT)
  for (const wrong of [null, [], {}, { ...ALERT, event: 'constructor' }, { ...ALERT, at: 'x' }, { ...ALERT, what: 1 }])
    expect(readAlert(wrong)).toBeUndefined()
  expect(alertText(ALERT).split('\n')).toHaveLength(2)
  expect(coversEvent(new Set(['provider_down']), 'provider_back')).toBe(true)
  expect(coversEvent(new Set(['recovered']), 'all_failed')).toBe(false)
})
