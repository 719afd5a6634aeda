/** One request that is no chat, through the cascade: prepared, answered, and observed like any other. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { dialectOf } from '../../dialects/dialects.ts'
import { promptEnvelope } from '../../dialects/openai/fields.ts'
import type { DialectId } from '../../domain/chat.ts'
import { type Answered, cascade } from '../../engine/cascade.ts'
import { type RequestOptions, requestId } from '../../engine/prepareRequest.ts'
import type { PendingRequest } from '../../engine/request/pendingRequest.ts'
import { decimalOf } from '../../money/amount.ts'
import { clientFailure, headerText, trailOf } from '../clientError.ts'
import { clientHeaders } from '../clientHeaders.ts'
import { clientKind } from '../clientKind.ts'
import type { GatewayParts, ObservedRequest } from '../handler.ts'
import { viaOf } from '../loopGuard.ts'
import { type ErrorWriter, sendFailure } from '../sendFailure.ts'
import type { Token } from '../tokens.ts'
import { onceListed } from './onceListed.ts'

interface AskedOnce {
  /** The body, for what its fields say of the session. */
  readonly body: unknown
  prepare(options: RequestOptions, id: string): PendingRequest
  /** Sends the answer, and resolves with the status to record; `headers` say who gave it. */
  answer(answered: Answered, id: string, headers: Readonly<Record<string, string>>): number | Promise<number>
  /** Frees what is held of the request; called once, however it ends. */
  readonly close?: () => Promise<void>
}

export async function askOnce(
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  token: Token,
  dialect: DialectId,
  read: () => Promise<AskedOnce>,
): Promise<void> {
  const { engine } = parts
  const id = requestId()
  const startedAt = performance.now()
  const observe = (seen: Pick<ObservedRequest, 'model' | 'status' | 'report' | 'attempts'>) =>
    parts.observe({ id, dialect, token: token.name, totalMs: performance.now() - startedAt, ...seen })
  let model = ''
  let close: AskedOnce['close']
  try {
    await parts.ready()
    const asked = await read()
    close = asked.close
    const options = {
      ...clientHeaders(request.headers, asked.body),
      token: token.name,
      tokenId: token.id,
      clientKind: clientKind(request.headers['user-agent']),
      via: viaOf(request.headers, parts.name),
    }
    const pending = await onceListed(engine, () => asked.prepare(options, id))
    model = pending.request.model
    response.on('close', () => response.writableFinished || pending.cancellation.cancel())
    // The client may have left while the lists were read.
    if (response.destroyed) pending.cancellation.cancel()
    const running = { breakOff: () => pending.cancellation.cancel() }
    parts.underWay.add(running)
    response.on('close', () => parts.underWay.delete(running))
    const answered = await cascade(engine, pending)
    await engine.store.kept()
    const status = await asked.answer(answered, id, headersOf(answered, id))
    const report = await answered.recorded
    observe({ model, status, report, attempts: answered.trail.attempts })
  } catch (error) {
    await engine.store.kept()
    const failure = clientFailure(error, id, engine.now)
    if (failure.code === 'internal') parts.logger.error(`request ${id}: ${textOf(error)}`)
    if (!response.headersSent && !response.destroyed) sendFailure(response, writerOf(dialect), failure)
    const { status, attempts } = failure
    observe({ model, status, report: attempts.at(-1) ?? null, attempts })
  } finally {
    await close?.()
  }
}

/** None of them is a chat: OpenAI speaks of a prompt there. */
const writerOf = (dialect: DialectId): ErrorWriter =>
  dialect === 'openai' ? { client: { writeError: promptEnvelope } } : dialectOf(dialect)

function headersOf({ winner, trail, report }: Answered, id: string): Record<string, string> {
  const target = headerText(winner.target.id)
  const recorded = trailOf(trail.attempts)
  // An answer that is still coming is not among the attempts yet.
  const isComing = report === null
  return {
    'x-keywise-request-id': id,
    'x-keywise-target': target,
    'x-keywise-attempts': String(trail.attempts.length + (isComing ? 1 : 0)),
    'x-keywise-trail': isComing ? [recorded, `${target}=ok`].filter(Boolean).join('; ') : recorded,
    ...costOf(report),
  }
}

function costOf(report: Answered['report']): Record<string, string> {
  if (report === null) return {}
  if (report.costUsd !== null) return { 'x-keywise-cost-usd': decimalOf(report.costUsd) }
  const { costAtLeastUsd } = report
  return costAtLeastUsd === undefined ? {} : { 'x-keywise-cost-at-least-usd': decimalOf(costAtLeastUsd) }
}

const textOf = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))
