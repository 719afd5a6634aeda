/**
 * Moderations, rerank, pictures and audio: the client's body goes to a key that serves them, with the model's name
 * replaced, and the answer comes back as it is. The same model with other keys may serve it, another model never.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { dialectOf } from '../../dialects/dialects.ts'
import { failureWithoutAnswer } from '../../domain/attempt.ts'
import type { ChatChunk } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import type { Failure } from '../../domain/failure.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { abilityWord, type UnitAbility } from '../../domain/target.ts'
import { UNIT_FORMS, type UnitForm } from '../../domain/units.ts'
import type { Answered } from '../../engine/cascade.ts'
import type { Engine } from '../../engine/engine.ts'
import { prepareRequest, type RequestOptions } from '../../engine/prepareRequest.ts'
import type { PendingRequest } from '../../engine/request/pendingRequest.ts'
import { type PassedBody, unitOperation } from '../../engine/request/unitOperation.ts'
import { unitsOf } from '../../engine/request/units.ts'
import type { UnitsNeed } from '../../money/unitCosts.ts'
import type { CallEnd, CallSink } from '../../upstream/call.ts'
import { jsonBody, readBody } from '../body.ts'
import { vendorFacts } from '../clientError.ts'
import type { GatewayParts, Handler } from '../handler.ts'
import { askOnce } from './askOnce.ts'
import { EventAligner } from './eventAligner.ts'
import { readFormBody } from './formBody.ts'
import { endsEvents, HeldEnding } from './heldEnding.ts'

/** What is read of a body that is passed through. */
interface Passed {
  readonly body: PassedBody
  /** Undefined when the client leaves the choice to the service. */
  readonly model: string | undefined
  readonly stream: boolean
  readonly inputTokens: number
  readonly fields: unknown
  readonly units: UnitsNeed
  /** Frees what is held of it. */
  readonly close?: () => Promise<void>
}

/** `path`: the model that the path names. */
export const passThrough =
  (ability: UnitAbility, path?: string): Handler =>
  (parts, request, response, token) =>
    askOnce(parts, request, response, token, 'openai', async () => {
      const form = UNIT_FORMS[ability]
      const passed = await (form === undefined
        ? readJson(request, parts.maxBodyBytes, ability)
        : readForm(request, parts.maxBodyBytes, form, ability))
      return {
        body: passed.fields,
        prepare: (options, id) => prepareUnits(parts.engine, ability, { ...passed, ...named(path) }, options, id),
        ...(passed.close && { close: passed.close }),
        answer: (answered, _id, headers) => passOn(answered, headers, request, response, parts),
      }
    })

const named = (path: string | undefined) => (path === undefined ? {} : { model: path })

async function readJson(request: IncomingMessage, maxBytes: number, ability: UnitAbility): Promise<Passed> {
  const { bytes } = await readBody(request, maxBytes)
  const fields = asRecord(await jsonBody(bytes))
  if (fields === undefined) throw new InvalidRequestError('the request body must be a JSON object')
  return {
    body: { contentType: 'application/json', withModel: (model) => JSON.stringify({ ...fields, model }) },
    model: asString(fields['model']),
    stream: fields['stream'] === true || fields['stream_format'] === 'sse',
    inputTokens: Math.ceil(bytes.length / 4),
    fields,
    units: unitsOf(ability, fields, bytes.length),
  }
}

/** Audio and pictures are no text, so nothing is known of their tokens. */
async function readForm(
  request: IncomingMessage,
  maxBytes: number,
  { what, fields }: UnitForm,
  ability: UnitAbility,
): Promise<Passed> {
  const body = await readFormBody(request, maxBytes)
  const close = () => body.close()
  try {
    const [parameter] = fields
    if (!fields.some((name) => body.has(name)))
      throw new InvalidRequestError(`"${parameter}" is missing; it must be ${what}`, { parameter })
    const stream = body.text('stream') === 'true'
    // A recording that is only named can be of any length.
    const bytes = body.has('file') ? body.bytes : Number.POSITIVE_INFINITY
    const units = unitsOf(ability, { n: Number(body.text('n') ?? 1) }, bytes)
    return { body, model: body.text('model'), stream, inputTokens: 0, fields: undefined, units, close }
  } catch (error) {
    await close()
    throw error
  }
}

function prepareUnits(
  engine: Engine,
  ability: UnitAbility,
  { body, model = '', stream, inputTokens, units }: Passed,
  options: RequestOptions,
  id: string,
): PendingRequest {
  const isOpen = model === '' || model === 'auto' || model.startsWith('auto:')
  const request = { model: isOpen ? 'auto' : model, messages: [], stream }
  const operation = unitOperation(ability, request, body, units)
  // Documents are read one by one, pictures and audio are no text: what is too long the service itself must say.
  const needs = { abilities: [ability], inputTokens, longestTokens: 0, maxOutputTokens: 0, auto: false, inUnits: true }
  const among = isOpen ? ableTargets(engine, ability) : null
  return prepareRequest(engine, request, { ...options, operation, needs: { ...needs, ...(among && { among }) } }, id)
}

/** A client that names no model gets one that is known to do it. */
function ableTargets({ registry }: Engine, ability: UnitAbility): ReadonlySet<string> {
  const able = registry.targets.filter(({ profile }) => profile.abilities[ability] === true)
  if (able.length > 0) return new Set(able.map(({ stateId }) => stateId))
  throw new InvalidRequestError(`"model" must name a model: none is known for ${abilityWord(ability)} here`, {
    parameter: 'model',
  })
}

const PASSED_HEADERS = ['content-type', 'content-disposition']

function passOn(
  { call, recorded }: Answered,
  headers: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
  parts: GatewayParts,
): number | Promise<number> {
  const passed = PASSED_HEADERS.flatMap((name) => {
    const value = call.header(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const all = { ...Object.fromEntries(passed), 'cache-control': 'no-store', ...headers }
  const raw = call.ended?.raw
  if (raw != null) {
    response.writeHead(200, { ...all, 'content-length': Buffer.byteLength(raw) }).end(raw)
    return 200
  }
  response.writeHead(200, all)
  return new Promise((resolve) => new PassedStream(request, response, { call, recorded }, parts, resolve).begin())
}

class PassedStream implements CallSink {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #call: Answered['call']
  readonly #recorded: Answered['recorded']
  readonly #parts: GatewayParts
  readonly #resolve: (status: number) => void
  /** Events are passed on whole, so that an error of ours begins a new one. */
  readonly #events: EventAligner | null
  #ending: HeldEnding | null = null

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { call, recorded }: Pick<Answered, 'call' | 'recorded'>,
    parts: GatewayParts,
    resolve: (status: number) => void,
  ) {
    this.#request = request
    this.#response = response
    this.#call = call
    this.#recorded = recorded
    this.#parts = parts
    this.#resolve = resolve
    this.#events = call.header('content-type')?.startsWith('text/event-stream') ? new EventAligner(null) : null
  }

  begin(): void {
    this.#response.on('drain', () => {
      this.#request.socket.setTimeout(0)
      this.#call.resume()
    })
    this.#call.attach(this)
  }

  onChunks(_chunks: readonly ChatChunk[], bytes: readonly Buffer[]): boolean {
    if (this.#response.destroyed) return true
    let wantsMore = true
    for (const part of bytes) {
      const whole = this.#events?.push(part) ?? part
      if (this.#events !== null && this.#ending === null && endsEvents(whole))
        this.#ending = new HeldEnding('certain', (rest) => this.#response.write(rest))
      if (whole.length > 0) wantsMore = this.#ending?.hold(whole) ?? this.#response.write(whole)
    }
    if (!wantsMore) this.#request.socket.setTimeout(this.#parts.clientStallMs)
    return wantsMore
  }

  onEnd(end: CallEnd): void {
    void this.#finish(end)
  }

  /** The answer is complete for the client when its row is kept. */
  async #finish({ outcome }: CallEnd): Promise<void> {
    await this.#recorded
    await this.#parts.engine.store.kept()
    const failure = failureWithoutAnswer(outcome)
    if (this.#ending !== null) this.#response.write(this.#ending.take())
    if (failure === null) this.#response.end(this.#events?.end())
    else if (this.#events === null) this.#response.destroy()
    else this.#response.end(brokenOff(failure))
    this.#resolve(failure === null ? 200 : failure.kind === 'client_gone' ? 499 : 502)
  }
}

function brokenOff(failure: Failure): string {
  const { kind: code, message } = failure
  const error = { status: 502, code, message: `the answer broke off: ${message}`, ...vendorFacts(failure) }
  return `data: ${JSON.stringify(dialectOf('openai').client.writeError(error))}\n\n`
}
