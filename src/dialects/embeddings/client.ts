/** Embeddings as clients request them: in OpenAI's form, and in Gemini's own. */

import type { ChatRequest, ChatResponse, DialectId } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asRecord } from '../../domain/json.ts'
import type { VectorFacts } from '../../domain/wireFacts.ts'
import { bodyOf, tokens as checkCount, type Fields, requiredText, wrong } from '../fields/requestFields.ts'
import { rowsOf } from './answer.ts'
import { fieldsOf, inputsOf } from './inputs.ts'
import { googleTask, TASK_FIELDS, taskIn, taskWord } from './tasks.ts'
import { inBase64, inNumbers } from './vectors.ts'

export interface EmbeddingsClient {
  readonly dialect: DialectId
  /** Throws InvalidRequestError. `model`: the one of the path, where it names one. */
  readRequest(body: unknown, model?: string): ChatRequest
  writeResponse(response: ChatResponse, request: ChatRequest, facts: VectorsAnswered): unknown
  /** The fields of the request that mean nothing to an upstream of that dialect, by name; `vectors`: what its model takes. */
  ignoredBy(dialect: DialectId, request: ChatRequest, vectors?: VectorFacts): readonly string[]
}

interface VectorsAnswered {
  /** The id of the request. */
  readonly id: string
  /** The model that answered. */
  readonly model: string
  /** As booked: reported by the provider, or estimated. */
  readonly inputTokens: number
}

/** https://platform.openai.com/docs/api-reference/embeddings/create */
export const openaiEmbeddings: EmbeddingsClient = {
  dialect: 'openai',
  readRequest(body, path) {
    const { model = path, ...fields } = path === undefined ? bodyOf(body) : { ...bodyOf(body), model: path }
    const named = requiredText({ model }, 'model')
    checkInput(fields['input'])
    checkCount(fields, 'dimensions')
    return { model: named, messages: [], stream: false, extra: { dialect: 'openai', fields } }
  },
  writeResponse(response, request, { id, model, inputTokens }) {
    const served = response.extra?.fields
    const usage = { prompt_tokens: inputTokens, total_tokens: inputTokens }
    return { id, object: 'list', model, usage, ...served, data: encoded(rowsOf(response), fieldsOf(request)) }
  },
  ignoredBy(dialect, request, vectors) {
    const fields = fieldsOf(request)
    const task = ignoredTask(dialect, fields, vectors)
    if (dialect !== 'google') return task
    const format = FORMATS.has(fields['encoding_format']) ? [] : ['encoding_format']
    return [...format, ...otherNames([fields], SAID_TO_GEMINI), ...task]
  },
}

/** The field of a task that the upstream has no word for. */
function ignoredTask(dialect: DialectId, fields: Fields, { tasks }: VectorFacts = {}): readonly string[] {
  const said = taskIn(fields)
  if (said === undefined) return []
  if (tasks === 'none') return [said.field]
  if (dialect === 'google') return googleTask(fields) === undefined ? [said.field] : []
  return tasks === undefined || taskWord(fields, tasks) !== undefined ? [] : [said.field]
}

/** What vectors are written in whatever the upstream sends; `int8` and the like only where it knows them. */
const FORMATS: ReadonlySet<unknown> = new Set([undefined, null, 'float', 'base64'])

/** Those in which the vectors are written, and those that Gemini has a word for. */
const SAID_TO_GEMINI = new Set([
  ...['input', 'encoding_format', 'dimensions', 'output_dimension', 'title'],
  ...TASK_FIELDS,
])

/** Clients that ask for base64 do not expect numbers, nor the others base64, whatever the upstream supports. */
function encoded(rows: readonly unknown[], fields: Fields): readonly unknown[] {
  // Other kinds of numbers (`int8`, `ubinary`) stay as they came.
  if (fields['output_dtype'] != null && fields['output_dtype'] !== 'float') return rows
  const convert = fields['encoding_format'] === 'base64' ? inBase64 : inNumbers
  return rows.map((row) => {
    const record = asRecord(row)
    return record === undefined ? row : { ...record, embedding: convert(record['embedding']) }
  })
}

/** One text or list of token ids, or a list of either; never both, because no model takes them together. */
function checkInput(input: unknown): void {
  if (typeof input === 'string') return
  const list = asArray(input)
  if (list === undefined || list.length === 0) throw wrong('input', 'must be a text or a list of texts')
  const kinds = new Set(list.map((item) => (Array.isArray(item) ? 'array' : typeof item)))
  if (kinds.size > 1) throw wrong('input', 'must hold texts or lists of token ids, not both')
}

/** https://ai.google.dev/api/embeddings (2026-11-29) */
function googleClient(isBatch: boolean): EmbeddingsClient {
  return {
    dialect: 'google',
    readRequest(body, model = '') {
      const fields = bodyOf(body)
      const requests = isBatch ? (asArray(fields['requests']) ?? []) : [fields]
      if (requests.length === 0) throw wrong('requests', 'must be a list with at least one request')
      requests.forEach((one, index) => void checkContent(one, isBatch ? `requests[${index}].content` : 'content'))
      return { model, messages: [], stream: false, extra: { dialect: 'google', fields: { requests } } }
    },
    writeResponse(response, _request, { inputTokens }) {
      const embeddings = rowsOf(response).map((row) => ({ values: inNumbers(asRecord(row)?.['embedding']) }))
      const usageMetadata = { promptTokenCount: inputTokens, totalTokenCount: inputTokens }
      return isBatch ? { embeddings, usageMetadata } : { embedding: embeddings[0], usageMetadata }
    },
    ignoredBy(dialect, request, { tasks } = {}) {
      if (dialect === 'google') return []
      const fields = asRecord(inputsOf(request)[0]) ?? {}
      const isTold = tasks !== undefined && tasks !== 'none' && taskWord(fields, tasks) !== undefined
      const known = isTold ? new Set([...SAID_TO_OPENAI, ...TASK_FIELDS]) : SAID_TO_OPENAI
      return otherNames(inputsOf(request), known)
    },
  }
}

function checkContent(request: unknown, at: string): void {
  const parts = asArray(asRecord(asRecord(request)?.['content'])?.['parts'])
  if (parts === undefined || parts.length === 0)
    throw new InvalidRequestError(`"${at}" must have parts`, { parameter: at })
}

const SAID_TO_OPENAI = new Set(['model', 'content', 'outputDimensionality', 'output_dimensionality'])

/** The fields that have a value and are not among those. */
function otherNames(records: readonly unknown[], known: ReadonlySet<string>): readonly string[] {
  const entries = records.flatMap((record) => Object.entries(asRecord(record) ?? {}))
  return [...new Set(entries.flatMap(([name, value]) => (known.has(name) || value == null ? [] : [name])))]
}

export const googleEmbedding = googleClient(false)
export const googleEmbeddings = googleClient(true)
