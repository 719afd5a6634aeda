/** `POST /v1/embeddings`: the same model with other keys and providers may serve it, another model never. */

import { dialectOf } from '../../dialects/dialects.ts'
import { embeddingsFor, embeddingsRequest, inputTexts } from '../../dialects/embeddings.ts'
import type { AttemptReport } from '../../domain/attempt.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { type Answered, cascade } from '../../engine/cascade.ts'
import type { Engine } from '../../engine/engine.ts'
import { prepareRequest, type RequestOptions, requestId } from '../../engine/prepareRequest.ts'
import type { EngineReader } from '../../engine/reader.ts'
import type { PendingRequest } from '../../engine/request/pendingRequest.ts'
import { parseBody, readBody } from '../body.ts'
import { clientFailure, headerText, trailOf } from '../clientError.ts'
import { clientHeaders } from '../clientHeaders.ts'
import type { Handler, ObservedRequest } from '../handler.ts'
import { viaOf } from '../loopGuard.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'
import { onceListed } from './onceListed.ts'

/** `model`: named in the path instead of the body. */
export const embed =
  (model?: string): Handler =>
  async (parts, request, response, token) => {
    const { engine } = parts
    const id = requestId()
    const startedAt = performance.now()
    const observe = (seen: Pick<ObservedRequest, 'model' | 'status' | 'report' | 'attempts'>) =>
      parts.observe({ id, dialect: 'openai', token: token.name, totalMs: performance.now() - startedAt, ...seen })
    try {
      await parts.ready()
      const body = asRecord(parseBody((await readBody(request, parts.maxBodyBytes)).bytes))
      const asked = readEmbeddings(model === undefined ? body : { ...body, model })
      const pending = await onceListed(engine, () =>
        prepareEmbeddings(engine, asked, id, {
          ...clientHeaders(request.headers, body),
          token: token.name,
          via: viaOf(request.headers, parts.name),
        }),
      )
      response.on('close', () => response.writableFinished || pending.cancellation.cancel())
      const answered = await cascade(engine, pending)
      const report = await answered.recorded
      const { attempts } = answered.trail
      const headers = {
        'x-keywise-request-id': id,
        'x-keywise-target': headerText(report.target),
        'x-keywise-attempts': String(answered.trail.calls),
        'x-keywise-trail': trailOf(attempts),
      }
      sendJson(response, 200, answerOf(answered, report, asked), headers)
      observe({ model: asked.model, status: 200, report, attempts })
    } catch (error) {
      const failure = clientFailure(error, id, engine.now)
      const { status, attempts } = failure
      if (!response.headersSent && !response.destroyed) sendFailure(response, dialectOf('openai'), failure)
      observe({ model: '', status, report: attempts.at(-1) ?? null, attempts })
    }
  }

interface AskedEmbeddings {
  readonly model: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly inputTokens: number
}

function prepareEmbeddings(
  engine: Engine,
  { model, fields, inputTokens }: AskedEmbeddings,
  id: string,
  options: RequestOptions,
): PendingRequest {
  const among = embedders(engine, model)
  const needs = { abilities: ['embeddings'] as const, inputTokens, maxOutputTokens: 0, auto: false }
  const pending = prepareRequest(
    engine,
    embeddingsRequest(model, fields),
    { ...options, dialectFor: embeddingsFor, needs: { ...needs, ...(among !== null && { among }) } },
    id,
  )
  if (pending.selection.auto) throw autoRefused()
  if (inputTexts(fields['input']) === null) refuseWithoutText(engine, pending.selection.among)
  return pending
}

function answerOf({ call, winner }: Answered, { usage }: AttemptReport, { fields }: AskedEmbeddings): unknown {
  const served = call.ended?.outcome.response?.extra?.fields
  const counts = { prompt_tokens: usage?.inputTokens ?? 0, total_tokens: usage?.totalTokens ?? 0 }
  const answer = { object: 'list', model: winner.target.model, usage: counts, ...served }
  return fields['encoding_format'] === 'base64' ? inBase64(answer) : answer
}

function readEmbeddings(body: Record<string, unknown> | undefined): AskedEmbeddings {
  const model = asString(body?.['model'])
  if (body === undefined || model === undefined || model === '')
    throw new InvalidRequestError('"model" must be the id of an embedding model', { parameter: 'model' })
  if (model === 'auto' || model.startsWith('auto:')) throw autoRefused()
  const { model: _model, ...fields } = body
  const texts = inputTexts(fields['input'])
  const tokens = asArray(fields['input'])
  if (texts === null && (tokens === undefined || tokens.length === 0))
    throw new InvalidRequestError('"input" must be a text or a list of texts', { parameter: 'input' })
  const characters = texts?.reduce((sum, text) => sum + text.length, 0) ?? (tokens?.flat().length ?? 0) * 4
  return { model, fields, inputTokens: Math.ceil(characters / 4) }
}

/**
 * Of an alias, which may cover a provider's whole list: the models known to embed and those of the configuration; all
 * where none is known. A name that is no alias is taken as it is: null.
 */
function embedders({ registry }: EngineReader, model: string): ReadonlySet<string> | null {
  const { order } = registry.names.select(model)
  const targets = order?.flatMap((stateId) => registry.find(stateId) ?? []) ?? []
  if (!targets.some(({ profile }) => profile.abilities.embeddings === true)) return null
  const wanted = targets.filter(({ profile }) => profile.abilities.embeddings === true || !profile.discovered)
  return new Set(wanted.map(({ stateId }) => stateId))
}

/** Token ids in place of text are specific to a tokenizer: only upstreams of the OpenAI dialect accept them. */
function refuseWithoutText({ registry }: EngineReader, among: ReadonlySet<string> | null): void {
  const able = registry.targets.some(({ stateId, profile }) => among?.has(stateId) && profile.dialect === 'openai')
  if (able) return
  throw new InvalidRequestError('"input" must be a text or a list of texts for this model', { parameter: 'input' })
}

/**
 * Clients that request base64 do not expect numbers, and not every upstream supports it: 32-bit floats, little endian.
 */
function inBase64(answer: Readonly<Record<string, unknown>>): unknown {
  const rows = (asArray(answer['data']) ?? []).map((row) => {
    const fields = asRecord(row)
    const numbers = asArray(fields?.['embedding'])
    if (numbers === undefined) return row
    return { ...fields, embedding: Buffer.from(Float32Array.from(numbers, Number).buffer).toString('base64') }
  })
  return { ...answer, data: rows }
}

/** Vectors of different models are not comparable, so only the caller may choose the model. */
function autoRefused(): InvalidRequestError {
  return new InvalidRequestError('embeddings need the id of a model: vectors of different models cannot be compared', {
    parameter: 'model',
  })
}
