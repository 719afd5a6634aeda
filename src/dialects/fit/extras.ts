/** The fields that only the client's own dialect has: a few have an equivalent, the others are left out and named. */

import type { ChatRequest, DialectId, Extra } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { hostedTools } from '../features/hostedTools.ts'
import type { AnswerChanges } from './answerChanges.ts'
import { takesCacheControl } from './content.ts'
import { nameInside } from './inside.ts'
import type { LeftOut } from './leftOut.ts'
import type { Recipient } from './recipient.ts'
import { sharedFields } from './sharedFields.ts'
import { ANSWER } from './wrappedSchema.ts'

type Fields = Readonly<Record<string, unknown>>

/** Read elsewhere, or said in every request of its dialect without changing the answer. */
const SAID: ReadonlySet<string> = new Set([
  ...['tools', 'tool_choice', 'toolConfig', 'tool_config', 'generationConfig', 'thinking', 'output_config'],
  ...[
    'n',
    'logprobs',
    'top_logprobs',
    'stream_options',
    'store',
    'include',
    'text',
    'reasoning',
    'truncation',
    'modalities',
    'input',
  ],
])

/** Which of them mean something where a client says just that. */
const MEANT: Fields = { store: true, truncation: 'auto' }

/** Of `generationConfig`, likewise. */
const SAID_OF_CONFIG: ReadonlySet<string> = new Set([
  ...[
    'responseMimeType',
    'responseSchema',
    'responseJsonSchema',
    'responseModalities',
    'thinkingConfig',
    'candidateCount',
    'responseLogprobs',
    'logprobs',
  ],
  ...['candidate_count', 'response_logprobs'],
  ...['response_mime_type', 'response_schema', 'response_json_schema', 'response_modalities', 'thinking_config'],
])

const SAID_OF_TEXT: ReadonlySet<string> = new Set(['format'])

interface FittedExtras {
  readonly request: ChatRequest
  readonly answer?: AnswerChanges
}

export function fitExtras(asked: ChatRequest, recipient: Recipient, leftOut: LeftOut): FittedExtras {
  const { extra } = asked
  if (hasCacheControl(asked, recipient)) leftOut.add('cache_control')
  nameInside(asked, recipient, leftOut)
  if (extra === undefined || extra.dialect === recipient.dialect) return { request: asked }
  const shared = sharedFields(asked, recipient)
  const request = Object.keys(shared).length === 0 ? asked : { ...asked, shared }
  const isTold = (name: string) => Object.hasOwn(shared, name)
  leftOut.add(...hostedTools(request), ...unsaid(extra.fields, SAID).filter((name) => !isTold(name)))
  const config = asRecord(extra.fields['generationConfig'])
  const text = asRecord(extra.fields['text']) ?? {}
  leftOut.add(
    ...unsaid(text, SAID_OF_TEXT)
      .filter((name) => !isTold(name))
      .map((name) => `text.${name}`),
  )
  if (config !== undefined) leftOut.add(...unsaid(config, SAID_OF_CONFIG).map((name) => `generationConfig.${name}`))
  if (recipient.dialect === 'google') return { request: withModalities(request, extra) }
  return withEnum(
    extra.dialect === 'google' && recipient.dialect === 'openai' ? fromModalities(request, config) : request,
    config,
  )
}

function unsaid(fields: Fields, said: ReadonlySet<string>): readonly string[] {
  const isSaid = (name: string) => said.has(name) && MEANT[name] !== fields[name]
  return Object.keys(fields).filter((name) => !isSaid(name) && !name.startsWith('$') && fields[name] != null)
}

function hasCacheControl({ messages, tools = [] }: ChatRequest, { dialect, wire }: Recipient): boolean {
  const isMarked = (extra: Extra | undefined) =>
    extra?.fields['cache_control'] !== undefined && extra.dialect !== dialect
  if (tools.some((tool) => isMarked(tool.extra))) return true
  if (takesCacheControl(dialect, wire)) return false
  return messages.some(({ content }) => content.some((part) => isMarked(part.extra)))
}

/** OpenRouter's `modalities` are Gemini's `responseModalities`: https://ai.google.dev/gemini-api/docs/image-generation */
function withModalities(request: ChatRequest, extra: Extra): ChatRequest {
  const kinds = modalitiesOf(extra.fields['modalities'])
  if (!kinds.includes('image')) return request
  const generationConfig = { responseModalities: kinds.map((kind) => kind.toUpperCase()) }
  return { ...request, extra: { dialect: 'google', fields: { generationConfig } } }
}

function fromModalities(request: ChatRequest, config: Readonly<Record<string, unknown>> | undefined): ChatRequest {
  const modalities = modalitiesOf(config?.['responseModalities'] ?? config?.['response_modalities'])
  return modalities.includes('image') ? { ...request, extra: own('openai', { modalities }) } : request
}

function modalitiesOf(value: unknown): readonly string[] {
  return (asArray(value) ?? []).flatMap((kind) => asString(kind)?.toLowerCase() ?? [])
}

const own = (dialect: DialectId, fields: Extra['fields']): Extra => ({ dialect, fields })

/** Gemini's `text/x.enum` becomes an object with one field, and the answer is taken out of it. */
function withEnum(request: ChatRequest, config: Readonly<Record<string, unknown>> | undefined): FittedExtras {
  const mime = asString(config?.['responseMimeType'] ?? config?.['response_mime_type'])
  const schema = asRecord(config?.['responseSchema'] ?? config?.['response_schema'] ?? config?.['responseJsonSchema'])
  const words = asArray(schema?.['enum'])
  if (mime !== 'text/x.enum' || words === undefined) return { request }
  return {
    request: {
      ...request,
      responseFormat: {
        type: 'json-schema',
        name: ANSWER,
        schema: {
          type: 'object',
          properties: { [ANSWER]: { type: 'string', enum: words } },
          required: [ANSWER],
          additionalProperties: false,
        },
        strict: true,
      },
    },
    answer: { textIn: ANSWER },
  }
}
