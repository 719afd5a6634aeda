/** Embeddings: the same model with other keys and providers may serve it, another model never. */

import { type EmbeddingsClient, openaiEmbeddings } from '../../dialects/embeddings/client.ts'
import { askedLength, type InputKind, inputsOf, kindOf, tokensIn } from '../../dialects/embeddings/inputs.ts'
import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { wireOf } from '../../domain/wireFacts.ts'
import type { Engine } from '../../engine/engine.ts'
import type { RequestOptions } from '../../engine/prepareRequest.ts'
import { prepareRequest } from '../../engine/prepareRequest.ts'
import type { EngineReader } from '../../engine/reader.ts'
import { embeddingsOperation } from '../../engine/request/embeddingsOperation.ts'
import type { PendingRequest } from '../../engine/request/pendingRequest.ts'
import { jsonBody, readBody } from '../body.ts'
import { headerText } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { askOnce } from './askOnce.ts'

/** `model`: the one that the path names. */
export const embed =
  (client: EmbeddingsClient = openaiEmbeddings, model?: string): Handler =>
  (parts, request, response, token) =>
    askOnce(parts, request, response, token, client.dialect, async () => {
      const body = await jsonBody((await readBody(request, parts.maxBodyBytes)).bytes)
      const asked = client.readRequest(body, model)
      return {
        body,
        prepare: (options, id) => prepareEmbeddings(parts.engine, asked, options, id),
        answer({ call, winner, report }, id, headers) {
          const answer = call.ended?.outcome.response
          if (answer === undefined) throw new TypeError('embeddings were answered before they came')
          const { dialect, spec } = winner.credential.connection
          const ignored = client.ignoredBy(dialect, asked, wireOf(spec.wire, winner.target.model).vectors)
          const leftOut = [...new Set([...ignored, ...winner.leftOut])]
          const facts = { id, model: winner.target.model, inputTokens: report?.usage?.inputTokens ?? 0 }
          sendJson(response, 200, client.writeResponse(answer, asked, facts), {
            ...headers,
            ...(leftOut.length > 0 && { 'x-keywise-left-out': headerText(leftOut.join(', ').slice(0, 300)) }),
          })
          return 200
        },
      }
    })

function prepareEmbeddings(engine: Engine, asked: ChatRequest, options: RequestOptions, id: string): PendingRequest {
  if (asked.model === 'auto' || asked.model.startsWith('auto:')) throw autoRefused()
  const tokens = inputsOf(asked).map((input) => tokensIn(input))
  const inputTokens = tokens.reduce((sum, more) => sum + more, 0)
  const longestTokens = tokens.reduce((most, more) => Math.max(most, more), 0)
  const among = targetsFor(engine, asked)
  const needs = { abilities: ['embeddings'] as const, inputTokens, longestTokens, maxOutputTokens: 0, auto: false }
  const operation = embeddingsOperation(asked)
  const pending = prepareRequest(
    engine,
    asked,
    { ...options, operation, needs: { ...needs, ...(among !== null && { among }) } },
    id,
  )
  if (pending.selection.auto && pending.selection.among === null) throw autoRefused()
  return pending
}

/** The targets that may be asked, by `stateId`; null for all that the name means. */
function targetsFor(engine: EngineReader, asked: ChatRequest): ReadonlySet<string> | null {
  const among = embedders(engine, asked.model)
  const kind = kindOf(asked)
  const length = askedLength(asked)
  if (kind === 'texts' && length === undefined) return among
  const { registry } = engine
  const named = among ?? registry.names.select(asked.model).among
  const meant = registry.targets.filter(({ stateId }) => named === null || named.has(stateId))
  const able = kind === 'texts' ? meant : meant.filter(({ profile }) => takes(profile.dialect, kind))
  if (able.length === 0 && meant.length > 0) throw onlyTexts(asked)
  const fitting =
    length === undefined ? able : able.filter(({ profile }) => (profile.vectorLength ?? length) === length)
  if (fitting.length === 0 && able.length > 0) throw onlyLength(asked, able[0]?.profile.vectorLength)
  return new Set(fitting.map(({ stateId }) => stateId))
}

/** Vectors of another length than the index they are for are of no use. */
function onlyLength({ extra }: ChatRequest, length = 0): InvalidRequestError {
  const parameter = extra?.dialect === 'google' ? 'outputDimensionality' : 'dimensions'
  return new InvalidRequestError(
    `"${parameter}" must be ${length} or absent: the model has vectors of that length only`,
    {
      parameter,
    },
  )
}

/** Token ids are specific to a tokenizer, pictures and mixed dimensions to a protocol. */
function takes(dialect: DialectId, kind: InputKind): boolean {
  return kind === 'google' ? dialect === 'google' : dialect.startsWith('openai')
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

function onlyTexts({ extra }: ChatRequest): InvalidRequestError {
  const parameter = extra?.dialect === 'google' ? 'content' : 'input'
  return new InvalidRequestError(
    `"${parameter}" must be texts alone for this model, all with the same dimensions: token ids are taken by upstreams of OpenAI's protocol only, anything else by those of Gemini's`,
    { parameter },
  )
}

/** Vectors of different models are not comparable, so only the caller may choose the model. */
function autoRefused(): InvalidRequestError {
  return new InvalidRequestError('embeddings need the id of a model: vectors of different models cannot be compared', {
    parameter: 'model',
  })
}
