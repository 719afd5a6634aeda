/** One chat completion as a careful client makes it: it reads the stream itself and knows an error inside a stream. */

import { asArray, asRecord, asString } from '../../../src/domain/json.ts'
import { ANSWER } from './wall.ts'

/** What the caller had in its hands at the end. */
export interface Heard {
  /** `cut`: what came looked like a success and was not the whole answer. */
  readonly outcome: 'answer' | 'cut' | 'error' | 'hang'
  readonly ms: number
  readonly model: string | null
  readonly hasUsage: boolean
  /** Some of the answer had come before it ended. */
  readonly hasBegun: boolean
  /** Status and message of an error. */
  readonly error: string | null
}

export interface CallOptions {
  readonly origin: string
  readonly token: string
  readonly model: string
  readonly stream: boolean
  /** Milliseconds after which a call without an end is a hang. */
  readonly longestMs: number
  /** Milliseconds on the clock of the run. */
  readonly now: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

const PROMPT = 'Say in sixty words when a gateway is worth its place.'

export async function callGateway(options: CallOptions): Promise<Heard> {
  const began = options.now()
  const over = new AbortController()
  const done = new AbortController()
  let hangs = false
  void options.sleep(options.longestMs, done.signal).then(() => {
    hangs = !done.signal.aborted
    over.abort()
  })
  try {
    return { ...(await heard(options, over.signal)), ms: options.now() - began }
  } catch (error) {
    return { ...NOTHING, outcome: hangs ? 'hang' : 'error', error: String(error), ms: options.now() - began }
  } finally {
    done.abort()
  }
}

const NOTHING = { model: null, hasUsage: false, hasBegun: false, error: null } as const
type Ended = Omit<Heard, 'ms'>

async function heard({ origin, token, model, stream }: CallOptions, signal: AbortSignal): Promise<Ended> {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: PROMPT }],
      ...(stream && { stream, stream_options: { include_usage: true } }),
    }),
    signal,
  })
  if (response.status !== 200) return failed(`${response.status} ${await response.text()}`)
  return stream ? readStream(response) : readPlain(asRecord(await response.json()))
}

const failed = (error: string): Ended => ({ ...NOTHING, outcome: 'error', error })

function readPlain(body: ReturnType<typeof asRecord>): Ended {
  if (body?.['error']) return failed(JSON.stringify(body['error']))
  const message = asRecord(asRecord(asArray(body?.['choices'])?.[0])?.['message'])
  return ended(asString(message?.['content']) ?? '', asString(body?.['model']) ?? null, body?.['usage'])
}

async function readStream(response: Response): Promise<Ended> {
  let text = ''
  let model: string | null = null
  let usage: unknown
  for await (const data of eventsOf(response)) {
    if (data === '[DONE]') break
    const chunk = asRecord(readJson(data))
    if (chunk === undefined) continue
    if (chunk['error']) return { ...failed(JSON.stringify(chunk['error'])), hasBegun: text !== '' }
    model = asString(chunk['model']) ?? model
    usage = chunk['usage'] ?? usage
    for (const choice of asArray(chunk['choices']) ?? [])
      text += asString(asRecord(asRecord(choice)?.['delta'])?.['content']) ?? ''
  }
  return ended(text, model, usage)
}

async function* eventsOf(response: Response): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${piece}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim()
  }
}

function ended(text: string, model: string | null, usage: unknown): Ended {
  const isWhole = text.replace(/\s+/g, ' ').trim() === ANSWER
  const facts = { model, hasUsage: asRecord(usage) !== undefined, hasBegun: text !== '', error: null }
  return { outcome: isWhole ? 'answer' : 'cut', ...facts }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
