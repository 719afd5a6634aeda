import { createHmac } from 'node:crypto'
import { Agent } from 'undici'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Mood, startWebhook } from '../../../test/support/alertDoubles.ts'
import { Secret } from '../../domain/redact.ts'
import type { Alert } from './alert.ts'
import { unknownVariables } from './template.ts'
import { signature, type WebhookSettings, webhook } from './webhook.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const SECRET = 's'.repeat(32)
const ALERT: Alert = {
  id: 'a1',
  event: 'all_failed',
  subject: 'auto',
  at: NOON,
  since: NOON - 60_000,
  what: 'Everything "fails" <!channel> @everyone',
  why: null,
  works: 'nothing',
  returnsAt: NOON + 3_600_000,
  returns: 'next reset 13:00 UTC (google)',
  advice: 'wait & see',
}

let dispatcher: Agent
beforeEach(() => {
  dispatcher = new Agent()
})
afterEach(() => dispatcher.destroy())

function hookTo(url: string, facts: Partial<WebhookSettings> = {}) {
  const settings = { url: new Secret(url), events: new Set<string>(), backupAfterMs: null, ...facts }
  const tools = { id: 'w', dispatcher, redact: (text: string) => text, now: () => NOON, userAgent: 'keywise/test' }
  return webhook(settings, tools)
}
const send = (url: string, facts: Partial<WebhookSettings> = {}, alerts: readonly Alert[] = [ALERT]) =>
  hookTo(url, facts).send({ alerts, note: null, isPlain: false }, new AbortController().signal)

test('signature() signs the time and the body', () => {
  const mark = createHmac('sha256', SECRET)
    .update(`${NOON / 1000}.{}`)
    .digest('hex')
  expect(signature('{}', SECRET, NOON)).toBe(`t=${NOON / 1000},v1=${mark}`)
})

test('a webhook receives the alert as JSON, signed, with an id for deduplication', async () => {
  const hook = await startWebhook(SECRET)
  expect(await send(`${hook.origin}/in?x=1`, { secret: new Secret(SECRET), headers: { 'X-Team': 'a' } })).toEqual({
    ok: true,
  })
  const [call] = hook.calls
  expect(call?.path).toBe('/in?x=1')
  expect(call?.headers).toMatchObject({ 'x-keywise-event': 'all_failed', 'x-keywise-delivery': 'a1', 'x-team': 'a' })
  expect(call?.body).toMatchObject({
    id: 'a1',
    event: 'all_failed',
    at: '2026-11-20T12:00:00.000Z',
    returns_at: '2026-11-20T13:00:00.000Z',
    works: 'nothing',
  })
  expect(hook.wrong).toEqual([])
})

test('a header from the settings cannot replace the signature', async () => {
  const hook = await startWebhook(SECRET)
  const headers = { 'X-Keywise-Signature': 't=1,v1=0' }
  expect(await send(hook.origin, { secret: new Secret(SECRET), headers })).toEqual({ ok: true })
})

describe('a template', () => {
  test('slack gets text in which nothing can mention anybody', async () => {
    const hook = await startWebhook()
    await send(hook.origin, { template: 'slack' })
    const { text } = hook.calls[0]?.body as { text: string }
    expect(text).toContain('&lt;!channel&gt;')
    expect(text).toContain('wait &amp; see')
  })

  test('discord gets content of at most 2,000 characters and no mentions', async () => {
    const hook = await startWebhook()
    await send(hook.origin, { template: 'discord' }, [{ ...ALERT, what: 'x'.repeat(3000) }])
    const { content, ...rest } = hook.calls[0]?.body as { content: string }
    expect(content).toHaveLength(2000)
    expect(rest).toEqual({ allowed_mentions: { parse: [] } })
  })

  test('ntfy gets plain text with a title and a priority', async () => {
    const hook = await startWebhook()
    await send(`${hook.origin}/topic`, { template: 'ntfy' })
    expect(hook.calls[0]?.headers).toMatchObject({ title: 'keywise: all failed', priority: '5' })
    expect(hook.calls[0]?.text).toMatch(/^🔴 Everything "fails"/)
  })

  test('of the user that is JSON stays valid JSON whatever the values contain', async () => {
    const hook = await startWebhook()
    await send(hook.origin, { template: '{"kind":"{{event}}","message":"{{ text }}","other":"{{nope}}"}' })
    expect(hook.calls[0]?.body).toMatchObject({ kind: 'all_failed', other: '{{nope}}' })
    expect((hook.calls[0]?.body as { message: string }).message).toContain('Everything "fails"')
  })

  test('of the user that is text is sent as text', async () => {
    const hook = await startWebhook()
    await send(hook.origin, { template: '{{event}}: {{works}}' })
    expect(hook.calls[0]?.text).toBe('all_failed: nothing')
    expect(hook.calls[0]?.headers['content-type']).toMatch(/^text\/plain/)
  })

  test('lists its unknown variables', () => {
    expect(unknownVariables('{{event}} {{ prompt }} {{prompt}} {{key}} {{ {{text}}')).toEqual(['prompt', 'key'])
  })
})

const cases: readonly { answer: Mood; next: string; afterMs?: number }[] = [
  { answer: { status: 503 }, next: 'retry' },
  { answer: { status: 429, retryAfter: 7 }, next: 'retry', afterMs: 7000 },
  { answer: { status: 429, body: { retry_after: 0.5 } }, next: 'retry', afterMs: 500 },
  { answer: { status: 408 }, next: 'retry' },
  { answer: { status: 425 }, next: 'retry' },
  { answer: { status: 301 }, next: 'retry' },
  { answer: { status: 302 }, next: 'retry' },
  { answer: { status: 308 }, next: 'retry' },
  { answer: { status: 401 }, next: 'retry' },
  { answer: { status: 403 }, next: 'retry' },
  { answer: { status: 404 }, next: 'retry' },
  { answer: { status: 405 }, next: 'retry' },
  { answer: { status: 407 }, next: 'retry' },
  { answer: { status: 451 }, next: 'retry' },
  { answer: { status: 410 }, next: 'off' },
  { answer: { status: 410, page: '<html>gone</html>' }, next: 'retry' },
  { answer: { status: 404, text: 'no_service' }, next: 'off' },
  { answer: { status: 403, text: 'invalid_token' }, next: 'off' },
  { answer: { status: 410, text: 'channel_is_archived' }, next: 'off' },
  { answer: { status: 404, text: 'channel_not_found' }, next: 'retry' },
  { answer: { status: 404, body: { message: 'Unknown Webhook', code: 10015 } }, next: 'off' },
  { answer: { status: 401, body: { message: 'Invalid Webhook Token', code: 50027 } }, next: 'off' },
  { answer: { status: 404, body: { message: 'no Route matched with those values' } }, next: 'retry' },
  { answer: { status: 400 }, next: 'shorten' },
  { answer: { status: 413 }, next: 'shorten' },
  { answer: { status: 422 }, next: 'shorten' },
  { answer: { status: 400, text: 'invalid_payload' }, next: 'shorten' },
  { answer: { status: 400, page: '<html>The plain HTTP request was sent to HTTPS port</html>' }, next: 'retry' },
]
for (const { answer, next, afterMs } of cases) {
  test(`an answer ${JSON.stringify(answer)} means ${next}`, async () => {
    const hook = await startWebhook()
    hook.moods = [answer]
    expect(await send(hook.origin)).toMatchObject({ ok: false, next, ...(afterMs !== undefined && { afterMs }) })
  })
}

test('a page in the place of Slack’s answer is no delivery; a receiver of one’s own may answer with one', async () => {
  const hook = await startWebhook()
  for (const template of ['slack', 'discord', 'ntfy', undefined]) {
    hook.moods = [{ status: 200, page: '<!doctype html><title>Log in</title>' }]
    const delivery = await send(hook.origin, { template })
    expect(delivery).toMatchObject(template === undefined ? { ok: true } : { ok: false, next: 'retry' })
  }
})

test('a host that does not respond is retried, and the reason contains no address', async () => {
  const delivery = await send('http://127.0.0.1:1/secret-path')
  expect(delivery).toMatchObject({ ok: false, next: 'retry', unreachable: true })
  expect(JSON.stringify(delivery)).not.toContain('secret-path')
})

test('TLS that fails and a name that nobody knows are retried, and TLS is named', async () => {
  const hook = await startWebhook()
  const tls = await send(hook.origin.replace('http:', 'https:'))
  expect(tls).toMatchObject({ ok: false, next: 'retry', reason: expect.stringContaining('TLS is refused') })
  expect(await send('http://nobody.invalid/hook')).toMatchObject({ ok: false, next: 'retry', unreachable: true })
})

test('a host that takes the message and does not answer within thirty seconds is retried', async () => {
  const hook = await startWebhook()
  const deadline = new AbortController()
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(deadline.signal)
  onTestFinished(() => timeout.mockRestore())
  hook.usual = 'hang'
  hook.onHang = () => deadline.abort()
  const delivery = await send(hook.origin)
  expect(delivery).toMatchObject({ ok: false, next: 'retry', reason: 'no answer in time', unreachable: true })
  expect(timeout).toHaveBeenCalledWith(30_000)
})

test('headers that cannot be sent switch the channel off', async () => {
  const hook = await startWebhook()
  expect(await send(hook.origin, { headers: { 'x-bad': 'a\r\nb: c' } })).toMatchObject({ ok: false, next: 'off' })
})
