/** Recorded provider replies through the real path: a local server plays them, keywise calls it as that provider. */

import { readdirSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { APIManager, type CallResult } from '../src/manager/apiManager.ts'
import { chatBytes, recordedStreams, typedBytes } from './support/replay.ts'
import { hasTestData, readTestData, testDataPath } from './support/testData.ts'

interface Folder {
  readonly folder: string
  readonly dialect: DialectId
  /** The provider it is called as; a name of its own where the catalogue has none. */
  readonly provider: string
}

const FOLDERS: readonly Folder[] = [
  { folder: 'openai-chat', dialect: 'openai', provider: 'openai' },
  { folder: 'groq', dialect: 'openai', provider: 'groq' },
  { folder: 'deepseek', dialect: 'openai', provider: 'deepseek' },
  { folder: 'mistral', dialect: 'openai', provider: 'mistral' },
  { folder: 'xai', dialect: 'openai', provider: 'xai' },
  { folder: 'alibaba', dialect: 'openai', provider: 'alibaba' },
  { folder: 'moonshot', dialect: 'openai', provider: 'moonshot' },
  { folder: 'anthropic', dialect: 'anthropic', provider: 'anthropic' },
  { folder: 'google', dialect: 'google', provider: 'google' },
  { folder: 'openai-responses', dialect: 'openai-responses', provider: 'responses' },
  { folder: 'lmstudio-responses', dialect: 'openai-responses', provider: 'lmstudio' },
  { folder: 'azure', dialect: 'openai-responses', provider: 'azure' },
]

/** Recordings that are refusals: what they mean. */
const REFUSALS: Readonly<Record<string, string>> = {
  'openai-chat/reasoning-model-legacy-parameter-error.json': 'unsupported',
  'google/google-429-retry-info.json': 'rate_minute',
  'openai-responses/openai-error.1.json': 'billing',
  'openai-responses/openai-error.1.chunks.txt': 'billing',
  'anthropic/anthropic-refusal.json': 'content_filter',
  'anthropic/anthropic-refusal.chunks.txt': 'content_filter',
}

interface Playing {
  readonly bytes: Uint8Array
  readonly status: number
  readonly type: string
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes per network chunk; 0: all at once. */
  readonly stride: number
}

let playing: Playing
let origin = ''
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => void play(response))
})

async function play(response: ServerResponse): Promise<void> {
  const { bytes, status, type, headers, stride } = playing
  response.writeHead(status, { 'content-type': type, ...headers })
  for (let from = 0; stride > 0 && from + stride < bytes.length; from += stride)
    if (!response.write(bytes.subarray(from, from + stride)))
      await new Promise((resolve) => response.once('drain', resolve))
  const rest = stride === 0 ? 0 : Math.floor((bytes.length - 1) / stride) * stride
  response.end(bytes.subarray(rest))
}

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
beforeAll(() => {
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listening on TCP
})
afterAll(() => void server.close().closeAllConnections())

async function withManager<T>({ provider, dialect }: Folder, use: (manager: APIManager) => Promise<T>): Promise<T> {
  const block = { dialect, endpoint: `${origin}/v1`, api_key: `recorded-${provider}-key`, models: ['m'] }
  const manager = new APIManager({
    config: { [provider]: block },
    env: {},
    logger: false,
    sleep: () => Promise.resolve(),
  })
  try {
    return await use(manager)
  } finally {
    await manager.close()
  }
}

const ASKED = { prompt: 'What was recorded?', timeoutMs: 10_000, maxAttempts: 1 }

/** What of a result follows from the recording alone. */
const said = ({ content, toolCalls, reasoning, finishReason, usage }: CallResult) => ({
  content,
  toolCalls,
  reasoning,
  finishReason,
  usage,
})

const kindOf = (error: { attempts?: readonly { failureKind: string | null }[] }) => error.attempts?.[0]?.failureKind

describe.runIf(hasTestData)('recorded replies through callWithFallback and streamWithFallback', () => {
  for (const place of FOLDERS) {
    const { folder } = place
    for (const name of hasTestData
      ? readdirSync(testDataPath('fixtures', folder)).filter((one) => one.endsWith('.json'))
      : []) {
      const refusal = REFUSALS[`${folder}/${name}`]
      test(`${folder}/${name} plain ${refusal === undefined ? 'is an answer' : `means ${refusal}`}`, async () => {
        const status =
          refusal === undefined || refusal === 'content_filter' ? 200 : refusal === 'unsupported' ? 400 : 429
        const bytes = Buffer.from(readTestData('fixtures', folder, name))
        playing = { bytes, status, type: 'application/json', stride: 37 }
        await withManager(place, async (manager) => {
          if (refusal !== undefined) {
            const error = await manager.callWithFallback(ASKED).catch((thrown) => thrown)
            return expect(kindOf(error)).toBe(refusal)
          }
          const result = await manager.callWithFallback(ASKED)
          expect(result.content !== '' || result.toolCalls.length > 0 || result.reasoning !== undefined).toBe(true)
          expect(result.usage).toMatchObject({ estimated: false })
          expect(result.usage.inputTokens + result.usage.outputTokens).toBe(result.usage.totalTokens)
          // What a custom tool is given is free text; everything else is JSON.
          if (!name.includes('custom-tool')) for (const call of result.toolCalls) JSON.parse(call.arguments)
        })
      })
    }

    for (const { name, lines } of recordedStreams(folder)) {
      const refusal = REFUSALS[name]
      test(`${name} streamed ${refusal === undefined ? 'says the same however the network cuts it' : `means ${refusal}`}`, async () => {
        const named = place.dialect === 'anthropic' || place.dialect === 'openai-responses'
        const bytes = named ? typedBytes(lines) : place.dialect === 'google' ? dataBytes(lines) : chatBytes(lines)
        await withManager(place, async (manager) => {
          const results: unknown[] = []
          for (const stride of [0, ...(bytes.length < 4000 ? [1] : []), 13, 1021]) {
            playing = { bytes, status: 200, type: 'text/event-stream', stride }
            manager.engine.learned.parks.lift(null, Date.now() + 1000)
            const stream = manager.streamWithFallback(ASKED)
            const told = (result: CallResult) => (refusal === undefined ? said(result) : kindOf(result))
            results.push(await stream.result.then(told, (error) => kindOf(error) ?? String(error)))
          }
          expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1)
          if (refusal !== undefined) expect(results[0]).toBe(refusal)
          else expect(results[0]).toMatchObject({ finishReason: expect.any(String), usage: { estimated: false } })
        })
      })
    }
  }
})

const dataBytes = (lines: readonly string[]) => Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(''))

interface Observed {
  readonly id: string
  readonly provider: string
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly expect_class: string
}

describe.runIf(hasTestData)('observed errors through callWithFallback', () => {
  const observed: readonly Observed[] = hasTestData
    ? JSON.parse(readTestData('fixtures', 'observed-errors', 'observed-errors.json')).errors
    : []
  const CALLED_AS: Readonly<Record<string, [string, DialectId]>> = {
    gemini: ['google', 'google'],
    anthropic: ['anthropic', 'anthropic'],
  }
  for (const { id, provider, status, body, headers = {}, expect_class: kind } of observed) {
    test(`${id} is ${kind}`, async () => {
      const [name, dialect] = CALLED_AS[provider] ?? [provider, 'openai' as const]
      for (const stream of [false, true]) {
        playing = { bytes: Buffer.from(JSON.stringify(body)), status, type: 'application/json', headers, stride: 11 }
        await withManager({ folder: '', dialect, provider: name }, async (manager) => {
          const call = stream ? manager.streamWithFallback(ASKED).result : manager.callWithFallback(ASKED)
          expect(kindOf(await call.catch((thrown) => thrown))).toBe(kind)
        })
      }
    })
  }
})
