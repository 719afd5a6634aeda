/** Writes a request for one target and starts the call: dialect, provider quirks, learned fixes, deadlines. */

import type { Settings } from '../../config/config.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { dialectOf } from '../../dialects/dialects.ts'
import type { ChatRequest } from '../../domain/chat.ts'
import type { Target } from '../../domain/target.ts'
import { type Call, type CallInput, type CallTools, startCall } from '../../upstream/call.ts'
import type { Connection } from '../../upstream/connection.ts'
import type { LatencyAllowance } from '../memory/latencyAllowance.ts'
import type { Operation } from '../request/operation.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import type { Credential } from '../targets/targetRegistry.ts'
import type { LearnedRequestFixes } from './learnedRequestFixes.ts'
import { rewriteModel } from './rewriteModel.ts'

/** What writing a call needs of the engine. */
interface CallWriter {
  readonly tools: CallTools
  readonly latencyAllowance: LatencyAllowance
  readonly requestFixes: LearnedRequestFixes
  readonly settings: Settings
}

interface CallOrder {
  readonly target: Target
  readonly credential: Credential
  readonly pending: PendingRequest
  /** Output limit to set, because a budget or the account's credit needs one; null leaves the request's own. */
  readonly mostOutputTokens: number | null
  /** Milliseconds the target has for its first content; default: the learned allowance. */
  readonly allowedMs?: number
}

export function writeCall(writer: CallWriter, order: CallOrder): Call {
  const { target, credential, pending } = order
  const { connection } = credential
  const dialect = pending.operation?.dialectFor(connection.dialect) ?? dialectOf(connection.dialect)
  return startCall(
    {
      connection,
      dialect,
      model: target.model,
      ...written(writer, order, dialect),
      headers: headersFor(pending, dialect, connection),
      stream: pending.request.stream,
      demand: pending,
      firstTokenMs: order.allowedMs ?? allowance(writer, order),
      leftMs: Math.max(1, pending.deadlineAt - writer.tools.monotonic()),
      idleMs: writer.settings.timeouts.idleMs,
    },
    writer.tools,
  )
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

/** The client's bytes where only the model changes, else the request written again. */
function written(
  { requestFixes, settings }: CallWriter,
  { target, credential, pending, mostOutputTokens: maxTokens }: CallOrder,
  dialect: Dialect,
): WrittenCall {
  const { operation } = pending
  if (operation?.write !== undefined) {
    const { contentType, ...rest } = operation.write(target.model, credential.connection.spec)
    return { ...rest, passes: contentType }
  }
  const change = credential.connection.spec.quirks?.body
  if (pending.wire?.dialect === dialect.id && change === undefined && !requestFixes.has(target)) {
    const rewritten = rewriteModel(pending.wire, pending.request, target.model, maxTokens)
    if (rewritten !== null) return rewritten
  }
  const request = maxTokens === null ? pending.whole() : { ...pending.whole(), maxTokens }
  const facts = {
    model: target.model,
    stream: pending.request.stream,
    freeOnly: settings.freeOnly,
    noTraining: settings.privacy === 'no_training',
  }
  const write = (part: ChatRequest) => {
    const { path, body } = dialect.upstream.writeRequest(part, target.model)
    const changed = change?.(body, facts) ?? body
    return { path, body: JSON.stringify(requestFixes.apply(target, changed)) }
  }
  return operation === null ? write(request) : inParts(operation, credential.connection, write)
}

/** The calls of one attempt, each after the one before. */
function inParts(
  operation: Operation,
  { spec }: Connection,
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
