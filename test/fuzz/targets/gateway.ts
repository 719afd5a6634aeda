/** Requests of every kind through a whole gateway, to upstreams whose answers may be as odd as the requests. */

import { Agent, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { dialectOf } from '../../../src/dialects/dialects.ts'
import type { DialectId } from '../../../src/domain/chat.ts'
import { asRecord } from '../../../src/domain/json.ts'
import type { InterceptedCall } from '../../../src/lab/fake/fakeProviders.ts'
import { retest } from '../../../src/manager/retest.ts'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN } from '../../support/gatewayWorld.ts'
import { own } from '../../support/lab.ts'
import { type FuzzTarget, promise, type Random } from '../driver.ts'
import { mutated, mutatedBytes, mutatedList, mutatedText, smallerTexts } from '../mutate.ts'
import { noPollution } from '../promises.ts'
import { DIALECTS, someAnswer, someRequest, someStream, streamText } from '../values.ts'
import { smallerJson } from './requests.ts'

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** In latin1, a byte a character. */
  readonly body: string
  /** What the upstream answers in its own dialect, in latin1; null leaves it to the simulated provider. */
  readonly answer: { readonly status: number; readonly text: string; readonly stream: boolean } | null
}

/** One upstream of each dialect, named after it. */
const NAMES: Readonly<Record<DialectId, string>> = {
  openai: 'chat',
  'openai-responses': 'responses',
  anthropic: 'claude',
  google: 'gemini',
}
const PATHS: Readonly<Record<DialectId, (model: string, stream: boolean) => string>> = {
  openai: () => '/v1/chat/completions',
  'openai-responses': () => '/v1/responses',
  anthropic: () => '/v1/messages',
  google: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
}
const FORM = [
  '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n',
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--b--\r\n',
].join('')

/** Whatever has a body and is no conversation. */
const OTHERS: readonly (readonly [method: string, path: string, body: unknown])[] = [
  ['POST', '/v1/embeddings', { model: 'e', input: ['one', 'two'] }],
  ['POST', '/v1/completions', { model: 'm', prompt: 'Hi', n: 2 }],
  ['POST', '/v1/messages/count_tokens', { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }],
  ['POST', '/v1/responses/input_tokens', { model: 'm', input: 'Hi' }],
  ['POST', '/v1beta/models/m:countTokens', { contents: [{ parts: [{ text: 'Hi' }] }] }],
  ['POST', '/v1beta/models/e:embedContent', { content: { parts: [{ text: 'Hi' }] } }],
  ['POST', '/v1beta/models/e:batchEmbedContents', { requests: [{ content: { parts: [{ text: 'Hi' }] } }] }],
  ['POST', '/v1/feedback', { request_id: 'kw_1', score: 0.5 }],
  ['POST', '/v1/feedback', { request_id: 'kw_1', metrics: { helpful: 1, 'm 2': 0.5 } }],
  ['POST', '/v1/rerank', { model: 'm', query: 'x', documents: ['a', 'b'] }],
  ['POST', '/v1/moderations', { model: 'm', input: 'x' }],
  ['POST', '/v1/images/generations', { model: 'm', prompt: 'x' }],
  ['POST', '/v1/audio/transcriptions', FORM],
  ['POST', '/api/targets/retest', { target: 'chat/m#1' }],
  ['GET', '/api/spend?by=model&since=7d', null],
  ['GET', '/api/requests?limit=10', null],
  ['GET', '/api/why?model=m', null],
  ['GET', '/api/models?explain=m', null],
  ['GET', '/v1/models/m', null],
  ['GET', '/v1/responses/resp_1/input_items?limit=5', null],
  ['DELETE', '/v1/responses/resp_1', null],
]
const ODD_HEADERS: readonly (readonly [string, string])[] = [
  ['x-keywise-timeout-ms', '-1'],
  ['x-keywise-timeout-ms', 'soon'],
  ['x-keywise-max-attempts', '1e99'],
  ['x-keywise-labels', '__proto__=1,a=b=c,,='],
  ['x-keywise-session', 's'.repeat(3_000)],
  ['x-keywise-task', '\u00ff'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'multipart/form-data'],
  ['content-encoding', 'gzip'],
  ['anthropic-beta', 'a,b,,c'],
  ['anthropic-version', '0'],
  ['x-goog-api-client', 'x/1'],
  ['idempotency-key', 'k'],
]
const STATUSES = [200, 200, 200, 200, 200, 201, 204, 206, 301, 400, 401, 404, 413, 429, 500, 503, 529]
/** Parks are lifted as often, or soon nobody would be asked any more. */
const LIFT_EVERY = 20
const HANG_MS = 30_000

let world: GatewayWorld | null = null
let agent = new Agent({ keepAlive: true })
let answering: Asked['answer'] = null
let asked = 0

export const gateway: FuzzTarget<Asked> = {
  name: 'gateway',
  share: 1.5,
  async open() {
    agent = new Agent({ keepAlive: true })
    const custom = DIALECTS.map((dialect) => own(NAMES[dialect], 1, ['m', `${NAMES[dialect]}-m`], { dialect }))
    const embedding = own('vectors', 1, [], { models: { e: { kind: 'embedding' } } })
    world = await openGateway(
      { providers: Object.assign({}, ...custom, embedding) },
      {
        instead: answerOddly,
        settings: { timeouts: { patience_ms: 0, total_ms: 5_000 }, streaming: { rescue: 'text' }, max_attempts: 3 },
      },
    )
  },
  async close() {
    agent.destroy()
    await world?.close()
    world = null
  },
  make(random) {
    return random.chance(0.3) ? otherRequest(random) : chatRequest(random)
  },
  async check(input) {
    if (world === null) throw new TypeError('the gateway is not open')
    if (++asked % LIFT_EVERY === 0) await retest(world.gateway.opened.engine, null)
    const from = world.logged.length
    answering = input.answer
    const { status, text, type } = await ask(world.gateway.app.port, input)
    promise(status !== 500, () => `it answers 500: ${world?.logged.slice(from).join('\n')}`)
    if (status >= 400 && type.includes('json')) promise(isError(text), () => `no error of any protocol: ${text}`)
    const failed = world.logged.slice(from).find((line) => /^\w*Error: |\n\s+at /.test(line))
    promise(failed === undefined, () => `an error that nobody expected: ${failed}`)
    noPollution()
  },
  *smaller(input) {
    for (const name of Object.keys(input.headers)) {
      const { [name]: _, ...headers } = input.headers
      yield { ...input, headers }
    }
    const { answer } = input
    yield* smallerJson(input.body, (body) => ({ ...input, body }))
    if (answer?.stream) for (const text of smallerTexts(answer.text)) yield { ...input, answer: { ...answer, text } }
    else if (answer !== null) yield* smallerJson(answer.text, (text) => ({ ...input, answer: { ...answer, text } }))
  },
  show: (input) => JSON.stringify(input),
}

function chatRequest(random: Random): Asked {
  const dialect = random.of(DIALECTS)
  const stream = random.chance(0.4)
  // Half of the time another dialect answers than the one that was spoken.
  const upstream = random.of([dialect, random.of(DIALECTS)])
  const model = random.chance(0.8)
    ? `${NAMES[upstream]}-m`
    : random.of(['m', 'auto', 'nothing', '__proto__/m', 'a/b/c'])
  const isOddAnswer = random.chance(0.6)
  const body = { ...someRequest(dialect, random), ...(dialect !== 'google' && { model, stream }) }
  const changed = isOddAnswer && random.chance(0.8) ? body : mutated(body, random)
  const text = mutatedText(changed, random, 0.05)
  return {
    method: 'POST',
    path: PATHS[dialect](encodeURIComponent(model), stream),
    headers: someHeaders(random),
    body: (random.chance(0.2) ? mutatedBytes(text, random) : Buffer.from(text)).toString('latin1'),
    answer: isOddAnswer ? oddAnswer(upstream, stream, random) : null,
  }
}

function oddAnswer(upstream: DialectId, stream: boolean, random: Random): NonNullable<Asked['answer']> {
  const status = random.of(STATUSES)
  if (stream && status < 300) {
    const events = mutatedList(someStream(upstream, random), random, ({ event, data }) => ({
      event,
      data: mutatedText(parsed(data), random, 0.3).replace(/[\r\n]/g, ' '),
    }))
    return { status, stream, text: mutatedBytes(streamText(events), random).toString('latin1') }
  }
  const error = dialectOf(upstream).client.writeError({ status, message: 'It says no.', code: 'server' })
  const value = status < 300 ? someAnswer(upstream, random) : JSON.parse(JSON.stringify(error))
  return {
    status,
    stream: false,
    text: mutatedBytes(mutatedText(mutated(value, random), random), random).toString('latin1'),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function otherRequest(random: Random): Asked {
  const [method, path, body] = random.of(OTHERS)
  const isForm = typeof body === 'string'
  const text = isForm ? body : body === null ? '' : mutatedText(mutated(body, random), random, 0.1)
  const odd = random.chance(0.3)
    ? random.of(['%00', '%ff', '/', '?', '?limit=-1', '?limit=1.5', '&by=__proto__', '%2e%2e'])
    : ''
  return {
    method: random.chance(0.05) ? random.of(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) : method,
    path: path + odd,
    headers: { ...(isForm && { 'content-type': 'multipart/form-data; boundary=b' }), ...someHeaders(random) },
    body: mutatedBytes(text, random).toString('latin1'),
    answer: random.chance(0.3) ? oddAnswer('openai', false, random) : null,
  }
}

function someHeaders(random: Random): Record<string, string> {
  return Object.fromEntries(random.chance(0.2) ? [random.of(ODD_HEADERS), random.of(ODD_HEADERS)] : [])
}

function answerOddly({ stream }: InterceptedCall, response: ServerResponse): boolean {
  if (answering === null) return false
  const { status, text } = answering
  const type = answering.stream && stream ? 'text/event-stream' : 'application/json'
  response.writeHead(status, { 'content-type': type })
  response.end(Buffer.from(text, 'latin1'))
  return true
}

interface Answered {
  readonly status: number
  readonly text: string
  readonly type: string
}

function ask(port: number, { method, path, headers, body }: Asked): Promise<Answered> {
  const token = path.startsWith('/api/') ? ADMIN_TOKEN : TOKEN
  const bytes = Buffer.from(body, 'latin1')
  const all = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    ...headers,
    'content-length': bytes.length,
  }
  return new Promise((resolve, reject) => {
    const asking = send({ port, method, path, agent, headers: all })
    asking.setTimeout(HANG_MS, () => asking.destroy(new Error(`no answer within ${HANG_MS} ms`)))
    asking.on('error', reject)
    asking.on('response', (response) => void read(response).then(resolve, reject))
    asking.end(bytes)
  })
}

/** An answer that breaks off behind its headers is one: so some clients are told that a stream is not whole. */
async function read(response: IncomingMessage): Promise<Answered> {
  let text = ''
  try {
    for await (const chunk of response) text += chunk
  } catch (error) {
    if (!response.aborted && !response.destroyed) throw error
  }
  return { status: response.statusCode ?? 0, text, type: response.headers['content-type'] ?? '' }
}

/** In the words of any of the protocols. */
function isError(text: string): boolean {
  if (text === '') return true
  const body = asRecord(parsed(text)) ?? asRecord((parsed(text) as unknown[])[0])
  return body?.['error'] !== undefined
}
