/** Writes a request for one target and starts the call: dialect, provider quirks, learned fixes, deadlines. */

import type { Settings } from '../../config/config.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { dialectOf } from '../../dialects/dialects.ts'
import { withChanges } from '../../dialects/fit/changedAnswer.ts'
import { fit } from '../../dialects/fit/fit.ts'
import { fitOwn, mustFit } from '../../dialects/fit/fitOwn.ts'
import type { ChatRequest } from '../../domain/chat.ts'
import type { Target } from '../../domain/target.ts'
import { wireOf } from '../../domain/wireFacts.ts'
import type { ProviderSpec } from '../../providers/provider.ts'
import { type Call, type CallInput, type CallTools, startCall } from '../../upstream/call.ts'
import type { Connection } from '../../upstream/connection.ts'
import type { LatencyAllowance } from '../memory/latencyAllowance.ts'
import type { Operation } from '../request/operation.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import type { Credential } from '../targets/targetRegistry.ts'
import type { LearnedRequestFixes } from './learnedRequestFixes.ts'
import type { LearnedWindows } from './learnedWindows.ts'
import { rewriteModel } from './rewriteModel.ts'
import { longestAnswer, roomFor, smaller } from './shorterAnswer.ts'

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
  const spoken = pending.operation?.dialectFor(connection.dialect) ?? dialectOf(connection.dialect)
  const { leftOut, dialect, ...wire } = written(writer, order, spoken)
  const call = startCall(
    {
      connection,
      dialect,
      model: target.model,
      ...wire,
      headers: headersFor(pending, dialect, connection),
      stream: pending.request.stream,
      demand: pending,
      firstTokenMs: order.allowedMs ?? allowance(writer, order),
      leftMs: Math.max(1, pending.deadlineAt - writer.tools.monotonic()),
      idleMs: writer.settings.timeouts.idleMs,
    },
    writer.tools,
  )
  return { call, leftOut }
}

/** The gateways that a request has passed. Sent to servers on the own network only, which may be gateways too. */
export const VIA_HEADER = 'x-keywise-via'
const NO_HEADERS: readonly string[] = []

function headersFor({ wire, via }: PendingRequest, dialect: Dialect, { spec }: Connection): readonly string[] {
  const forwarded = wire?.dialect === dialect.id ? wire.headers : NO_HEADERS
  return via === null || spec.privateAddress !== true ? forwarded : [...forwarded, VIA_HEADER, via]
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

const NOTHING: readonly string[] = []

/** The client's bytes where only the model changes, else the request written again. */
function written(
  { requestFixes, windows, settings }: CallWriter,
  { target, credential, pending, mostOutputTokens: maxTokens }: CallOrder,
  spoken: Dialect,
): Written {
  const { operation, wire } = pending
  const { spec } = credential.connection
  if (operation?.write !== undefined) {
    const { contentType, ...rest } = operation.write(target.model, spec)
    return { ...rest, passes: contentType, leftOut: NOTHING, dialect: spoken }
  }
  const change = spec.quirks?.body
  const isOwn = wire?.dialect === spoken.id
  const { inputTokens } = pending.needs
  const isCut = operation === null && isAbove(pending.request.maxTokens, longestAnswer(target, inputTokens, windows))
  if (isOwn && !isCut && change === undefined && !requestFixes.has(target) && !mustFit(wire.body, spec.wire)) {
    const rewritten = rewriteModel(wire, pending.request, target.model, maxTokens)
    if (rewritten !== null) return { ...rewritten, leftOut: NOTHING, dialect: spoken }
  }
  const whole = pending.whole()
  const asked =
    maxTokens === null ? whole : { ...whole, maxTokens: smaller(maxTokens, whole.maxTokens ?? null) ?? maxTokens }
  const facts = {
    model: target.model,
    stream: pending.request.stream,
    freeOnly: settings.freeOnly,
    noTraining: settings.privacy === 'no_training',
  }
  const wireFacts = wireOf(spec.wire, target.model)
  const write = (dialect: Dialect, part: ChatRequest) => {
    const { path, body } = dialect.upstream.writeRequest(part, target.model, wireFacts)
    const changed = change?.(body, facts) ?? body
    return { path, body: JSON.stringify(requestFixes.apply(target, changed)) }
  }
  if (operation !== null)
    return { ...inParts(operation, spec, (part) => write(spoken, part)), leftOut: NOTHING, dialect: spoken }
  const recipient = {
    dialect: spoken.id,
    wire: wireFacts,
    maxOutputTokens: windows.outputOf(target),
    roomTokens: roomFor(target, inputTokens, windows),
  }
  const { request, leftOut, answer } = (isOwn ? fitOwn : fit)(asked, recipient)
  const dialect = answer === null ? spoken : withChanges(spoken, answer)
  return { ...write(dialect, request), leftOut: namesOf(leftOut, isAbove(whole.maxTokens, maxTokens)), dialect }
}

const isAbove = (asked: number | undefined, most: number | null) => asked !== undefined && most !== null && asked > most

/** The caller's limit of the answer is named where a shorter one is asked for in its place. */
function namesOf(leftOut: readonly string[], isShortened: boolean): readonly string[] {
  return isShortened && !leftOut.includes('max_tokens') ? [...leftOut, 'max_tokens'] : leftOut
}

/** The calls of one attempt, each after the one before. */
function inParts(
  operation: Operation,
  spec: ProviderSpec,
  write: (part: ChatRequest) => { readonly path: string; readonly body: string },
): WrittenCall {
  const parts = operation.partsFor(spec)
  const [first, ...more] = parts.map(write)
  return {
    path: first?.path ?? '',
    body: first?.body ?? '',
    parts: { more: more.map(({ body }) => body), join: (answers) => operation.join(answers, parts) },
  }
}
