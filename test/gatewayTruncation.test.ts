/**
 * Every recorded stream, cut after every line, through the gateway to a client of its own dialect and of another: what
 * broke off never ends like a whole answer; what did not passes byte for byte.
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { type RecordedStream, recordedStreams } from './support/replay.ts'
import { hasTestData } from './support/testData.ts'
import { textSoFar } from './support/textSoFar.ts'

interface Recorded extends RecordedStream {
  readonly dialect: DialectId
}

const FOLDERS: readonly (readonly [DialectId, readonly string[]])[] = [
  ['openai', ['openai-chat', 'groq', 'deepseek', 'mistral', 'xai', 'alibaba', 'moonshot']],
  ['openai-responses', ['openai-responses', 'azure', 'lmstudio-responses']],
  ['anthropic', ['anthropic']],
  ['google', ['google']],
]
const RECORDED: readonly Recorded[] = FOLDERS.flatMap(([dialect, folders]) =>
  folders.flatMap(recordedStreams).map((stream) => ({ ...stream, dialect })),
)
/** Recordings longer than this many cuts are cut at strides. */
const MOST_CUTS = 40

/** Each line as the provider would send it. */
function framed({ dialect, lines }: Recorded): string[] {
  const named = dialect === 'anthropic' || dialect === 'openai-responses'
  const events = lines.map((line) => `${named ? `event: ${JSON.parse(line).type}\n` : ''}data: ${line}\n\n`)
  return dialect === 'openai' ? [...events, 'data: [DONE]\n\n'] : events
}

/** Whether the event is the dialect's own end, or the finish that is as good as it. */
function isEnd(dialect: DialectId, event: string): boolean {
  if (dialect === 'openai') return /"finish_reason": ?"/.test(event) || event.includes('[DONE]')
  if (dialect === 'anthropic') return event.includes('event: message_stop')
  if (dialect === 'google') return /"finishReason": ?"/.test(event)
  return /^event: response\.(?:completed|incomplete)/.test(event)
}

/** How a client of the dialect learns that an answer broke off. */
const BROKEN: { readonly [D in DialectId]: RegExp } = {
  openai: /\ndata: \{"error":/,
  'openai-responses': /\nevent: response\.failed\n/,
  anthropic: /\nevent: error\n/,
  google: /\ndata: \{"error":/,
}
const WHOLE: { readonly [D in DialectId]: RegExp } = {
  openai: /data: \[DONE\]|"finish_reason": ?"(?!error)/,
  'openai-responses': /event: response\.(?:completed|incomplete)/,
  anthropic: /event: message_stop/,
  google: /"finishReason": ?"/,
}

const PATHS: { readonly [D in DialectId]: (model: string) => readonly [string, object] } = {
  openai: (model) => ['/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }], stream: true }],
  'openai-responses': (model) => ['/v1/responses', { model, input: 'Hi', stream: true }],
  anthropic: (model) => [
    '/v1/messages',
    { model, max_tokens: 1000, messages: [{ role: 'user', content: 'Hi' }], stream: true },
  ],
  google: (model) => [
    `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
  ],
}

let upstream: Server
let world: GatewayWorld
/** What the upstream sends to the next caller. */
let reply: readonly string[] = []

beforeAll(async () => {
  upstream = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'text/event-stream')
    response.end(reply.join(''))
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` // listening on TCP
  const providers = FOLDERS.map(([dialect]) => [
    `up-${dialect}`,
    { dialect, endpoint, api_key: `fake-${'0'.repeat(16)}`, models: [`m-${dialect}`] },
  ])
  world = await openGateway({ providers: {} }, { providers: Object.fromEntries(providers) })
})

afterAll(async () => {
  await world.close()
  upstream.close()
})

/** What a client of `dialect` receives; null when the request failed before any of the answer was sent. */
async function received(dialect: DialectId, from: DialectId, events: readonly string[]): Promise<string | null> {
  reply = events
  world.gateway.opened.engine.learned.parks.lift(null, Date.now())
  const response = await world.ask(...PATHS[dialect](`m-${from}`))
  const text = await textSoFar(response)
  return response.status === 200 ? `\n${text}` : null
}

const OTHER: { readonly [D in DialectId]: DialectId } = {
  openai: 'anthropic',
  'openai-responses': 'google',
  anthropic: 'openai',
  google: 'openai-responses',
}

describe.runIf(hasTestData)('recorded streams through the gateway', () => {
  test('there are recordings of every dialect', () => {
    expect(new Set(RECORDED.map(({ dialect }) => dialect)).size).toBe(FOLDERS.length)
  })

  describe.each(RECORDED)('$name', (recorded) => {
    const { dialect } = recorded
    const events = framed(recorded)
    // One that withheld its answer before it began is reported as an error, not as an empty answer.
    const end = recorded.name.includes('refusal') ? -1 : events.findIndex((event) => isEnd(dialect, event))
    // A recorded failure has no end: then every cut is one.
    const cuts = Array.from({ length: end < 0 ? events.length : end }, (_, index) => index)
    const stride = Math.max(1, Math.ceil(cuts.length / MOST_CUTS))

    test.runIf(end >= 0)('passes uncut byte for byte to a client of its own dialect', async () => {
      const text = await received(dialect, dialect, events)
      const asked = events
        .filter((event) => !isUnaskedUsage(dialect, event))
        .map((event) => withoutNullUsage(dialect, event))
      expect(text).toBe(`\n${asked.join('')}`)
    })

    for (const client of [dialect, OTHER[dialect]]) {
      test.runIf(end >= 0)(`ends whole for ${client}`, async () => {
        expect(await received(client, dialect, events)).toMatch(WHOLE[client])
      })

      test(`never ends like a whole answer for ${client} when it is cut`, async () => {
        for (const cut of cuts.filter((at) => at % stride === 0 || at > cuts.length - 4)) {
          const text = await received(client, dialect, events.slice(0, cut))
          if (text === null) continue
          expect(text, `cut after ${cut}`).toMatch(BROKEN[client])
          expect(text, `cut after ${cut}`).not.toMatch(WHOLE[client])
        }
      })

      test(`never ends like a whole answer for ${client} when it is cut inside an event`, async () => {
        for (const cut of cuts.filter((at) => at % (stride * 4) === 0)) {
          const half = events[cut]!.slice(0, events[cut]!.length >> 1)
          const text = await received(client, dialect, [...events.slice(0, cut), half])
          if (text === null) continue
          expect(text, `cut inside ${cut}`).toMatch(BROKEN[client])
          expect(text, `cut inside ${cut}`).not.toMatch(WHOLE[client])
        }
      })
    }
  })
})

function isUnaskedUsage(dialect: DialectId, event: string): boolean {
  return dialect === 'openai' && /"choices": ?\[\]/.test(event) && event.includes('"usage"')
}

/** The other half of that answer: every chunk before it has the field as well. */
function withoutNullUsage(dialect: DialectId, event: string): string {
  return dialect !== 'openai' ? event : event.replace(/, ?"usage": ?null/, '')
}
