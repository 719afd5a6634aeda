/** One question to a gateway in each of the four protocols, and its answer read back as a client reads it. */

import { dialectOf } from '../../src/dialects/dialects.ts'
import type { ChatResponse, DialectId } from '../../src/domain/chat.ts'
import { assembleResponse } from './assembleResponse.ts'
import type { GatewayWorld } from './gatewayWorld.ts'
import { replay } from './replay.ts'
import { textSoFar } from './textSoFar.ts'

export const DIALECTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']

export interface Asked {
  readonly model: string
  readonly stream: boolean
  /** A JSON Schema or JSON without one is demanded, in the client's own words. */
  readonly json?: boolean
  /** A tool `lookup` is offered. */
  readonly tools?: boolean
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly trail: string | null
  readonly target: string | null
  readonly attempts: string | null
  /** As it came. */
  readonly text: string
  /** Null for an error, and for a stream that did not end like a whole answer. */
  readonly read: ChatResponse | null
}

export async function askGateway(world: GatewayWorld, dialect: DialectId, asked: Asked): Promise<Answer> {
  const { path, body } = WRITERS[dialect](asked)
  const response = await world.ask(path, body, asked.headers)
  const text = await textSoFar(response)
  const header = (name: string) => response.headers.get(`x-keywise-${name}`)
  return {
    status: response.status,
    trail: header('trail'),
    target: header('target'),
    attempts: header('attempts'),
    text,
    read: response.ok ? readBack(dialect, text, asked.stream) : null,
  }
}

/** What the answer says. */
export const textOf = (response: ChatResponse | null) =>
  (response?.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')

/** What a client of the dialect reads; null for a stream that did not end like a whole answer. */
export function readBack(dialect: DialectId, text: string, stream: boolean): ChatResponse | null {
  const { upstream } = dialectOf(dialect)
  if (!stream) {
    const read = upstream.readResponse(JSON.parse(text))
    return read.ok ? read.response : null
  }
  const chunks = replay(upstream.streamReader(), Buffer.from(text))
  return chunks.at(-1)?.type === 'end' ? assembleResponse(chunks) : null
}

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const PROMPT = 'Where? Say it.'
const TOOL = { name: 'lookup', description: 'Looks up a city', parameters: SCHEMA }

type Writer = (asked: Asked) => { readonly path: string; readonly body: object }

const WRITERS: { readonly [D in DialectId]: Writer } = {
  openai: ({ model, stream, json, tools }) => ({
    path: '/v1/chat/completions',
    body: {
      model,
      messages: [{ role: 'user', content: PROMPT }],
      stream,
      ...(stream && { stream_options: { include_usage: true } }),
      ...(json && { response_format: { type: 'json_object' } }),
      ...(tools && { tools: [{ type: 'function', function: TOOL }] }),
    },
  }),
  'openai-responses': ({ model, stream, json, tools }) => ({
    path: '/v1/responses',
    body: {
      model,
      input: PROMPT,
      stream,
      ...(json && { text: { format: { type: 'json_schema', name: 'place', schema: SCHEMA } } }),
      ...(tools && { tools: [{ type: 'function', ...TOOL }] }),
    },
  }),
  anthropic: ({ model, stream, json, tools }) => ({
    path: '/v1/messages',
    body: {
      model,
      max_tokens: 100,
      messages: [{ role: 'user', content: PROMPT }],
      stream,
      ...(json && { output_config: { format: { type: 'json_schema', schema: SCHEMA } } }),
      ...(tools && { tools: [{ name: TOOL.name, description: TOOL.description, input_schema: SCHEMA }] }),
    },
  }),
  google: ({ model, stream, json, tools }) => ({
    path: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: {
      contents: [{ role: 'user', parts: [{ text: PROMPT }] }],
      ...(json && { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA } }),
      ...(tools && {
        tools: [{ functionDeclarations: [{ ...TOOL, parameters: undefined, parametersJsonSchema: SCHEMA }] }],
      }),
    },
  }),
}
