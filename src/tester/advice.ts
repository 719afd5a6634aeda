/** What to do about each kind of failure, and the order in which the advice helps most. */

import type { Failure, FailureKind, FailureOf } from '../domain/failure.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import { MODELS_LIST } from './plan.ts'
import type { Advice, TestResult } from './testResult.ts'

interface AdviceFacts {
  readonly credential: Credential
  /** More than one key of the provider is configured. */
  readonly hasSiblings: boolean
  readonly model: string
  readonly successor: string | null
  /** When the failure ends, ISO 8601. */
  readonly retryAt: string | null
}

type Adviser<K extends FailureKind> = (facts: AdviceFacts, failure: FailureOf<K>) => string

const ADVICE: { readonly [K in FailureKind]: Adviser<K> } = {
  auth_invalid: (facts, { leaked }) =>
    `${keyOf(facts)} ${leaked ? 'was found in public and is blocked' : 'is refused'}: create a new one${at(facts)} and replace it (${facts.credential.key.source})`,
  auth_forbidden: (facts, { hostBlocked, routeOnly }) =>
    hostBlocked
      ? `${nameOf(facts)} refuses this host or region: use another network, or set HTTPS_PROXY`
      : routeOnly && facts.model === MODELS_LIST
        ? `${keyOf(facts)} may not list models: name the models it can call in "models", or allow it${at(facts)}`
        : `${keyOf(facts)} may not use ${facts.model}: allow it in the account${at(facts)}, or take it out of "models"`,
  billing: (facts) => `the account of ${keyOf(facts)} has no credit left: add some, or use models that cost nothing`,
  in_flight_budget: (facts) => `${nameOf(facts)} refuses calls while others are unpaid: wait${until(facts)}`,
  quota_day: (facts) =>
    `the daily quota of ${keyOf(facts)} is used up: wait${until(facts)}, or add a key of another account`,
  rate_minute: (facts) =>
    `${keyOf(facts)} is limited by the minute: it works again${until(facts) || ' soon'}; test with a lower --concurrency`,
  zero_quota: (facts) =>
    `${keyOf(facts)} has no quota at all for ${facts.model}: take it out of "models", or enable billing${at(facts)}`,
  too_large_for_limit: (facts) =>
    `the limit of ${keyOf(facts)} is smaller than the test message: shorten settings.test.message`,
  overloaded: (facts) =>
    `${nameOf(facts)} is overloaded: test again later with --provider ${facts.credential.provider.id}`,
  server: (facts) =>
    `${nameOf(facts)} has problems of its own: test again later with --provider ${facts.credential.provider.id}`,
  timeout: (facts, { phase }) =>
    phase === 'connect'
      ? unreachable(facts)
      : `${facts.model} of ${nameOf(facts)} is slow: give it more time with --timeout or settings.test.timeout_ms`,
  network: unreachable,
  model_not_found: ({ credential, model, successor }) =>
    successor === null
      ? `${credential.provider.spec.name} does not serve ${model} (any more): take it out of the models of ${credential.provider.id}`
      : `${credential.provider.spec.name} does not serve ${model} (any more): put ${successor} in its place in the models of ${credential.provider.id}`,
  context_too_long: (facts) => `the test message is too long for ${facts.model}: shorten settings.test.message`,
  content_filter: (facts) => `${nameOf(facts)} refused the test message: change settings.test.message`,
  empty: (facts) => `${facts.model} answered nothing: run the test again, or take it out if it stays so`,
  malformed: (facts) => `${facts.model} did not answer in the form it was asked for: run the test again`,
  unsupported: ({ credential, model }, { ability }) =>
    ability === 'chat'
      ? `${model} does not chat: take it out of the models of ${credential.provider.id}`
      : `${model} of ${credential.provider.spec.name} does not take a plain request: check its "dialect" and "endpoint"`,
  bad_request: (facts) => `${nameOf(facts)} does not understand the request: check its "dialect" and "endpoint"`,
  client_gone: () => 'the test was interrupted: run it again',
  slower: (facts) => `${facts.model} of ${nameOf(facts)} was slower than another target: test it again`,
}

export function adviceFor(failure: Failure, facts: AdviceFacts): string {
  // The row matches this kind; TypeScript cannot follow the correlation.
  return (ADVICE[failure.kind] as (facts: AdviceFacts, failure: Failure) => string)(facts, failure)
}

/** What restores most for the least effort comes first: dead keys, blocked hosts, wrong names; waiting comes last. */
const USEFUL_FIRST: readonly FailureKind[] = [
  'auth_invalid',
  'network',
  'auth_forbidden',
  'billing',
  'model_not_found',
  'unsupported',
  'zero_quota',
  'bad_request',
  'content_filter',
  'empty',
  'malformed',
  'context_too_long',
  'too_large_for_limit',
  'timeout',
  'quota_day',
  'in_flight_budget',
  'rate_minute',
  'overloaded',
  'server',
  'client_gone',
  'slower',
]

/** All advice of a run, deduplicated, most useful first; ties go to the advice that affects more targets. */
export function allAdvice(results: readonly TestResult[]): readonly Advice[] {
  const found = new Map<string, { rank: number; targets: string[] }>()
  for (const { advice, failureKind, target } of results) {
    if (advice === null || failureKind === null) continue
    const known = found.get(advice) ?? { rank: USEFUL_FIRST.indexOf(failureKind), targets: [] }
    known.targets.push(target)
    found.set(advice, known)
  }
  return [...found]
    .sort(([, a], [, b]) => a.rank - b.rank || b.targets.length - a.targets.length)
    .map(([text, { targets }]) => ({ text, targets }))
}

/** Keys that hit the same daily limit on the same model may share an account; reported once per provider. */
export function sharedQuotaAdvice(
  results: readonly TestResult[],
  credentials: readonly Credential[],
): readonly Advice[] {
  const limited = results.filter(({ failureKind }) => failureKind === 'quota_day' || failureKind === 'rate_minute')
  return [...new Set(limited.map(({ provider }) => provider))].flatMap((provider) => {
    const of = limited.filter((result) => result.provider === provider)
    const keys = [...new Set(of.map(({ keyIndex }) => keyIndex))].sort((a, b) => a - b)
    const named = credentials.some(({ provider: { id }, key }) => id === provider && key.account !== undefined)
    if (keys.length < 2 || named) return []
    const text = `keys ${keys.join(' and ')} of ${provider} met limits together: if they are of one account, give them the same "account", so that they are counted as one`
    return [{ text, targets: of.map(({ target }) => target) }]
  })
}

function unreachable({ credential }: AdviceFacts): string {
  const { host } = new URL(credential.connection.origin)
  const own = credential.provider.spec.local === true
  return own
    ? `nothing answers at ${host}: start the server of ${credential.provider.spec.name}, or take it out of the configuration`
    : `${host} cannot be reached from here: check the network and its firewall, or set HTTPS_PROXY`
}

const nameOf = ({ credential }: AdviceFacts) => credential.provider.spec.name

function keyOf({ credential, hasSiblings }: AdviceFacts): string {
  const { key, provider } = credential
  const label = key.label === undefined ? '' : ` (${key.label})`
  return hasSiblings ? `key ${key.index}${label} of ${provider.spec.name}` : `the key of ${provider.spec.name}${label}`
}

function at({ credential }: AdviceFacts): string {
  const { keysUrl } = credential.provider.spec
  return keysUrl === undefined ? '' : ` at ${keysUrl}`
}

function until({ retryAt }: AdviceFacts): string {
  return retryAt === null ? '' : ` until ${retryAt.slice(0, 16).replace('T', ' ')} UTC`
}
