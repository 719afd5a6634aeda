/** Turns the outcome of a target into a row of the report. */

import type { ChatResponse } from '../domain/chat.ts'
import type { Failure } from '../domain/failure.ts'
import type { EngineReader } from '../engine/reader.ts'
import { catalogueModel } from '../engine/targets/targetRegistry.ts'
import { textOf } from './abilities.ts'
import { adviceFor } from './advice.ts'
import { addCosts, type TestAnswer } from './callTarget.ts'
import type { PlannedTest } from './plan.ts'
import type { Proved } from './proveAbilities.ts'
import { isoTime, rateLimitInfo, type TestResult } from './testResult.ts'

export type EndedTest = Extract<TestAnswer, { kind: 'ended' }>

/** Characters of an answer that are kept. */
const SHOWN = 200
/** Failures that end at a known or estimated time. */
const LIMITS: ReadonlySet<Failure['kind']> = new Set(['rate_minute', 'quota_day', 'in_flight_budget'])

/** A target decided without a call; `finding` names the cause when other targets share it. */
export function reportedResult(
  engine: EngineReader,
  item: PlannedTest,
  failure: Failure,
  finding: string | null,
): TestResult {
  return {
    ...head(engine, item),
    ...failureFields(engine, item, failure),
    responseTime: 0,
    rateLimitInfo: null,
    // The status a call would have received: 404 for a missing model, as providers answer it.
    statusCode: failure.kind === 'model_not_found' ? 404 : failure.status,
    calls: 0,
    costUsd: 0,
    finding,
  }
}

export function failedResult(
  engine: EngineReader,
  item: PlannedTest,
  { end, calls, costNanoUsd }: EndedTest,
  failure: Failure,
): TestResult {
  return {
    ...head(engine, item),
    ...failureFields(engine, item, failure),
    responseTime: Math.round(end.latencyMs),
    rateLimitInfo: rateLimitInfo(end.limits),
    statusCode: failure.status,
    calls,
    costUsd: usdOf(costNanoUsd),
    finding: failure.kind === 'auth_invalid' ? `key ${item.provider}@${item.credential.fingerprint}` : null,
  }
}

export function passedResult(
  engine: EngineReader,
  item: PlannedTest,
  { end, calls, costNanoUsd }: EndedTest,
  facts: { readonly response: ChatResponse; readonly proved: Proved | null },
): TestResult {
  const { response, proved } = facts
  const text = engine.tools.redact(textOf(response)).slice(0, SHOWN)
  const note = [noteOn(response), retirementNote(item)].filter((one) => one !== null).join('; ')
  return {
    ...head(engine, item),
    status: 'success',
    responseTime: Math.round(end.latencyMs),
    ...(text !== '' && { responseText: text }),
    rateLimitInfo: rateLimitInfo(end.limits),
    statusCode: end.status,
    failureKind: null,
    advice: null,
    retryAt: null,
    ...(note !== '' && { note }),
    calls: calls + (proved?.calls ?? 0),
    costUsd: usdOf(addCosts(costNanoUsd, proved === null ? 0 : proved.costNanoUsd)),
    finding: null,
    ...(proved !== null && { abilities: proved.abilities }),
  }
}

type Head = Pick<TestResult, 'target' | 'provider' | 'keyIndex' | 'model' | 'timestamp'>

function head(engine: EngineReader, { id, provider, keyIndex, model }: PlannedTest): Head {
  return { provider, keyIndex, model, target: id, timestamp: new Date(engine.now).toISOString() }
}

type FailureFields = Pick<TestResult, 'status' | 'error' | 'failureKind' | 'advice' | 'successor' | 'retryAt'>

function failureFields(
  engine: EngineReader,
  { credential, target, model }: PlannedTest,
  failure: Failure,
): FailureFields {
  const waits = target !== null && LIMITS.has(failure.kind)
  const park = waits ? engine.learned.parks.blocking(target, engine.now) : undefined
  const retryAt = isoTime(park?.until)
  const successor = failure.kind === 'model_not_found' ? (failure.successor ?? null) : null
  const hasSiblings = credential.provider.keys.length > 1
  return {
    status: 'failed',
    error: failure.message,
    failureKind: failure.kind,
    advice: adviceFor(failure, { credential, hasSiblings, model, successor, retryAt }),
    ...(successor !== null && { successor }),
    retryAt,
  }
}

/** A model that spends its few tokens on thinking still works. */
function noteOn(response: ChatResponse): string | null {
  const thought =
    response.content.some((part) => part.type === 'reasoning') || (response.usage?.reasoningTokens ?? 0) > 0
  const text = textOf(response)
  if (thought || (text === '' && response.finishReason === 'length')) return 'works, thinks first'
  return text === '' ? 'answered nothing' : null
}

/** A provider that lists and serves a model knows better than the catalogue. */
function retirementNote({ target, credential, model }: PlannedTest): string | null {
  const retired = catalogueModel(credential.provider.spec, model)?.retired
  return target === null || retired === undefined ? null : `retired by the catalogue on ${retired.on}`
}

const usdOf = (nanoUsd: number | null) => (nanoUsd === null ? null : nanoUsd / 1e9)
