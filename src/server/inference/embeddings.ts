/** `POST /v1/embeddings`: the same model with other keys and providers may serve it, another model never. */

import { dialectOf } from '../../dialects/dialects.ts'
import { embeddingsFor, embeddingsRequest, inputTexts } from '../../dialects/embeddings.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { cascade } from '../../engine/cascade.ts'
import { prepareRequest, requestId } from '../../engine/prepareRequest.ts'
import type { EngineReader } from '../../engine/reader.ts'
import { parseBody, readBody } from '../body.ts'
import { clientFailure, headerText, trailOf } from '../clientError.ts'
import { clientHeaders } from '../clientHeaders.ts'
import type { Handler } from '../handler.ts'
import { viaOf } from '../loopGuard.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'
import { onceListed } from './onceListed.ts'

export const embed: Handler = async (parts, request, response, token) => {
  const { engine } = parts
  const id = requestId()
  const startedAt = performance.now()
  try {
    await parts.ready()
    const body = asRecord(parseBody((await readBody(request, parts.maxBodyBytes)).bytes))
    const { model, fields, inputTokens } = readEmbeddings(body)
    const pending = await onceListed(engine, () => {
      const among = embedders(engine, model)
      return prepareRequest(
        engine,
        embeddingsRequest(model, fields),
        {
          ...clientHeaders(request.headers, body),
          token: token.name,
          via: viaOf(request.headers, parts.instance),
          dialectFor: embeddingsFor,
          needs: {
            abilities: ['embeddings'],
            inputTokens,
            maxOutputTokens: 0,
            auto: false,
            ...(among !== null && { among }),
          },
        },
        id,
      )
    })
    if (pending.selection.auto) throw autoRefused()
    if (inputTexts(fields['input']) === null) refuseWithoutText(engine, pending.selection.among)
    response.on('close', () => response.writableFinished || pending.cancellation.cancel())
    const answered = await cascade(engine, pending)
    const report = await answered.recorded
    const end = answered.call.ended
    const served = end?.outcome.response?.extra?.fields
    const usage = { prompt_tokens: report.usage?.inputTokens ?? 0, total_tokens: report.usage?.totalTokens ?? 0 }
    const trail = {
      'x-keywise-request-id': id,
      'x-keywise-target': headerText(report.target),
      'x-keywise-attempts': String(answered.trail.calls),
      'x-keywise-trail': trailOf(answered.trail.attempts),
    }
    const answer = { object: 'list', model: answered.winner.target.model, usage, ...served }
    sendJson(response, 200, fields['encoding_format'] === 'base64' ? inBase64(answer) : answer, trail)
    parts.observe({
      id,
      dialect: 'openai',
      model,
      token: token.name,
      status: 200,
      report,
      attempts: answered.trail.attempts,
      totalMs: performance.now() - startedAt,
    })
  } catch (error) {
    const failure = clientFailure(error, id, engine.now)
    if (!response.headersSent && !response.destroyed) sendFailure(response, dialectOf('openai'), failure)
    parts.observe({
      id,
      dialect: 'openai',
      model: '',
      token: token.name,
      status: failure.status,
      report: failure.attempts.at(-1) ?? null,
      attempts: failure.attempts,
      totalMs: performance.now() - startedAt,
    })
  }
}

function readEmbeddings(body: Record<string, unknown> | undefined) {
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
