/**
 * Moderations, rerank, images and audio of the simulated providers, as strict as the services:
 * https://platform.openai.com/docs/api-reference and https://docs.cohere.com/reference/rerank
 */

import type { ServerResponse } from 'node:http'
import { dialectOf } from '../../dialects/dialects.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { FakeRequest, FakeUnits } from './request.ts'
import type { FakeFault, FakeModel } from './scenario.ts'
import { sendAnswer } from './wire.ts'

interface Service {
  readonly kind: NonNullable<FakeModel['kind']>
  /** Required fields, and what each must be. */
  readonly needs: Readonly<Record<string, (value: unknown) => boolean>>
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isList = (value: unknown) => (asArray(value)?.length ?? 0) > 0

const SERVICES: Readonly<Record<string, Service>> = {
  moderations: { kind: 'moderation', needs: { input: (value) => isText(value) || isList(value) } },
  rerank: { kind: 'rerank', needs: { query: isText, documents: isList } },
  'images/generations': { kind: 'image', needs: { prompt: isText } },
  'audio/speech': { kind: 'speech', needs: { input: isText, voice: isText } },
  'audio/transcriptions': { kind: 'speech', needs: { file: (value) => value instanceof Blob } },
}
const PATH = new RegExp(`/(${Object.keys(SERVICES).join('|')})$`)

/** Null for another path. Throws InvalidRequestError for a request that the service would refuse. */
export function readUnits(path: string, body: unknown): FakeRequest | null {
  const [, tail = ''] = PATH.exec(path) ?? []
  const service = SERVICES[tail]
  if (service === undefined) return null
  const fields = asRecord(body) ?? {}
  const model = asString(fields['model'])
  if (model === undefined) throw new InvalidRequestError('you must provide a model parameter')
  for (const [name, isGood] of Object.entries(service.needs))
    if (!isGood(fields[name])) throw new InvalidRequestError(`Invalid or missing '${name}'.`)
  const request = { model, messages: [], stream: false }
  return {
    model,
    dialect: dialectOf('openai'),
    request,
    kind: service.kind,
    texts: null,
    units: { path: tail, fields },
  }
}

export async function sendUnits(response: ServerResponse, units: FakeUnits, fault: FakeFault | null): Promise<void> {
  const { path, fields } = units
  if (path === 'audio/speech') return sendSpeech(response, fields, fault)
  if (path === 'audio/transcriptions') return sendTranscription(response, fields, fault)
  sendAnswer(response, 200, ANSWERS[path]?.(fields))
}

type Fields = Readonly<Record<string, unknown>>

const ANSWERS: Readonly<Record<string, (fields: Fields) => unknown>> = {
  moderations: ({ model, input }) => ({
    id: 'modr-fake',
    model,
    results: (asArray(input) ?? [input]).map((text) => ({
      flagged: String(text).includes('bad'),
      categories: { violence: String(text).includes('bad') },
      category_scores: { violence: 0.5 },
    })),
  }),
  rerank: ({ documents }) => ({
    id: 'rerank-fake',
    results: (asArray(documents) ?? []).map((_, index, all) => ({
      index: all.length - 1 - index,
      relevance_score: 1 / (index + 1),
    })),
    meta: { billed_units: { search_units: 1 } },
  }),
  'images/generations': () => ({
    created: 1,
    data: [{ b64_json: 'aW1hZ2U=' }],
    usage: { input_tokens: 3, output_tokens: 40, total_tokens: 43 },
  }),
}

/** Bytes that are no text in any encoding. */
const AUDIO = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7) % 256))

function sendSpeech(response: ServerResponse, { stream_format }: Fields, fault: FakeFault | null): Promise<void> {
  if (stream_format !== 'sse') return sendPieces(response, 'audio/mpeg', pieces(AUDIO), fault)
  const deltas = pieces(AUDIO).map((audio) => event({ type: 'speech.audio.delta', audio: audio.toString('base64') }))
  return sendPieces(response, 'text/event-stream', [...deltas, event({ type: 'speech.audio.done' })], fault)
}

async function sendTranscription(response: ServerResponse, fields: Fields, fault: FakeFault | null): Promise<void> {
  const { file, response_format, stream, language = 'unknown' } = fields
  const text = `${(file as Blob).size} bytes in ${String(language)}` // checked when it was read
  if (stream === 'true') {
    const deltas = text.split(' ').map((delta) => event({ type: 'transcript.text.delta', delta }))
    return sendPieces(response, 'text/event-stream', [...deltas, event({ type: 'transcript.text.done', text })], fault)
  }
  if (response_format === 'text')
    return sendPieces(response, 'text/plain; charset=utf-8', [Buffer.from(`${text}\n`)], fault)
  sendAnswer(response, 200, { text, usage: { type: 'duration', seconds: 1 } })
}

const event = (data: object) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`)

const pieces = (bytes: Buffer) => [0, 1000, 2000].map((start) => bytes.subarray(start, start + 1000))

async function sendPieces(
  response: ServerResponse,
  type: string,
  all: readonly Buffer[],
  fault: FakeFault | null,
): Promise<void> {
  response.writeHead(200, { 'content-type': type })
  for (const piece of all) {
    // Each leaves by itself, so that a reset does not throw away what was written.
    await new Promise<void>((resolve) => response.write(piece, () => resolve()))
    if (fault?.do === 'cut_reset') return void response.socket?.resetAndDestroy()
  }
  response.end()
}
