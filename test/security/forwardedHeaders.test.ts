/** S16: of a client's headers an upstream sees those of a short list, and no value of one can begin another. */

import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { openGateway, TOKEN } from '../support/gatewayWorld.ts'
import { listening } from '../support/listening.ts'
import { rawRequest } from '../support/rawHttp.ts'

/** What keywise itself writes, and the one header of this dialect that means something to its services. */
const ALLOWED = new Set([
  'host',
  'connection',
  'content-type',
  'content-length',
  'accept',
  'accept-encoding',
  'user-agent',
  'authorization',
  'openai-beta',
  // The gateways passed, for servers on the own network.
  'x-keywise-via',
])

const NAMES = [
  'cookie',
  'cookie2',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'forwarded',
  'via',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'proxy-authorization',
  'te',
  'trailer',
  'keep-alive',
  'upgrade-insecure-requests',
  'x-http-method-override',
  'x-original-url',
  'x-rewrite-url',
  'referer',
  'accept-language',
  'x-request-id',
  'traceparent',
  'openai-organization',
  'openai-project',
  'x-stainless-os',
  'x-custom-host',
  'x-portkey-custom-host',
  'x-evil',
  'range',
  'if-none-match',
  'cache-control',
  'pragma',
  'dnt',
  'from',
  'max-forwards',
  'x-amz-security-token',
  'cf-connecting-ip',
  'true-client-ip',
  'x-client-ip',
  'x-csrf-token',
  'prefer',
  'priority',
  'sec-fetch-site',
  'openai-beta',
]
const CANARY = 'canary-7f3a'
const VALUES = [
  CANARY,
  `${CANARY} ${'v'.repeat(900)}`,
  `${CANARY}\tx`,
  `"${CANARY}", close`,
  `${CANARY}%0d%0ax-evil: 1`,
  `${CANARY}\\r\\nx-evil: 1`,
  `${CANARY}=${encodeURIComponent('\r\n')}x-evil`,
]

/** What no header may hold; a strict server refuses the whole request. */
const BROKEN = [
  `x-a: ${CANARY}\u0000b`,
  `x-a: ${CANARY}\r\n folded: 1`,
  `x-a: ${CANARY}\nx-evil: 1\rx`,
  `x a: ${CANARY}`,
  `x-a : ${CANARY}`,
  `: ${CANARY}`,
  `x-a\u0000: ${CANARY}`,
  `(x): ${CANARY}`,
]

const BODY = JSON.stringify({ model: 'own/m', messages: [{ role: 'user', content: 'hi' }] })

test('S16: headers of clients stay at the gateway, but for those of the list', async () => {
  const seen: IncomingMessage['rawHeaders'][] = []
  const server = createServer((request, response) => {
    seen.push(request.rawHeaders)
    request.resume()
    request.on('end', () => {
      const message = { role: 'assistant', content: 'hello' }
      const choices = [{ index: 0, message, finish_reason: 'stop' }]
      const answer = { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  const endpoint = `${await listening(server)}/v1`
  const own = { dialect: 'openai', endpoint, api_key: `key-${'q7Zx'.repeat(6)}`, models: ['m'] }
  await using world = await openGateway({ providers: {} }, { providers: { own } })
  const good = NAMES.flatMap((name) => VALUES.map((value) => `${name}: ${value}`))
  // The headers that a connection names are its own, and end with it.
  const named = [...NAMES.slice(0, 20).map((name) => `connection: close, ${name}\r\n${name}: ${CANARY}`)]
  const doubled = NAMES.map((name) => `${name}: ${CANARY}\r\n${name.toUpperCase()}: ${CANARY}-2`)
  const upgrades = [
    'connection: upgrade\r\nupgrade: h2c',
    'connection: upgrade\r\nupgrade: websocket',
    'expect: 100-continue',
  ]
  const all = [...good, ...named, ...doubled, ...upgrades]
  expect(all.length).toBeGreaterThan(370)
  const answers = await inTurns(all, (line) => status(world.origin, line))
  expect(answers.filter((code) => code === 200).length).toBeGreaterThan(all.length * 0.9)
  expect(answers.filter((code) => code !== 200 && (code < 400 || code >= 500))).toEqual([])

  const before = seen.length
  const refused = await inTurns(
    BROKEN.flatMap((line) => Array<string>(16).fill(line)),
    (line) => status(world.origin, line),
  )
  expect(new Set(refused)).toEqual(new Set([400]))
  expect(seen.length).toBe(before)

  expect(seen.length).toBeGreaterThan(300)
  const foreign = seen.flatMap((raw) => raw.filter((name, at) => at % 2 === 0 && !ALLOWED.has(name.toLowerCase())))
  expect([...new Set(foreign)]).toEqual([])
  const repeated = seen.flatMap((raw) =>
    raw.filter((value, at) => at % 2 === 1 && value.includes(CANARY) && raw[at - 1]?.toLowerCase() !== 'openai-beta'),
  )
  expect(repeated).toEqual([])
  expect(seen.flat().filter((text) => text.includes(TOKEN))).toEqual([])
})

async function inTurns<T>(items: readonly T[], ask: (item: T) => Promise<number>): Promise<number[]> {
  const codes: number[] = []
  let next = 0
  const work = async () => {
    for (let at = next++; at < items.length; at = next++) codes[at] = await ask(items[at] as T)
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return codes
}

/** The status of one request with the line in its head; 0 when the connection was closed without one. */
async function status(origin: string, line: string): Promise<number> {
  const own = /^connection:/i.test(line) ? [] : ['connection: close']
  const auth = [`authorization: Bearer ${TOKEN}`, 'content-type: application/json', `content-length: ${BODY.length}`]
  const head = ['POST /v1/chat/completions HTTP/1.1', `host: ${new URL(origin).host}`, ...auth, ...own, line]
  const [answer] = await rawRequest(origin, Buffer.from([...head, '', BODY].join('\r\n'), 'latin1'))
  return answer?.status ?? 0
}
