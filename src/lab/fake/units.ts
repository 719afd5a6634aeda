/**
 * Moderations, rerank, images and audio of the simulated providers, as strict as the services:
 * https://platform.openai.com/docs/api-reference and https://docs.cohere.com/reference/rerank
 */

import type { ServerResponse } from 'node:http'
import { dialectOf } from '../../dialects/dialects.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { FakeRequest, FakeUnits } from './request.ts'
import type { FakeFault, FakeModel } from './scenario.ts'
import { sendAnswer } from './wire.ts'

interface Service {
  readonly kind: NonNullable<FakeModel['kind']>
  /** Required fields, and what each must be. `image` may also be a list of fields, `image[]`. */
  readonly needs: Readonly<Record<string, (value: unknown) => boolean>>
  readonly isForm?: true
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isList = (value: unknown) => (asArray(value)?.length ?? 0) > 0
const isFile = (value: unknown) => value instanceof Blob

const SERVICES: Readonly<Record<string, Service>> = {
  moderations: { kind: 'moderation', needs: { input: (value) => isText(value) || isList(value) } },
  rerank: { kind: 'rerank', needs: { query: isText, documents: isList } },
  'images/generations': { kind: 'image', needs: { prompt: isText } },
  'audio/speech': { kind: 'speech', needs: { input: isText, voice: isText } },
  'audio/transcriptions': { kind: 'speech', needs: { file: isFile }, isForm: true },
  'audio/translations': { kind: 'speech', needs: { file: isFile }, isForm: true },
  'images/edits': { kind: 'image', needs: { image: isFile, prompt: isText }, isForm: true },
  'images/variations': { kind: 'image', needs: { image: isFile }, isForm: true },
}
const PATH = new RegExp(`/(${Object.keys(SERVICES).join('|')})$`)

export const isUnitPath = (path: string) => PATH.test(path)

/** Null for another path. Throws InvalidRequestError for a request that the service would refuse. */
export function readUnits(path: string, body: unknown, contentType = ''): FakeRequest | null {
  const [, tail = ''] = PATH.exec(path) ?? []
  const service = SERVICES[tail]
  if (service === undefined) return null
  const fields = asRecord(body) ?? {}
  const model = asString(fields['model'])
  if (model === undefined) throw new InvalidRequestError('you must provide a model parameter')
  if (service.isForm && !contentType.startsWith('multipart/form-data')) throw wrongType(contentType)
  for (const [name, isGood] of Object.entries(service.needs)) {
    const value = fields[name] ?? fields[`${name}[]`]
    if (value === undefined) throw missing(name)
    if (!isGood(value)) throw new InvalidRequestError(`Invalid value for '${name}'.`, { parameter: name })
  }
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

/** https://github.com/openai/openai-python/issues/2749 (2026-11-29), said there of the other type. */
const wrongType = (type: string) =>
  new InvalidRequestError(
    `Unsupported content type: '${type}'. This API method only accepts 'multipart/form-data' requests, but you specified the header 'Content-Type: ${type}'. Please try again with a supported content type.`,
    { vendorCode: 'unsupported_content_type' },
  )

/** https://github.com/BerriAI/litellm/pull/42189 (2026-11-29) */
const missing = (name: string) =>
  new InvalidRequestError(`Missing required parameter: '${name}'.`, {
    parameter: name,
    vendorCode: 'missing_required_parameter',
  })

export async function sendUnits(response: ServerResponse, units: FakeUnits, fault: FakeFault | null): Promise<void> {
  const { path, fields } = units
  if (path === 'audio/speech') return sendSpeech(response, fields, fault)
  if (path === 'audio/transcriptions' || path === 'audio/translations')
    return sendTranscription(response, fields, fault, path.endsWith('translations') ? 'English' : undefined)
  if (path === 'images/edits' && fields['stream'] === 'true') return sendPieces(response, SSE, EDIT_EVENTS, fault)
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
  rerank: ({ documents, top_n }) => ({
    id: 'rerank-fake',
    results: (asArray(documents) ?? [])
      .map((_, index, all) => ({ index: all.length - 1 - index, relevance_score: 1 / (index + 1) }))
      .slice(0, asNumber(top_n)),
    meta: { billed_units: { search_units: 1 } },
  }),
  'images/generations': () => PICTURE,
  'images/edits': () => PICTURE,
  'images/variations': () => PICTURE,
}

const PICTURE = {
  created: 1,
  data: [{ b64_json: 'aW1hZ2U=' }],
  usage: { input_tokens: 3, output_tokens: 40, total_tokens: 43 },
}

/** Bytes that are no text in any encoding. */
const AUDIO = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7) % 256))

/** The older models send sound whatever is asked: https://github.com/sfortis/openai_tts/pull/73 (2026-11-30) */
function sendSpeech(response: ServerResponse, fields: Fields, fault: FakeFault | null): Promise<void> {
  const { model, stream_format: format } = fields
  if (format !== 'sse' || asString(model)?.startsWith('tts-1'))
    return sendPieces(response, 'audio/mpeg', pieces(AUDIO), fault)
  const deltas = pieces(AUDIO).map((audio) => event({ type: 'speech.audio.delta', audio: audio.toString('base64') }))
  return sendPieces(response, SSE, [...deltas, event({ type: 'speech.audio.done' })], fault)
}

/** `into`: the language it is translated into. */
async function sendTranscription(
  response: ServerResponse,
  fields: Fields,
  fault: FakeFault | null,
  into: string | undefined,
): Promise<void> {
  const { file, response_format, stream } = fields
  const language = into ?? fields['language'] ?? 'unknown'
  const text = `${(file as Blob).size} bytes in ${String(language)}` // checked when it was read
  if (stream === 'true') {
    const deltas = text.split(' ').map((delta) => event({ type: 'transcript.text.delta', delta }))
    return sendPieces(response, SSE, [...deltas, event({ type: 'transcript.text.done', text })], fault)
  }
  if (response_format === 'text')
    return sendPieces(response, 'text/plain; charset=utf-8', [Buffer.from(`${text}\n`)], fault)
  sendAnswer(response, 200, { text, usage: { type: 'duration', seconds: 1 } })
}

const SSE = 'text/event-stream'

const event = (data: object) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`)

/** https://platform.openai.com/docs/api-reference/images-streaming (2026-11-29) */
const EDIT_EVENTS = ['image_edit.partial_image', 'image_edit.completed'].map((type) =>
  event({ type, b64_json: 'aW1hZ2U=' }),
)

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
