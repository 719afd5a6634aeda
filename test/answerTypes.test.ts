/** Everything that keywise writes as an answer has the type that the official clients of its protocol declare for it. */

import { expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import type { ChatChunk, ChatRequest, ChatResponse, DialectId } from '../src/domain/chat.ts'
import { chunksOf } from '../src/upstream/chunksOf.ts'
import { type Checked, typeErrors } from './support/typeCheck.ts'

const PRELUDE = `
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import type { ErrorResponse } from '@anthropic-ai/sdk/resources/shared'
import type { Message, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages/messages'
import type { GenerateContentResponse } from '@google/genai'

// Thoughts, pictures and sources come in fields that OpenAI's type does not have.
type Delta = ChatCompletionChunk.Choice.Delta & { [more: string]: unknown }
type Choice = Omit<ChatCompletionChunk.Choice, 'delta'> & { delta: Delta }
type Chunk = Omit<ChatCompletionChunk, 'choices'> & { choices: Choice[] }
// The client adds the text of all of it by itself.
type Answer = Omit<Response, 'output_text'>
type WireEvent<E> = E extends { response: Response } ? Omit<E, 'response'> & { response: Answer } : E
type ResponsesEvent = WireEvent<ResponseStreamEvent>
// What the client computes is no field, and an enumeration is the text of its value.
type Plain<T> = T extends string ? \`\${T}\` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T
type Gemini = Plain<Pick<GenerateContentResponse,
  'candidates' | 'promptFeedback' | 'responseId' | 'modelVersion' | 'usageMetadata'>>
`

const WHOLE: { readonly [D in DialectId]: string } = {
  openai: 'ChatCompletion',
  'openai-responses': 'Answer',
  anthropic: 'Message',
  google: 'Gemini',
}
const EVENT: { readonly [D in DialectId]: string } = {
  openai: 'Chunk',
  'openai-responses': 'ResponsesEvent',
  anthropic: 'RawMessageStreamEvent',
  google: 'Gemini',
}
const DIALECTS = Object.keys(WHOLE) as DialectId[] // its keys are the ids

const usage = {
  inputTokens: 9,
  outputTokens: 4,
  totalTokens: 13,
  cachedInputTokens: 3,
  cacheWriteTokens: 1,
  reasoningTokens: 2,
  estimated: false,
}
const text = { type: 'text', text: 'It rains.' } as const
const call = (index: number) =>
  ({ type: 'tool-call', id: `call_${index}`, name: 'weather', arguments: '{"city":"Bern"}' }) as const
const image = { type: 'image', mediaType: 'image/png', data: 'AAAA' } as const
const blocked = { reason: 'SAFETY', details: { safetyRatings: [] } }

/** As much of an answer as there can be, and as little. */
const ANSWERS: { readonly [name: string]: Omit<ChatResponse, 'model'> } = {
  text: { content: [text], finishReason: 'stop', usage },
  'text without usage': { content: [text], finishReason: 'stop' },
  'few known tokens': {
    content: [text],
    finishReason: 'stop',
    usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2, estimated: true },
  },
  thoughts: {
    content: [{ type: 'reasoning', text: 'Hm', signature: 'anthropic:AAAA' }, text, { type: 'reasoning', text: 'So' }],
    finishReason: 'stop',
    usage,
  },
  'hidden thoughts': {
    content: [{ type: 'reasoning', text: '', signature: 'anthropic:AAAA', redacted: true }, text],
    finishReason: 'stop',
    usage,
  },
  calls: {
    content: [text, { ...call(0), signature: 'google:AAAA' }, call(1)],
    finishReason: 'tool_calls',
    usage,
  },
  pictures: { content: [text, image, { type: 'image', url: 'https://a.example/x.png' }], finishReason: 'stop', usage },
  'a picture alone': { content: [image], finishReason: 'stop', usage },
  'a recording': { content: [{ type: 'file', mediaType: 'audio/wav', data: 'AAAA' }], finishReason: 'stop', usage },
  sources: {
    content: [text],
    citations: [{ url: 'https://a.example/', title: 'A', start: 3, end: 8 }, { url: 'https://b.example/' }],
    finishReason: 'stop',
    usage,
  },
  'cut off': { content: [text], finishReason: 'length', usage },
  'nothing, cut off': { content: [], finishReason: 'length', usage },
  withheld: { content: [], finishReason: 'content_filter', blocked, usage },
  'withheld in the middle': { content: [text], finishReason: 'content_filter', blocked, usage },
  'a stop sequence': { content: [text], finishReason: 'stop', stopSequence: 'END', usage },
  'without words': { content: [], finishReason: 'stop', opaque: true, usage },
}

const REQUEST: ChatRequest = {
  model: 'm',
  messages: [],
  stream: true,
  tools: [{ name: 'weather' }, { name: 'clock', parameters: { type: 'object', properties: {} } }],
  toolChoice: { name: 'weather' },
  responseFormat: { type: 'json-schema', name: 'place', schema: { type: 'object' } },
  reasoning: { effort: 'low' },
  maxTokens: 100,
  user: 'u',
}
const FACTS = { now: 1_700_000_000_000, id: 'req_1' }

/** The writers leave some fields undefined, which the wire does not know. */
const onWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function eventsOf(dialect: DialectId, chunks: readonly ChatChunk[], request: ChatRequest): unknown[] {
  const writer = dialectOf(dialect).client.streamWriter(request, FACTS)
  const written = chunks.map((chunk) => writer.write(chunk)).join('')
  const datas = [...written.matchAll(/^data: (.*)$/gm)].map((found) => found[1] ?? '')
  return datas.filter((data) => data !== '[DONE]').map((data) => JSON.parse(data))
}

function written(dialect: DialectId): Checked[] {
  return Object.entries(ANSWERS).flatMap(([name, answer]) => {
    const response = { ...answer, model: 'm' }
    const whole = onWire(dialectOf(dialect).client.writeResponse(response, REQUEST, FACTS))
    const bare = { model: 'm', messages: [], stream: true }
    const events = [REQUEST, { ...bare, wantsUsage: true }].flatMap((request) =>
      eventsOf(dialect, chunksOf(response), request),
    )
    return [
      { type: WHOLE[dialect], value: whole, name: `${dialect}: ${name}` },
      ...events.map((value) => ({ type: EVENT[dialect], value, name: `${dialect}, streamed: ${name}` })),
    ]
  })
}

/** An answer that lacks one field its clients rely on. */
const LACKING: { readonly [D in DialectId]: string } = {
  openai: 'choices',
  'openai-responses': 'parallel_tool_calls',
  anthropic: 'stop_details',
  google: '',
}

function lacking(dialect: DialectId, [first]: readonly Checked[]): Checked[] {
  const field = LACKING[dialect]
  if (first === undefined || field === '') return []
  const value = { ...(first.value as object), [field]: undefined } // an answer is an object
  return [{ ...first, value, isWrong: true }]
}

const failure = { status: 529, message: 'busy', code: 'overloaded', requestId: 'req_1' }

test('every answer and every event has the type that the official client declares', () => {
  const all = DIALECTS.flatMap((dialect) => {
    const values = written(dialect)
    return [...values, ...lacking(dialect, values)]
  })
  const { writeError } = dialectOf('anthropic').client
  all.push({ type: 'ErrorResponse', value: onWire(writeError(failure)), name: 'anthropic: error' })
  const writer = dialectOf('openai-responses').client.streamWriter(REQUEST, FACTS)
  for (const found of writer.fail(failure).matchAll(/^data: (.*)$/gm))
    all.push({ type: 'ResponsesEvent', value: JSON.parse(found[1] ?? ''), name: 'openai-responses: broken' })
  // Gemini's fields may all be missing; a wrong word may not.
  all.push({ type: 'Gemini', value: { candidates: [{ finishReason: 'stop' }] }, name: 'wrong', isWrong: true })
  expect(all.length).toBeGreaterThan(200)
  expect(typeErrors(PRELUDE, all)).toBe('')
})
