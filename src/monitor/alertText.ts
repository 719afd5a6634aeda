/** The texts of alerts: what happened, why, what still works, when it returns, what to do. */

import type { FailureKind } from '../domain/failure.ts'
import type { Target } from '../domain/target.ts'
import { type Obstacle, whyNot } from '../engine/attempt/eligibility.ts'
import type { Trail } from '../engine/attempt/trail.ts'
import { plainRequest } from '../engine/plainRequest.ts'
import type { EngineReader } from '../engine/reader.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import { moment } from '../observe/alerts/alert.ts'
import { EVERYTHING, type News } from '../observe/alerts/alerts.ts'
import type { Incident } from '../observe/alerts/incident.ts'
import { REASONS } from '../quota/parks/parkText.ts'
import { ineligible } from '../routing/eligible.ts'
import type { Outage } from './outage.ts'

interface Fallen extends Pick<Outage, 'name' | 'since' | 'kinds'> {
  readonly plain: PendingRequest
}

/**
 * How each target that does not serve a failed request failed, by its id. One that was left out because of another failed
 * as that did.
 */
export function failureKinds(engine: EngineReader, plain: PendingRequest, trail: Trail): Map<string, FailureKind> {
  const { eligibility, registry, learned, now } = engine
  const tried = new Map(trail.attempts.map((attempt) => [attempt.target, attempt.failureKind]))
  const byProvider = new Map(trail.attempts.map(({ provider, failureKind }) => [provider, failureKind]))
  const kinds = new Map<string, FailureKind>()
  for (const target of registry.targets) {
    if (ineligible(target, plain.needs, eligibility.rules) !== null) continue
    const left = trail.excludes(target) === null ? null : (byProvider.get(target.provider) ?? trail.lastFailure?.kind)
    const kind = learned.parks.blocking(target, now)?.reason ?? tried.get(target.id) ?? left ?? null
    if (kind !== null) kinds.set(target.id, kind)
  }
  return kinds
}

/** What keeps a target from answering. */
interface Cause {
  readonly target: Target
  readonly kind: FailureKind | null
  readonly word: string
}

export function outageNews(engine: EngineReader, { name, since, plain, kinds }: Fallen): News {
  const causes = causesOf(engine, plain, kinds)
  const of = name === EVERYTHING ? 'Everything fails' : `Nothing answers for "${name}"`
  const down = causes.filter((cause) => cause.word !== UNTRIED).length
  return {
    event: 'all_failed',
    subject: name,
    since,
    what: `${of}: ${down} of ${causes.length} targets are out`,
    why: byProvider(causes),
    works: worksText(engine, kinds),
    ...returns(engine, plain),
    advice: adviceFor(engine, causes),
  }
}

interface Recovered {
  readonly outage: Outage
  /** The target that answered. */
  readonly target: Target
  /** What the outage included and goes on after it. */
  readonly parts: readonly Incident[]
  /** The targets of outages that go on, by id. */
  readonly failing: ReadonlyMap<string, unknown>
}

export function recoveryNews(engine: EngineReader, { outage, target, parts, failing }: Recovered): News {
  const still = parts.map(({ alert }) => alert.what).join('; ')
  return {
    event: 'recovered',
    subject: outage.name,
    since: outage.since,
    what: `${outage.name === EVERYTHING ? 'Requests are' : `"${outage.name}" is`} answered again, by ${target.id}, after ${spanText(engine.now - outage.since)}`,
    why: null,
    works: worksText(engine, failing),
    returnsAt: null,
    returns: null,
    advice: still === '' ? null : `still to fix: ${still}`,
  }
}

/** `5 of 8 targets (groq, google)`. `failed`: those that do not count, by id. */
export function worksText(engine: EngineReader, failed: ReadonlyMap<string, unknown> = NONE): string {
  const { eligibility, registry, now } = engine
  const pending = plainRequest(engine, EVERYTHING, null)
  const isAble = (target: Target) => {
    if (pending === null || failed.has(target.id)) return false
    const why = whyNot(eligibility, target, pending, null, now)
    return why === null || isComingBack(engine, target, why)
  }
  const able = registry.targets.filter(isAble)
  return able.length === 0 ? 'nothing' : targetsText(able, registry.targets.length)
}

/** `5 of 8 targets (groq, google)` */
export function targetsText(able: readonly Target[], all: number): string {
  const providers = [...new Set(able.map((target) => target.provider))]
  return `${able.length} of ${all} targets (${listText(providers)})`
}

const NONE: ReadonlyMap<string, unknown> = new Map()

/** One that gets some of the requests after an outage works. */
function isComingBack({ learned: { parks }, now }: EngineReader, target: Target, why: Obstacle): boolean {
  return why.code === 'parked' && parks.blocking(target, now) === undefined && parks.share(target, now) > 0
}

/** `12 minutes` */
export function spanText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  if (seconds < 120) return seconds === 1 ? '1 second' : `${seconds} seconds`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`
}

/** The first few items of a list, and the number of further ones. */
export function listText(names: readonly string[], most = 6): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}

/** When it is expected to work again, and why: a stated reset, or our next probe. */
function returns(engine: EngineReader, plain: PendingRequest): Pick<News, 'returnsAt' | 'returns'> {
  const now = engine.now
  const soonest = engine.soonest(plain, null)
  if (soonest === null) return { returnsAt: null, returns: 'unknown; keywise tells you when it works again' }
  const { at, target } = soonest
  const park = engine.learned.parks.blocking(target, now)
  if (at > now && (park === undefined || park.stated))
    return { returnsAt: at, returns: `next reset ${moment(at, now)} (${target.provider})` }
  const next = at > now ? `at ${moment(at, now)}` : 'with the next request'
  return { returnsAt: null, returns: `unknown; it is tried again ${next}, and you are told when it works` }
}

const UNTRIED = 'not tried'

function causesOf(engine: EngineReader, plain: PendingRequest, kinds: Outage['kinds']): readonly Cause[] {
  const { eligibility, registry, now } = engine
  return registry.targets
    .filter((target) => ineligible(target, plain.needs, eligibility.rules) === null)
    .map((target) => {
      const kind = engine.learned.parks.blocking(target, now)?.reason ?? kinds.get(target.id) ?? null
      if (kind !== null) return { target, kind, word: REASONS[kind] ?? kind.replaceAll('_', ' ') }
      const why = whyNot(eligibility, target, plain, null, now)
      return { target, kind: null, word: why === null ? UNTRIED : (CODES[why.code] ?? 'kept out') }
    })
}

const CODES: Readonly<Record<string, string>> = {
  quota: 'limit used up',
  budget: 'budget spent',
  hours: 'outside its hours',
}

/** `groq: server errors; google: daily limit, refused key` */
function byProvider(causes: readonly Cause[]): string {
  const words = new Map<string, Set<string>>()
  for (const { target, word } of causes) {
    if (word === UNTRIED) continue
    const known = words.get(target.provider) ?? new Set()
    words.set(target.provider, known.add(word))
  }
  return [...words].map(([provider, all]) => `${provider}: ${[...all].join(', ')}`).join('; ')
}

/** The most useful advice: what a person can fix comes before what passes by itself. */
function adviceFor(engine: EngineReader, causes: readonly Cause[]): string {
  const of = (...kinds: readonly FailureKind[]) => causes.find(({ kind }) => kind !== null && kinds.includes(kind))
  const refused = of('auth_invalid')
  if (refused !== undefined)
    return `replace key ${refused.target.keyIndex} of ${refused.target.provider} in the configuration`
  const broke = of('billing')
  if (broke !== undefined) return `add credit at ${broke.target.provider}, or a free key of another provider`
  if (causes.every(({ kind }) => kind === 'network'))
    return 'check the network and the proxy of this machine; "keywise doctor" says more'
  if (of('quota_day', 'rate_minute', 'zero_quota') !== undefined || causes.some(({ word }) => word === CODES['quota']))
    return 'wait for the reset, or add a key of another account or provider'
  const providers = new Set(engine.registry.targets.map((target) => target.provider))
  return providers.size > 1
    ? 'nothing to fix on your side; check the status pages of the providers'
    : 'add a key of a second provider, so that one alone cannot stop everything'
}
