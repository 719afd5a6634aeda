/**
 * A provider of a simulated world: what it answers to a call, as steps on the wire, by its keys, limits, outages and
 * chance. It keeps the truth by which the product is judged afterwards.
 */

import type { Dialect } from '../../dialects/dialect.ts'
import type { ChatChunk, ChatRequest, ChatResponse, Usage } from '../../domain/chat.ts'
import { findProvider } from '../../providers/catalog.ts'
import { refusal } from '../fake/errors.ts'
import { limitHeaders } from '../fake/headers.ts'
import { FakeLimits } from '../fake/limits.ts'
import { modelsListBody } from '../fake/modelLists.ts'
import { tokensOf } from '../fake/reply.ts'
import type { FakeFault, FakeLimit } from '../fake/scenario.ts'
import type { Draw } from './drawWorld.ts'
import type { Episode, Noise, ProviderFacts, TroubleKind } from './facts.ts'

/** One step of an answer, `afterMs` after the step before. */
export interface WireStep {
  readonly afterMs: number
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly data?: Buffer
  /** The answer ends, or breaks with this code; a connection that stays open and silent has neither. */
  readonly ends?: true | { readonly code: string }
}

/** What a limit that the answer states leaves, and until when. */
export interface Statement {
  readonly scope: string
  readonly remaining: number
  /** By the provider's clock. */
  readonly issuedAt: number
  readonly resetsAt: number
}

export interface Answer {
  readonly steps: readonly WireStep[]
  readonly trouble: TroubleKind | 'limit' | null
  /** All of the text, however much of it is sent; null for a refusal. */
  readonly text: string | null
  /** What is billed when the answer is sent to its end. */
  readonly nanoUsd: number
  readonly statements: readonly Statement[]
  /** When the provider is well again as far as this call showed it: epoch milliseconds by its clock. */
  readonly wellAt: number
  /** A wait that was stated in words or headers: until when, by the provider's clock. */
  readonly waitUntil: number | null
}

/** A call as the provider sees it. */
export interface Asked {
  readonly key: number
  readonly model: string
  readonly dialect: Dialect
  readonly request: ChatRequest
  /** Unique, so that every answer is. */
  readonly number: number
  readonly bytes: number
  /** Epoch milliseconds, and milliseconds since the start. */
  readonly now: number
  readonly at: number
}

const REFUSALS: ReadonlySet<string> = new Set([
  'server',
  'overloaded',
  'rate_minute',
  'quota_day',
  'billing',
  'auth_invalid',
])
const JSON_TYPE = { 'content-type': 'application/json' }
const EVENTS_TYPE = { 'content-type': 'text/event-stream' }
const WORDS = 'mountain river cloud stone meadow forest valley wind harbour lantern'.split(' ')

export class SimulatedProvider {
  readonly facts: ProviderFacts
  readonly #draw: Draw
  readonly #limits: FakeLimits

  constructor(facts: ProviderFacts, draw: Draw) {
    this.facts = facts
    this.#draw = draw
    this.#limits = new FakeLimits(facts.limits)
  }

  /** 1-based; 0 for a key it does not know. */
  keyOf(headers: Readonly<Record<string, string>>): number {
    const bearer = /^Bearer (.*)$/.exec(headers['authorization'] ?? '')?.[1]
    const text = bearer ?? headers['x-api-key'] ?? headers['x-goog-api-key']
    return this.facts.keys.findIndex((key) => key.text === text) + 1
  }

  /** The trouble that a target is in at that time, whoever calls; null for none. */
  episodeAt(model: string, key: number, at: number): Episode | null {
    return (
      this.facts.episodes.find(
        (one) =>
          at >= one.from &&
          at < one.until &&
          (one.model === null || one.model === model) &&
          (one.key === null || one.key === key),
      ) ?? null
    )
  }

  /** The least share that is left of any limit of the target now, 0..1. */
  shareLeft(model: string, key: number, now: number): number {
    return this.#limits.shareLeft(this.#caller(model, key), now)
  }

  /** A models list, a check of a key. */
  check(key: number, at: number): { readonly status: number; readonly body: unknown } {
    const episode = key === 0 ? null : this.episodeAt('', key, at)
    if (key === 0 || episode?.trouble === 'auth_invalid') return this.#refusal('auth_invalid', '', null)
    const models = new Map(this.facts.models.map(({ id }) => [id, {}]))
    return { status: 200, body: modelsListBody(this.facts.id, this.facts.dialect, models) }
  }

  answer(asked: Asked): Answer {
    const { model, key, at, now } = asked
    const episode = this.episodeAt(model, key, at)
    if (key === 0) return this.#refuse(asked, 'auth_invalid', null, now)
    const struck = episode ?? this.#noise()
    const ends = episode === null ? now : now + (episode.until - at)
    if (struck !== null && REFUSALS.has(struck.trouble))
      return this.#refuse(asked, struck.trouble, struck.retryAfter, ends)
    if (struck !== null && isBeforeWork(struck.trouble)) return this.#fail(asked, struck.trouble, ends)
    const caller = this.#caller(model, key)
    const met = this.#limits.admit(caller, 0, now)
    if (met !== null) {
      const wait = Math.max(0, met.resetsAt - now) / 1000
      const word = met.limit.window === 'day' ? 'quota_day' : 'rate_minute'
      const said = met.limit.stated
        ? { limit: met.limit.limit, retryAfter: Math.ceil(wait), resetsAt: met.resetsAt }
        : { isUnstated: true }
      return this.#refuse(asked, word, null, met.resetsAt, said)
    }
    return this.#work(asked, struck?.trouble ?? null, ends)
  }

  /** What the limits of a target count, by name. */
  scopesOf(model: string, key: number): readonly string[] {
    return this.facts.limits.map((limit) => this.#scopeOf(limit, model, key))
  }

  #scopeOf({ window, scope }: FakeLimit, model: string, key: number): string {
    const caller = this.#caller(model, key)
    const who = scope === 'key' ? caller.key : scope === 'account' ? caller.account : `${caller.account} ${model}`
    return `${this.facts.id} per ${window} of ${who}`
  }

  #caller(model: string, key: number) {
    const account = this.facts.keys[key - 1]?.account ?? null
    return { key: `key ${key}`, account: account ?? `key ${key}`, model }
  }

  #noise(): Noise | null {
    for (const noise of this.facts.noise) if (this.#draw.chance(noise.chance)) return noise
    return null
  }

  #latency(): number {
    return Math.round(this.#draw.logNormal(this.facts.latencyMs, this.facts.spread))
  }

  #refusal(word: TroubleKind, model: string, said: object | null) {
    const found = refusal(this.facts.id, this.facts.dialect, word as FakeFault['do'], { model, ...said }) // refusals only
    return found ?? { status: 500, body: {} }
  }

  #refuse(
    asked: Asked,
    word: TroubleKind,
    retryAfter: number | null,
    wellAt: number,
    limit: object | null = null,
  ): Answer {
    const said = limit ?? (retryAfter === null ? null : { retryAfter, resetsAt: asked.now + retryAfter * 1000 })
    const { status, body, headers } = this.#refusal(word, asked.model, said)
    const [head, statements] = this.#stated(asked)
    const text = Buffer.from(JSON.stringify(body))
    const stated = Number(headers?.['retry-after'] ?? Number.NaN)
    const isDay = limit !== null && word === 'quota_day' && findProvider(this.facts.id)?.dayBoundary !== undefined
    const waitUntil = isDay ? wellAt : Number.isNaN(stated) ? null : asked.now + stated * 1000
    return {
      steps: [
        { afterMs: this.#wait(0.3), status, headers: { ...JSON_TYPE, ...head, ...headers }, data: text, ends: true },
      ],
      trouble: limit === null ? word : 'limit',
      text: null,
      nanoUsd: 0,
      statements,
      wellAt: Math.max(wellAt, waitUntil ?? 0),
      waitUntil,
    }
  }

  #wait(share: number): number {
    return Math.max(1, Math.round(this.#latency() * share))
  }

  /** No answer of any use, and no work done. */
  #fail(asked: Asked, trouble: TroubleKind, wellAt: number): Answer {
    return {
      steps: this.#failure(trouble),
      trouble,
      text: null,
      nanoUsd: 0,
      statements: [],
      wellAt: Math.max(wellAt, asked.now),
      waitUntil: null,
    }
  }

  #failure(trouble: TroubleKind): readonly WireStep[] {
    const afterMs = this.#wait(0.5)
    switch (trouble) {
      case 'refused':
        return [{ afterMs: 2, ends: { code: 'ECONNREFUSED' } }]
      case 'unknown_host':
        return [{ afterMs: 20, ends: { code: 'ENOTFOUND' } }]
      case 'reset':
      case 'stale_socket':
        return [{ afterMs: trouble === 'reset' ? afterMs : 1, ends: { code: 'ECONNRESET' } }]
      case 'html':
        return [{ afterMs, status: 200, headers: { 'content-type': 'text/html' }, data: HTML, ends: true }]
      case 'empty':
        return [{ afterMs, status: 200, headers: JSON_TYPE, ends: true }]
      case 'error_in_200': {
        const { body } = this.#refusal('overloaded', '', null)
        return [{ afterMs, status: 200, headers: JSON_TYPE, data: Buffer.from(JSON.stringify(body)), ends: true }]
      }
      case 'garbage':
        return [{ afterMs, status: 200, headers: JSON_TYPE, data: Buffer.from('{"id":"x","choi'), ends: true }]
      case 'stall':
        return [{ afterMs, status: 200, headers: EVENTS_TYPE }]
      default:
        // Silence.
        return []
    }
  }

  #work(asked: Asked, trouble: TroubleKind | null, wellAt: number): Answer {
    const { request, dialect, model, number, now } = asked
    const most = Math.min(request.maxTokens ?? 400, 400)
    const outputTokens = this.#draw.int(1, Math.max(1, most))
    const text = `Answer ${number}: ${Array.from({ length: this.#draw.int(2, 9) }, () => this.#draw.one(WORDS)).join(' ')}.`
    const inputTokens = tokensOf(' '.repeat(asked.bytes))
    const usage = { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, estimated: false }
    const [head, statements] = this.#stated(asked)
    const reply: ChatResponse = {
      id: `answer-${number}`,
      model,
      content: [{ type: 'text', text }],
      finishReason: 'stop',
      usage,
    }
    const whole = request.stream
      ? this.#stream(reply, text, usage, dialect, { ...request, model, wantsUsage: true }, head, now)
      : this.#plain(dialect.client.writeResponse(reply, request, { now }), head)
    return {
      steps: trouble === null ? whole : this.#cut(whole, trouble, dialect),
      trouble,
      text,
      nanoUsd: this.costOf(model, usage),
      statements,
      wellAt,
      waitUntil: null,
    }
  }

  costOf(model: string, { inputTokens, outputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens'>): number {
    const price = this.facts.models.find(({ id }) => id === model)
    // Dollars per million tokens are thousands of nano-dollars per token.
    return Math.round((inputTokens * (price?.input ?? 0) + outputTokens * (price?.output ?? 0)) * 1000)
  }

  #plain(body: unknown, headers: Readonly<Record<string, string>>): readonly WireStep[] {
    const text = Buffer.from(JSON.stringify(body))
    const start = { afterMs: this.#latency(), status: 200, headers: { ...JSON_TYPE, ...headers } }
    if (this.#draw.chance(0.7)) return [{ ...start, data: text, ends: true }]
    const at = this.#draw.int(1, text.length - 1)
    return [
      { ...start, data: text.subarray(0, at) },
      { afterMs: 5, data: text.subarray(at) },
      { afterMs: 1, ends: true },
    ]
  }

  #stream(
    reply: ChatResponse,
    text: string,
    usage: Usage,
    dialect: Dialect,
    request: ChatRequest,
    headers: Readonly<Record<string, string>>,
    now: number,
  ): readonly WireStep[] {
    const writer = dialect.client.streamWriter(request, { now })
    const pieces = text.match(/[\s\S]{1,20}/g) ?? []
    const chunks: ChatChunk[] = [
      { type: 'start', id: reply.id ?? '', model: reply.model },
      ...pieces.map((piece): ChatChunk => ({ type: 'text-delta', text: piece })),
      { type: 'usage', usage },
      { type: 'finish', finishReason: 'stop' },
      { type: 'end' },
    ]
    const bytes = Buffer.from(chunks.map((chunk) => writer.write(chunk)).join(''))
    const steps: WireStep[] = [{ afterMs: this.#wait(0.4), status: 200, headers: { ...EVENTS_TYPE, ...headers } }]
    const paceMs = this.#wait(0.2)
    // Packets end where they like, also inside a letter.
    for (let from = 0; from < bytes.length; ) {
      const until = Math.min(bytes.length, from + this.#draw.int(20, 400))
      steps.push({ afterMs: steps.length === 1 ? this.#wait(0.6) : paceMs, data: bytes.subarray(from, until) })
      from = until
    }
    return [...steps, { afterMs: 1, ends: true }]
  }

  /** What arrives of an answer that breaks: all but its end, which is at least its last byte. */
  #cut(whole: readonly WireStep[], trouble: TroubleKind, dialect: Dialect): readonly WireStep[] {
    const bytes = Buffer.concat(whole.flatMap(({ data }) => data ?? []))
    const isStream = whole[0]?.headers?.['content-type'] === EVENTS_TYPE['content-type']
    // A stream is whole when its last words are there, which is before its last bytes.
    const most = isStream ? bytes.lastIndexOf('Answer') + 1 : bytes.length - 1
    const kept = bytes.subarray(0, this.#draw.int(0, Math.max(0, most)))
    const [first] = whole
    const start: WireStep = { afterMs: first?.afterMs ?? 1, status: 200, headers: first?.headers ?? {} }
    const data: WireStep[] = kept.length === 0 ? [] : [{ afterMs: this.#wait(0.5), data: kept }]
    switch (trouble) {
      case 'cut_reset':
        return [start, ...data, { afterMs: 5, ends: { code: 'ECONNRESET' } }]
      case 'cut_stall':
        return [start, ...data]
      case 'cut_error': {
        if (!isStream) return [start, ...data, { afterMs: 5, ends: { code: 'ECONNRESET' } }]
        const event = dialect.id === 'anthropic' ? 'event: error\n' : ''
        const said = `\n\n${event}data: ${JSON.stringify(this.#refusal('server', '', null).body)}\n\n`
        return [start, ...data, { afterMs: 5, data: Buffer.from(said), ends: true }]
      }
      default:
        return [start, ...data, { afterMs: 5, ends: true }]
    }
  }

  #stated({ model, key, now }: Asked): readonly [Readonly<Record<string, string>>, readonly Statement[]] {
    const caller = this.#caller(model, key)
    const states = this.#limits.states(caller, now)
    if (states.length === 0) return [{}, []]
    const statements = states
      // Some services never say some of their limits.
      .filter((state) => Object.keys(limitHeaders(this.facts.id, [state], now)).length > 1)
      .map(({ limit, remaining, resetsAt }) => ({
        scope: this.#scopeOf(limit, model, key),
        remaining,
        issuedAt: now,
        resetsAt,
      }))
    return [limitHeaders(this.facts.id, states, now), statements]
  }
}

const HTML = Buffer.from('<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>')

/** Strikes before anything is counted or billed. */
function isBeforeWork(trouble: TroubleKind): boolean {
  return !trouble.startsWith('cut_')
}
