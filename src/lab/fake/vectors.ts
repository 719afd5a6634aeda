/**
 * The vectors of the simulated embedding models: as long as the request says, in numbers or in base64.
 * https://platform.openai.com/docs/api-reference/embeddings/create, https://ai.google.dev/api/embeddings (2026-11-30)
 */

import type { DialectId } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord } from '../../domain/json.ts'
import { tokensOf } from './reply.ts'

type Fields = Readonly<Record<string, unknown>>

/** Of a request that says nothing of it; far less than any model has, for the sake of tests. */
const USUAL_LENGTH = 3
/** Of any model; a server without rules of its own could be asked for more than there is memory. */
const MOST_LENGTH = 8192

/** What Mistral and Cohere call it stands behind OpenAI's word for it. */
const LENGTHS = ['dimensions', 'output_dimension', 'outputDimensionality', 'output_dimensionality']

/** `body`: what was asked, in the dialect's form. */
export function embeddingsBody(dialect: DialectId, model: string, texts: readonly string[], body: unknown): unknown {
  const fields = asRecord(body) ?? {}
  if (dialect === 'google') {
    const each = (asArray(fields['requests']) ?? []).map((request) => asRecord(request) ?? {})
    return { embeddings: texts.map((text, index) => ({ values: vectorOf(text, lengthIn(each[index] ?? {})) })) }
  }
  const write = fields['encoding_format'] === 'base64' ? inBase64 : (vector: readonly number[]) => vector
  const data = texts.map((text, index) => {
    return { object: 'embedding', index, embedding: write(vectorOf(text, lengthIn(fields))) }
  })
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0)
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

function lengthIn(fields: Fields): number {
  const all = { ...asRecord(fields['embedContentConfig']), ...fields }
  return LENGTHS.map((name) => asNumber(all[name])).find((length) => length !== undefined) ?? USUAL_LENGTH
}

function vectorOf(text: string, length: number): readonly number[] {
  const values = [0.1, 0.2, text.length / 1000]
  return Array.from(
    { length: Math.min(Math.max(length, 0), MOST_LENGTH) },
    (_, index) => values[index % values.length] ?? 0,
  )
}

/** 32-bit floats, the lowest byte first. */
const inBase64 = (vector: readonly number[]) => Buffer.from(Float32Array.from(vector).buffer).toString('base64')
