/** Writes a request for one target and starts the call: dialect, provider quirks, learned fixes, deadlines. */

import type { Settings } from '../../config/config.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { dialectOf } from '../../dialects/dialects.ts'
import { withChanges } from '../../dialects/fit/changedAnswer.ts'
import { fit } from '../../dialects/fit/fit.ts'
import { fitOwn, isTakenAsSent } from '../../dialects/fit/fitOwn.ts'
import type { Recipient } from '../../dialects/fit/recipient.ts'
import type { ChatRequest } from '../../domain/chat.ts'
import { asRecord } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'
import type { Target } from '../../domain/target.ts'
import { type ModelWire, type WireFacts, wireOf } from '../../domain/wireFacts.ts'
import type { ProviderSpec } from '../../providers/provider.ts'
import { dialectFor } from '../../routing/spokenDialect.ts'
import { type Call, type CallInput, type CallTools, startCall } from '../../upstream/call.ts'
import type { Connection } from '../../upstream/connection.ts'
import type { LatencyAllowance } from '../memory/latencyAllowance.ts'
import type { LearnedRequestFixes } from '../repair/learnedRequestFixes.ts'
import type { Operation } from '../request/operation.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import type { Credential } from '../targets/targetRegistry.ts'
import type { LearnedWindows } from './learnedWindows.ts'
import { rewriteModel } from './rewriteModel.ts'
import { roomFor, smaller } from './shorterAnswer.ts'

/** What writing a call needs of the engine. */
interface CallWriter {
  readonly tools: CallTools
  readonly latencyAllowance: LatencyAllowance
  readonly requestFixes: LearnedRequestFixes
  readonly windows: LearnedWindows
  readonly settings: Settings
}

interface CallOrder {
  readonly target: Target
  readonly credential: Credential
  readonly pending: PendingRequest
  /** Output limit to set, because a budget, credit or a refusal needs one; null leaves the request's own. */
  readonly mostOutputTokens: number | null
  /** Milliseconds the target has for its first content; default: the learned allowance. */
  readonly allowedMs?: number
}

interface StartedCall {
  readonly call: Call
  /** Names of what the target could not be told. */
  readonly leftOut: readonly string[]
}

export function writeCall(writer: CallWriter, order: CallOrder): StartedCall {
  const { target, credential, pending } = order
  const { connection } = credential
  const { path, body, parts, passes, leftOut, dialect } = written(writer, order)
  const call = startCall(
    {
      connection,
      dialect,
      model: target.model,
      isTrial: isTrial(order),
      path,
      body,
      parts,
      passes,
      headers: headersFor(pending, dialect, connection),
      stream: pending.request.stream,
      demand: pending,
      firstTokenMs: order.allowedMs ?? allowance(writer, order),
      leftMs: Math.max(1, pending.deadlineAt - writer.tools.monotonic()),
      idleMs: writer.settings.timeouts.idleMs,
    },
    writer.tools,
  )
  const untold = untoldHeaders(pending, dialect)
  return { call, leftOut: untold.length === 0 ? leftOut : [...leftOut, ...untold] }
}

function isTrial({ target, pending: { operation } }: CallOrder): boolean {
  return operation !== null && target.profile.abilities[operation.name] !== true
}

/** The gateways that a request has passed. Sent to servers on the own network only, which may be gateways too. */
export const VIA_HEADER = 'x-keywise-via'
const NO_HEADERS: readonly string[] = []

function headersFor({ wire, via }: PendingRequest, dialect: Dialect, { spec }: Connection): readonly string[] {
  const forwarded = wire?.dialect === dialect.id ? wire.headers : NO_HEADERS
  return via === null || spec.privateAddress !== true ? forwarded : [...forwarded, VIA_HEADER, via]
}

/** The names of the client's headers that mean something to its own dialect only: features of a beta. */
function untoldHeaders({ wire }: PendingRequest, dialect: Dialect): readonly string[] {
  if (wire === null || wire.dialect === dialect.id) return NO_HEADERS
  return wire.headers.filter((_, index) => index % 2 === 0)
}

function allowance({ latencyAllowance, settings }: CallWriter, { target, credential, pending }: CallOrder): number {
  return latencyAllowance.firstTokenMs(
    target,
    pending,
    settings.timeouts.firstTokenMs,
    credential.connection.spec.firstTokenMs,
  )
}

type WrittenCall = Pick<CallInput, 'path' | 'body' | 'parts' | 'passes'>

interface Written extends WrittenCall {
  readonly leftOut: readonly string[]
  /** As the answer is to be read. */
  readonly dialect: Dialect
}

interface Draft {
  readonly path: string
  /** The client's bytes where only the model changes, else the request written again. */
  readonly body: Buffer | Body
  readonly leftOut: readonly string[]
  readonly dialect: Dialect
}

type Body = Record<string, unknown>
type ChangeBody = NonNullable<ProviderSpec['quirks']>['body']

type FixedBody = ReturnType<CallWriter['requestFixes']['apply']>

const NOTHING: readonly string[] = []

function written({ requestFixes, windows, settings }: CallWriter, order: CallOrder): Written {
  const { target, credential, pending } = order
  const { spec } = credential.connection
  if (pending.operation?.write !== undefined) {
    const { contentType, ...rest } = pending.operation.write(target.model, spec)
    return { ...rest, passes: contentType, leftOut: NOTHING, dialect: spokenTo(order) }
  }
  const fix = (fields: Body) => requestFixes.apply(target, pending.clientKind, fields)
  if (pending.operation !== null) return inParts(pending.operation, settings, order, fix)
  const { path, body, leftOut, dialect } = draftOf(settings, windows, order)
  const isAsSent = Buffer.isBuffer(body) && !requestFixes.has(target, pending.clientKind)
  const fields = isAsSent ? null : fieldsOf(body)
  if (fields === null) return { path, body: Buffer.isBuffer(body) ? body : JSON.stringify(body), leftOut, dialect }
  const fixed = fix(fields)
  const all = fixed.leftOut.length === 0 ? leftOut : [...new Set([...leftOut, ...fixed.leftOut])]
  return { path, body: JSON.stringify(fixed.body), leftOut: all, dialect }
}

type DraftSettings = Pick<Settings, 'freeOnly' | 'privacy'>
type DraftOrder = Omit<CallOrder, 'allowedMs'>

/** The body as it is written before what refusals have taught; null for bytes that are no JSON, and for what is passed. */
export function bodyBeforeRepairs(settings: DraftSettings, windows: LearnedWindows, order: DraftOrder): Body | null {
  const { operation } = order.pending
  if (operation?.write !== undefined) return null
  const [part] = operation?.partsFor(order.credential.connection.spec) ?? []
  return part === undefined
    ? fieldsOf(draftOf(settings, windows, order).body)
    : bodyOf(settings, order, part, speechTo(order)).body
}

/** The fields that the target's service has names for; undefined where that is not known. */
export function fieldsNamedBy(order: DraftOrder): ReadonlySet<string> | undefined {
  if (order.pending.operation !== null) return undefined
  const { fields } = speechTo(order).wire
  return fields === undefined ? undefined : new Set(fields.split(/\s+/).filter(Boolean))
}

/** Of a long body only an outline was read before. */
function fieldsOf(body: Buffer | Body): Body | null {
  if (!Buffer.isBuffer(body)) return body
  try {
    return asRecord(parseJson(body.toString())) ?? null
  } catch {
    return null
  }
}

function draftOf(settings: DraftSettings, windows: LearnedWindows, order: DraftOrder): Draft {
  const { target, pending, mostOutputTokens } = order
  const { wire, request, whole } = pending
  const speech = speechTo(order)
  const { dialect } = speech
  const recipient = recipientOf(windows, order, speech)
  const { maxOutputTokens, roomTokens } = recipient
  const isCut = isAbove(request.maxTokens, smaller(maxOutputTokens, roomTokens))
  const isLimited = mostOutputTokens !== null && recipient.wire.maxTokensField !== undefined
  if (wire?.dialect === dialect.id && !isCut && !isLimited && speech.changeBody === undefined) {
    const isTaken = isTakenAsSent({ request, body: wire.body, whole }, recipient)
    const rewritten = isTaken ? rewriteModel(wire, request, target.model, mostOutputTokens) : null
    if (rewritten !== null) return { path: rewritten.path, body: rewritten.body, leftOut: NOTHING, dialect }
  }
  return writtenAnew(settings, order, speech, recipient)
}

function writtenAnew(settings: DraftSettings, order: DraftOrder, speech: Speech, recipient: Recipient): Draft {
  const { pending, mostOutputTokens: maxTokens } = order
  const { dialect: spoken } = speech
  const isOwn = pending.wire?.dialect === spoken.id
  const whole = pending.whole()
  const asked =
    maxTokens === null ? whole : { ...whole, maxTokens: smaller(maxTokens, whole.maxTokens ?? null) ?? maxTokens }
  const { request, leftOut, answer } = (isOwn ? fitOwn : fit)(asked, recipient)
  const dialect = answer === null ? spoken : withChanges(spoken, answer)
  const named = namesOf(leftOut, isAbove(whole.maxTokens, maxTokens))
  return { ...bodyOf(settings, order, request, { ...speech, dialect }), leftOut: named, dialect }
}

function recipientOf(windows: LearnedWindows, { target, pending }: DraftOrder, { dialect, wire }: Speech): Recipient {
  return {
    dialect: dialect.id,
    wire,
    maxOutputTokens: windows.outputOf(target),
    roomTokens: roomFor(target, pending.needs.inputTokens, windows),
    reasons: target.profile.abilities.reasoning,
  }
}

const isAbove = (asked: number | undefined, most: number | null) => asked !== undefined && most !== null && asked > most

/** The caller's limit of the answer is named where a shorter one is asked for in its place. */
function namesOf(leftOut: readonly string[], isShortened: boolean): readonly string[] {
  return isShortened && !leftOut.includes('max_tokens') ? [...leftOut, 'max_tokens'] : leftOut
}

/** As the dialect writes it, changed in the provider's own way. */
function bodyOf(
  settings: DraftSettings,
  { target, pending }: DraftOrder,
  request: ChatRequest,
  { dialect, wire, changeBody }: Speech,
): { readonly path: string; readonly body: Body } {
  const { path, body } = dialect.upstream.writeRequest(request, target.model, wire)
  const facts = {
    model: target.model,
    stream: pending.request.stream,
    freeOnly: settings.freeOnly,
    noTraining: settings.privacy === 'no_training',
  }
  return { path, body: changeBody?.(body, facts) ?? body }
}

function spokenTo({ target, credential: { connection }, pending }: DraftOrder): Dialect {
  return pending.operation?.dialectFor(connection.dialect) ?? dialectOf(dialectFor(target.profile, pending.needs))
}

/** How a target is spoken to. */
interface Speech {
  readonly dialect: Dialect
  /** What the service takes of the dialect. */
  readonly wire: ModelWire
  /** What the provider changes in bodies of it. */
  readonly changeBody?: ChangeBody | undefined
}

function speechTo(order: DraftOrder): Speech {
  const { spec } = order.credential.connection
  const dialect = spokenTo(order)
  // Asked for every call, and nearly no provider speaks another.
  const other = spec.alsoSpeaks === undefined ? undefined : spec.alsoSpeaks.find((one) => one.dialect === dialect.id)
  const { wire, changeBody }: { wire?: WireFacts; changeBody?: ChangeBody } = other ?? {
    wire: spec.wire,
    changeBody: spec.quirks?.body,
  }
  return { dialect, wire: wireOf(wire, order.target.model), changeBody }
}

/** The calls of one attempt, each after the one before. */
function inParts(
  operation: Operation,
  settings: DraftSettings,
  order: CallOrder,
  fix: (body: Body) => FixedBody,
): Written {
  const parts = operation.partsFor(order.credential.connection.spec)
  const speech = speechTo(order)
  const leftOut = new Set<string>()
  const [first, ...more] = parts.map((part) => {
    const { path, body } = bodyOf(settings, order, part, speech)
    const fixed = fix(body)
    for (const name of fixed.leftOut) leftOut.add(name)
    return { path, body: JSON.stringify(fixed.body) }
  })
  return {
    path: first?.path ?? '',
    body: first?.body ?? '',
    parts: { more: more.map(({ body }) => body), join: (answers) => operation.join(answers, parts) },
    leftOut: [...leftOut],
    dialect: speech.dialect,
  }
}
