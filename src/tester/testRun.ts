/** One run of the tester: the free checks first, then every remaining target is called in parallel. */

import { ConfigError } from '../domain/errors.ts'
import type { Failure } from '../domain/failure.ts'
import type { Target } from '../domain/target.ts'
import type { Engine } from '../engine/engine.ts'
import { requestId } from '../engine/prepareRequest.ts'
import type { CallEnd } from '../upstream/call.ts'
import { allAdvice, sharedQuotaAdvice } from './advice.ts'
import { DayAllowance } from './allowance.ts'
import { callTarget, type Desk, needOf, OVER_BUDGET } from './callTarget.ts'
import { chosenCredentials, explained, type PlannedTest, planTests, type TestFate } from './plan.ts'
import { proveAbilities } from './proveAbilities.ts'
import { ProviderQueues } from './providerQueues.ts'
import { fastestOf, type TestCost, type TestReport, testSummaryOf } from './report.ts'
import { greeting, requestsOf } from './requests.ts'
import { type EndedTest, failedResult, passedResult, reportedResult } from './resultOf.ts'
import type { RunOptions } from './runOptions.ts'
import type { ProviderName } from './summaryText.ts'
import { type Survey, surveyAll } from './survey.ts'
import { TestBudget } from './testBudget.ts'
import type { Advice, SkippedTest, TestResult } from './testResult.ts'

const CONCURRENCY = 8
const LIMIT_PATIENCE_MS = 65_000
/** Timeout of a models list or key check, in milliseconds. */
const SURVEY_MS = 10_000

/** Throws ConfigError without any key, InvalidRequestError when the filters leave nothing. */
export async function runTests(engine: Engine, options: RunOptions): Promise<Omit<TestReport, 'changes'>> {
  return new TestRun(engine, options).run()
}

class TestRun {
  readonly #engine: Engine
  readonly #options: RunOptions
  readonly #signal: AbortSignal
  readonly #testBudget: TestBudget
  readonly #startedAt: number
  readonly #results = new Map<string, TestResult>()
  readonly #skipped = new Map<string, SkippedTest>()

  constructor(engine: Engine, options: RunOptions) {
    this.#engine = engine
    this.#options = options
    this.#signal = options.signal ?? new AbortController().signal
    this.#testBudget = new TestBudget(engine.registry.config.settings.test.maxUsd)
    this.#startedAt = engine.now
  }

  async run(): Promise<Omit<TestReport, 'changes'>> {
    if (this.#engine.registry.credentials.length === 0) throw noKeys()
    const surveys = await this.#survey()
    const items = planTests(this.#engine, surveys, this.#options)
    const desk = this.#deskFor(surveys)
    const cost = this.#estimate(desk, items)
    this.#options.onPlan?.({ targets: items, cost, providers: this.#providers(items) })
    this.#liftProven(surveys)
    await Promise.all(items.map((item) => this.#test(desk, item)))
    return this.#report(items, cost)
  }

  get #message(): string {
    return this.#engine.registry.config.settings.test.message
  }

  #survey(): Promise<readonly Survey[]> {
    const { tools } = this.#engine
    const credentials = chosenCredentials(this.#engine, this.#options)
    const timeoutMs = Math.min(SURVEY_MS, this.#options.timeoutMs ?? SURVEY_MS)
    return surveyAll(this.#engine, credentials, {
      now: tools.now,
      redact: tools.redact,
      hide: tools.hide,
      timeoutMs,
      signal: this.#signal,
    })
  }

  #deskFor(surveys: readonly Survey[]): Desk {
    const { concurrency = CONCURRENCY, limitPatienceMs = LIMIT_PATIENCE_MS, onCall, onWait } = this.#options
    return {
      engine: this.#engine,
      queues: new ProviderQueues(concurrency),
      budget: this.#testBudget,
      allowance: new DayAllowance(this.#engine.learned.quota, freeRequests(surveys)),
      timeoutOf: (target) => this.#timeoutOf(target),
      patienceMs: limitPatienceMs,
      signal: this.#signal,
      onCall: (target) => onCall?.(target.id),
      onWait: (target) => onWait?.(target.id),
    }
  }

  /** A local model is loaded into memory before its first token. */
  #timeoutOf(target: Target): number {
    const { registry } = this.#engine
    const usual = registry.config.settings.test.timeoutMs
    const own = registry.credentialOf(target).connection.spec.firstTokenMs ?? 0
    return this.#options.timeoutMs ?? Math.max(usual, own)
  }

  #estimate(desk: Desk, items: readonly PlannedTest[]): TestCost {
    let nanoUsd = 0
    let unknownPrice = 0
    for (const { target, fate } of items) {
      if (target === null || fate.do !== 'call') continue
      const costs = requestsOf(target, this.#message, this.#options.abilities === true).map(
        (request) => needOf(desk, target, request).worstCase.nanoUsd,
      )
      if (costs[0] === null) unknownPrice++
      for (const cost of costs) nanoUsd += cost ?? 0
    }
    const { maxUsd } = this.#engine.registry.config.settings.test
    return { estimatedUsd: nanoUsd / 1e9, maxUsd, spentUsd: 0, unknownPrice }
  }

  /** A key its provider accepts is no longer treated as refused. */
  #liftProven(surveys: readonly Survey[]): void {
    const { parks } = this.#engine.learned
    for (const { credential, proven } of surveys) {
      if (!proven) continue
      const held = this.#engine.registry.targets.find(
        (target) =>
          target.fingerprint === credential.fingerprint &&
          target.provider === credential.provider.id &&
          parks.blocking(target, this.#engine.now)?.reason === 'auth_invalid',
      )
      if (held !== undefined) this.#engine.lift(held, ['auth_invalid'])
    }
  }

  async #test(desk: Desk, item: PlannedTest): Promise<void> {
    const { target, fate } = item
    if (this.#signal.aborted) return this.#skip(item, 'interrupted')
    if (fate.do === 'skip') return this.#skip(item, fate.reason)
    if (fate.do === 'tell') return this.#recordFate(item, fate)
    if (target === null) return
    const answer = await callTarget(desk, target, greeting(target, this.#message))
    if (answer.kind === 'skipped') return this.#skip(item, answer.reason)
    if (answer.kind === 'interrupted') return this.#skip(item, 'interrupted')
    this.#add(await this.#resultOf(desk, item, target, answer))
  }

  async #resultOf(desk: Desk, item: PlannedTest, target: Target, answer: EndedTest): Promise<TestResult> {
    const { outcome } = answer.end
    if (!outcome.ok) return failedResult(this.#engine, item, answer, explained(outcome.failure, item))
    const proved = this.#options.abilities ? await proveAbilities(desk, target, this.#message) : null
    return passedResult(this.#engine, item, answer, { response: outcome.response, proved })
  }

  #skip({ id, provider, keyIndex, model }: PlannedTest, reason: string): void {
    const skipped = { provider, keyIndex, model, target: id, reason }
    this.#skipped.set(id, skipped)
    this.#options.onSkip?.(skipped)
  }

  /** Decided without a call of its own, but recorded so that no other request makes that call. */
  #recordFate(item: PlannedTest, { failure, finding, startedAt }: Extract<TestFate, { do: 'tell' }>): void {
    const { target } = item
    if (target !== null) this.#recordFinding(target, failure, startedAt)
    this.#add(reportedResult(this.#engine, item, failure, finding))
  }

  #recordFinding(target: Target, failure: Failure, startedAt: number): void {
    const { now } = this.#engine
    this.#engine.recordAttempt({
      requestId: requestId(),
      number: 1,
      source: 'test',
      operation: 'chat',
      target,
      // All findings from one list are one occurrence: they began before any of them ended.
      startedAt: Math.min(startedAt, now - 1),
      streamed: false,
      end: { ...NO_ANSWER, outcome: { ok: false, failure }, status: failure.status },
      inputTokens: 0,
      hold: null,
      price: null,
      task: null,
      session: null,
      token: null,
      labels: {},
    })
  }

  #add(result: TestResult): void {
    this.#results.set(result.target, result)
    this.#options.onResult?.(result)
  }

  #report(items: readonly PlannedTest[], cost: TestCost): Omit<TestReport, 'changes'> {
    const tests = items.flatMap(({ id }) => this.#results.get(id) ?? [])
    const skipped = items.flatMap(({ id }) => this.#skipped.get(id) ?? [])
    const summary = testSummaryOf(tests, skipped.length)
    const { now, registry } = this.#engine
    return {
      timestamp: new Date(now).toISOString(),
      durationMs: now - this.#startedAt,
      tests,
      skipped,
      summary,
      passRate: summary.passRate,
      fastest: fastestOf(tests),
      advice: [...allAdvice(tests), ...sharedQuotaAdvice(tests, registry.credentials), ...budgetAdvice(skipped)],
      cost: { ...cost, spentUsd: this.#testBudget.spentNanoUsd / 1e9 },
      interrupted: this.#signal.aborted,
    }
  }

  #providers(items: readonly PlannedTest[]): readonly ProviderName[] {
    const present = new Map(items.map(({ credential }) => [credential.provider.id, credential.provider]))
    return [...present.values()].map(({ id, spec, keys }) => ({ id, name: spec.name, severalKeys: keys.length > 1 }))
  }
}

const NO_ANSWER: Omit<CallEnd, 'outcome' | 'status'> = {
  usage: null,
  limits: [],
  latencyMs: 0,
  firstTokenMs: null,
  hadContent: false,
  raw: null,
  partial: null,
}

function freeRequests(surveys: readonly Survey[]): ReadonlyMap<string, number> {
  const left = new Map<string, number>()
  for (const { credential, freeRequestsLeft } of surveys)
    if (freeRequestsLeft !== null)
      left.set(credential.account, Math.min(freeRequestsLeft, left.get(credential.account) ?? freeRequestsLeft))
  return left
}

function budgetAdvice(skipped: readonly SkippedTest[]): readonly Advice[] {
  const targets = skipped.filter(({ reason }) => reason === OVER_BUDGET).map(({ target }) => target)
  if (targets.length === 0) return []
  return [
    { text: 'some models were left out to keep the cost down: raise settings.test.max_usd to test them too', targets },
  ]
}

function noKeys(): ConfigError {
  return new ConfigError(
    'there is no API key to test; write one into config/api-keys.json ({ "groq": { "api_key": "..." } }) or set GROQ_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY; "keywise demo" needs none',
  )
}
