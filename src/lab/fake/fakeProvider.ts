/** One simulated provider: its keys, models, limits and faults, and what it would say to a call now. */

import type { DialectId, Usage } from '../../domain/chat.ts'
import { findProvider } from '../../providers/catalog.ts'
import type { StrictRequest } from '../strict/rule.ts'
import { refusalBy } from '../strict/ruleTable.ts'
import { rulesOf } from '../strict/services.ts'
import { FakeAccounts } from './accounts.ts'
import { refusal, refusalOfKind } from './errors.ts'
import { limitHeaders } from './headers.ts'
import { type Caller, FakeLimits, type LimitState } from './limits.ts'
import type { FakeRefusal, RefusalFacts } from './refusal.ts'
import { tokensOf, windowTokens } from './reply.ts'
import { type FakeRequest, isLacking } from './request.ts'
import type { FakeFault, FakeModel, FakeProviderFacts } from './scenario.ts'

/** Where the provider stands when a call comes. */
interface Clock {
  readonly now: number
  readonly startedAt: number
  /** A draw, 0..1, for faults that come by chance. */
  readonly random: () => number
}

type Overflow = Pick<RefusalFacts, 'limit' | 'inputTokens' | 'outputTokens' | 'isPrompt'>

interface SeenKey {
  readonly fault: FakeFault
  calls: number
}

export class FakeProvider {
  readonly id: string
  readonly dialect: DialectId
  readonly models: Map<string, FakeModel>
  /** Key texts in their order; empty when every key is good. */
  readonly keys: readonly string[]
  /** The keys as they travel: some configurations carry an account in front of them (Cloudflare). */
  readonly #travelling: readonly string[]
  readonly #accounts: readonly (string | undefined)[]
  readonly #revoked: boolean[]
  readonly #money: FakeAccounts
  readonly #limits: FakeLimits
  readonly #faults: SeenKey[]
  /** Whose rules of requests are enforced; null for nobody's. */
  readonly #strict: string | null

  constructor(id: string, facts: FakeProviderFacts) {
    const keys = Object.entries(facts.keys ?? {})
    this.id = id
    this.dialect = facts.dialect ?? findProvider(id)?.dialect ?? 'openai'
    this.models = new Map(Object.entries(facts.models))
    this.keys = keys.map(([key]) => key)
    const credential = findProvider(id)?.quirks?.credential
    this.#travelling = keys.map(([key]) => credential?.(key).key ?? key)
    this.#accounts = keys.map(([, { account }]) => account)
    this.#revoked = keys.map(([, { revoked }]) => revoked === true)
    this.#money = new FakeAccounts(keys.map(([, key]) => key))
    this.#limits = new FakeLimits(facts.limits ?? [])
    this.#faults = (facts.faults ?? []).map((fault) => ({ fault, calls: 0 }))
    this.#strict = facts.strict === false ? null : (facts.strict ?? id)
  }

  /** 1-based; 0 for a key it does not know. */
  indexOf(key: string): number {
    return this.#travelling.indexOf(key) + 1
  }

  /** The account of the n-th key, undefined when it stands alone. */
  accountOf(index: number): string | undefined {
    return this.#accounts[index - 1]
  }

  isGood(key: string): boolean {
    if (this.keys.length === 0) return key !== '' || findProvider(this.id)?.auth === 'none'
    return this.#revoked[this.indexOf(key) - 1] === false
  }

  /** What the service tells a key of itself and its account at a path; null where it tells nothing. */
  accountFacts(key: string, path: string): FakeRefusal | null {
    const places = findProvider(this.id)?.balance?.map((source) => source.path) ?? []
    return places.some((place) => path.endsWith(place)) ? this.#money.facts(this.indexOf(key) - 1, path) : null
  }

  /** Throws a TypeError when there is no such key. */
  setRevoked(index: number, revoked: boolean): void {
    this.#demandKey(index)
    this.#revoked[index - 1] = revoked
  }

  /** What the account of the key has left from now on. Throws a TypeError when there is no such key. */
  setCredit(index: number, credit: number): void {
    this.#demandKey(index)
    this.#money.setCredit(index - 1, credit)
  }

  addFault(fault: FakeFault): void {
    this.#faults.push({ fault, calls: 0 })
  }

  clearFaults(): void {
    this.#faults.length = 0
  }

  /** Counts the call for every fault that concerns it; returns the first that strikes. */
  nextFault(model: string, key: string, { now, startedAt, random }: Clock): FakeFault | null {
    let struck: FakeFault | null = null
    for (const seen of this.#faults) {
      const { fault } = seen
      if ((fault.model ?? model) !== model || (fault.key ?? this.indexOf(key)) !== this.indexOf(key)) continue
      seen.calls++
      const age = now - startedAt
      const isDue = seen.calls >= (fault.from ?? 1) && seen.calls <= (fault.to ?? Number.POSITIVE_INFINITY)
      const isInTime = age >= (fault.after_ms ?? 0) && age < (fault.until_ms ?? Number.POSITIVE_INFINITY)
      if (isDue && isInTime && (fault.chance === undefined || random() < fault.chance)) struck ??= fault
    }
    return struck
  }

  /** The refusal a call meets before any work is done; null when it is let in. A call that is let in is counted. */
  refuse(key: string, asked: FakeRequest, fault: FakeFault | null, size: number, now: number): FakeRefusal | null {
    const wrong = this.#whatIsWrong(key, asked, fault)
    if (wrong !== null) return this.#refusal(key, asked, wrong, fault, now)
    const met = this.#limits.admit(this.#caller(key, asked.model), size, now)
    return met === null ? null : this.#limitRefusal(key, asked.model, met, now)
  }

  /** What the service would not take in a request, in its own words; null when it takes everything. */
  refuseRequest(dialect: DialectId, request: Omit<StrictRequest, 'service'>): FakeRefusal | null {
    const service = this.#strict
    return service === null ? null : refusalBy(rulesOf(service, dialect), { ...request, service })
  }

  refuseKey(): FakeRefusal {
    return this.#say('auth_invalid', '', {})
  }

  /** Counts the tokens of an answer, and takes what they cost. */
  spend(key: string, model: string, usage: Usage | null | undefined, now: number): void {
    this.#limits.spend(this.#caller(key, model), usage?.totalTokens ?? 0, now)
    const { inputTokens = 0, outputTokens = 0 } = usage ?? {}
    this.#money.spend(this.indexOf(key) - 1, this.models.get(model), inputTokens, outputTokens)
  }

  headers(key: string, model: string, now: number): Record<string, string> {
    return limitHeaders(this.id, this.#limits.states(this.#caller(key, model), now), now)
  }

  /** The words of a fault, for where they travel inside an answer. */
  errorBody(fault: FakeFault['do']): unknown {
    return this.#say(fault, '', {}).body
  }

  #demandKey(index: number): void {
    if (this.keys[index - 1] === undefined) throw new TypeError(`the scenario's ${this.id} has no key ${index}`)
  }

  #whatIsWrong(key: string, asked: FakeRequest, fault: FakeFault | null): FakeFault['do'] | null {
    const { model, request, kind } = asked
    if (!this.isGood(key)) return 'auth_invalid'
    const facts = this.models.get(model)
    if (facts === undefined || facts.retired) return 'model_not_found'
    if ((facts.kind ?? 'chat') !== kind) return 'unsupported'
    if (isLacking(facts, request)) return 'unsupported'
    const lack = this.#money.lacks(this.indexOf(key) - 1, facts)
    if (lack !== null) return lack
    if (this.#overflow(asked) !== null) return 'context_too_long'
    return fault !== null && refusal(this.id, this.dialect, fault.do, { model }) !== null ? fault.do : null
  }

  /**
   * By how much a request is too long for the model; the window of Gemini's is the prompt's alone. Of texts to embed each
   * has the window for itself, and Google cuts them in silence (`autoTruncate` of
   * https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/Shared.Types/TextEmbeddingPredictionParams,
   * read 2026-11-30).
   */
  #overflow({ model, request, texts }: FakeRequest): Overflow | null {
    const limit = this.models.get(model)?.context_tokens
    if (limit === undefined) return null
    if (texts !== null) {
      const longest = texts.reduce((most, text) => Math.max(most, tokensOf(text)), 0)
      return longest > limit && this.dialect !== 'google' ? { limit, inputTokens: longest, isPrompt: true } : null
    }
    const inputTokens = windowTokens(request)
    if (inputTokens > limit) return { limit, inputTokens }
    const outputTokens = this.dialect === 'google' ? 0 : (request.maxTokens ?? 0)
    return inputTokens + outputTokens > limit ? { limit, inputTokens, outputTokens } : null
  }

  #refusal(key: string, asked: FakeRequest, what: FakeFault['do'], fault: FakeFault | null, now: number): FakeRefusal {
    const { model, kind, dialect, units } = asked
    const overflow = what === 'context_too_long' ? this.#overflow(asked) : null
    const limit = what === 'context_too_long' ? this.models.get(model)?.context_tokens : undefined
    const retryAfter = fault?.retry_after
    const resetsAt = retryAfter === undefined ? undefined : now + retryAfter * 1000
    const isOther = what === 'unsupported' && (this.models.get(model)?.kind ?? 'chat') !== kind
    const ofKind = isOther ? refusalOfKind(dialect.id, kind, model, units?.path) : null
    const said = ofKind ?? this.#say(what, model, { retryAfter, limit, resetsAt, ...overflow })
    return {
      ...said,
      status: fault?.status ?? said.status,
      headers: { ...this.headers(key, model, now), ...said.headers },
    }
  }

  #limitRefusal(key: string, model: string, { limit, resetsAt }: LimitState, now: number): FakeRefusal {
    const wait = Math.max(0, resetsAt - now) / 1000
    const stated = { limit: limit.limit, retryAfter: Math.ceil(wait), resetsAt }
    const kind = limit.window === 'day' ? 'quota_day' : 'rate_minute'
    const said = this.#say(kind, model, limit.stated ? stated : { isUnstated: true })
    return { ...said, headers: { ...this.headers(key, model, now), ...said.headers } }
  }

  #say(what: FakeFault['do'], model: string, facts: Omit<Parameters<typeof refusal>[3], 'model'>): FakeRefusal {
    return refusal(this.id, this.dialect, what, { model, ...facts }) ?? { status: 500, body: {} }
  }

  #caller(key: string, model: string): Caller {
    return { key, account: this.accountOf(this.indexOf(key)) ?? key, model }
  }
}
