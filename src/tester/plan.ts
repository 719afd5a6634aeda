/** What is tested, what the lists have already decided, and what is skipped: settled before the first call. */

import { InvalidRequestError } from '../domain/errors.ts'
import type { Failure } from '../domain/failure.ts'
import { nearest } from '../domain/nearest.ts'
import { abilityWord, type Target, targetId, UNIT_ABILITIES } from '../domain/target.ts'
import type { EngineReader } from '../engine/reader.ts'
import { type Credential, catalogueModel } from '../engine/targets/targetRegistry.ts'
import { type EligibilityRules, ineligible, type Needs } from '../routing/eligible.ts'
import type { ListedModel } from '../upstream/discovery/modelsList.ts'
import type { Filters } from './runOptions.ts'
import type { Survey } from './survey.ts'

/** One target of the run, or one key without a known model. */
export interface PlannedTest {
  readonly id: string
  readonly provider: string
  readonly keyIndex: number
  readonly model: string
  readonly credential: Credential
  /** The provider's current list; null when it gave none. */
  readonly list: readonly ListedModel[] | null
  /** Null for a key without models. */
  readonly target: Target | null
  readonly fate: TestFate
}

export type TestFate =
  | { readonly do: 'call' }
  /** Decided without a call. `finding` names a cause shared with other targets. */
  | { readonly do: 'tell'; readonly failure: Failure; readonly finding: string | null; readonly startedAt: number }
  | { readonly do: 'skip'; readonly reason: string }

/** Represents all models of a key when none is known: the key is refused, or its list fails to load. */
const ALL_MODELS = '(all models)'
export const MODELS_LIST = '(models list)'

/** The keys that match the filters. Throws InvalidRequestError, naming what exists, when none does. */
export function chosenCredentials(engine: EngineReader, { provider, key }: Filters): readonly Credential[] {
  const { credentials } = engine.registry
  const wanted = provider?.toLowerCase()
  const named = credentials.filter(
    ({ provider: { id, spec } }) => wanted === undefined || id === wanted || spec.aliases?.includes(wanted),
  )
  if (named.length === 0)
    throw nothing('provider', provider ?? '', [...new Set(credentials.map((credential) => credential.provider.id))])
  const chosen = named.filter((credential) => key === undefined || credential.key.index === key)
  if (chosen.length === 0)
    throw nothing('key', String(key), [...new Set(named.map((credential) => String(credential.key.index)))])
  return chosen
}

/** Throws InvalidRequestError when no model matches. */
export function planTests(engine: EngineReader, surveys: readonly Survey[], filters: Filters): readonly PlannedTest[] {
  const items = surveys.flatMap((survey) => itemsOf(engine, survey, filters))
  if (items.length > 0 || filters.model === undefined) return items
  const models = engine.registry.targets.map((target) => target.model)
  const near = nearest(filters.model, models)
  throw nothing('model', filters.model, near.length > 0 ? near : [...new Set(models)].slice(0, 10))
}

function itemsOf(engine: EngineReader, survey: Survey, { model }: Filters): readonly PlannedTest[] {
  const { credential } = survey
  const own = engine.registry.targets.filter(
    (target) => target.provider === credential.provider.id && target.fingerprint === credential.fingerprint,
  )
  if (own.length === 0) return withoutModels(engine, survey)
  const wanted = own.filter((target) => model === undefined || target.model.toLowerCase().includes(model.toLowerCase()))
  return wanted.map((target) => ({
    id: target.id,
    provider: target.provider,
    keyIndex: target.keyIndex,
    model: target.model,
    credential,
    list: survey.list,
    target,
    fate: fateOf(target, survey, model !== undefined, engine.eligibility.rules),
  }))
}

/** The key is reported even though no model can be called with it. */
function withoutModels(engine: EngineReader, survey: Survey): readonly PlannedTest[] {
  const { credential, refusal, listFailure, startedAt } = survey
  const empty: Failure = { kind: 'model_not_found', status: null, message: 'the provider lists no model for this key' }
  const failure = refusal?.failure ?? listFailure ?? empty
  const model = refusal === null ? MODELS_LIST : ALL_MODELS
  return [
    {
      id: targetId(credential.provider.id, model, credential.key.index),
      provider: credential.provider.id,
      keyIndex: credential.key.index,
      model,
      credential,
      list: null,
      target: null,
      fate: { do: 'tell', failure, finding: refusal?.id ?? null, startedAt: Math.min(startedAt, engine.now) },
    },
  ]
}

function fateOf(target: Target, survey: Survey, named: boolean, rules: EligibilityRules): TestFate {
  const { refusal, startedAt } = survey
  if (refusal !== null) return { do: 'tell', failure: refusal.failure, finding: refusal.id, startedAt }
  const units = UNIT_ABILITIES.find((ability) => target.profile.abilities[ability] === true)
  if (units !== undefined && target.profile.abilities.chat === false)
    return {
      do: 'skip',
      reason: `not tested: ${target.profile.free ? '' : 'price unknown; '}serves ${abilityWord(units)}, not chats`,
    }
  if (target.profile.discovered && target.profile.abilities.chat === false)
    return { do: 'skip', reason: 'makes embeddings; a chat test does not apply' }
  const failure = decidedByList(target, survey)
  if (failure !== null) return { do: 'tell', failure, finding: null, startedAt }
  if (!named && target.profile.discovered && survey.loaded !== null && !survey.loaded.has(target.model))
    return { do: 'skip', reason: 'not loaded; name it in "models" or with --model to test it' }
  const forbidden = ineligible(target, NOTHING_NEEDED, rules)
  return forbidden === null ? { do: 'call' } : { do: 'skip', reason: forbidden.reason }
}

/** Only the user's settings restrict a test. */
const NOTHING_NEEDED: Needs = {
  inputTokens: 0,
  maxOutputTokens: null,
  abilities: [],
  model: null,
  provider: null,
  among: null,
  auto: false,
}

/** A model that is retired, unknown or of another kind; null when only a call can tell. */
function decidedByList({ model }: Target, { credential, list }: Survey): Failure | null {
  const { spec } = credential.provider
  const known = catalogueModel(spec, model)
  const listed = list === null || list.length === 0 ? undefined : findListed(list, model)
  if (listed !== undefined && !listed.chats) return doesNotChat(listed)
  // A model listed today is served, whatever was announced.
  if (listed !== undefined) return null
  if (known?.retired !== undefined) return retired(known.retired)
  return list === null || list.length === 0 ? null : unlisted(model, list)
}

function retired({ on, successor }: { readonly on: string; readonly successor?: string }): Failure {
  const message = `retired by the provider on ${on}${successor === undefined ? '' : `; use ${successor}`}`
  return { kind: 'model_not_found', status: null, message, ...(successor !== undefined && { successor }) }
}

function unlisted(model: string, list: readonly ListedModel[]): Failure {
  const successor = nearestListed(model, list)
  const message = `not in the provider's models list${successor === undefined ? '' : `; nearest: ${successor}`}`
  return { kind: 'model_not_found', status: null, message, ...(successor !== undefined && { successor }) }
}

function nearestListed(model: string, list: readonly ListedModel[]): string | undefined {
  const chatting = list.filter((one) => one.chats && one.id !== model)
  return nearest(
    model,
    chatting.map((one) => one.id),
    1,
  )[0]
}

/** The failure of a call to a missing model, with what the catalogue and the list know about it. */
export function explained(
  failure: Failure,
  { model, credential, list }: Pick<PlannedTest, 'model' | 'credential' | 'list'>,
): Failure {
  if (failure.kind !== 'model_not_found' || failure.successor !== undefined) return failure
  const known = catalogueModel(credential.provider.spec, model)?.retired
  if (known !== undefined) return { ...retired(known), status: failure.status }
  const successor = nearestListed(model, list ?? [])
  return successor === undefined ? failure : { ...failure, successor }
}

function doesNotChat({ embeds }: ListedModel): Failure {
  const message = embeds
    ? 'makes embeddings, it does not chat'
    : 'does not chat (speech, images or another kind of model)'
  return { kind: 'unsupported', status: null, message, ability: 'chat' }
}

/**
 * The row of a model with several names: `llama3` is `llama3:latest` (Ollama), `claude-x` its dated snapshot, and
 * `model:online` a variant of `model` (OpenRouter). `:free` is a model of its own.
 */
function findListed(list: readonly ListedModel[], model: string): ListedModel | undefined {
  const colon = model.lastIndexOf(':')
  const base = colon > 0 && !model.endsWith(':free') ? model.slice(0, colon) : null
  return (
    list.find((one) => one.id === model) ??
    list.find((one) => one.id === `${model}:latest` || one.id === base) ??
    list.find((one) => one.id.startsWith(`${model}-`) && DATED.test(one.id.slice(model.length)))
  )
}

const DATED = /^-(?:20\d\d-?\d\d-?\d\d|latest)$/

function nothing(parameter: string, asked: string, there: readonly string[]): InvalidRequestError {
  return new InvalidRequestError(
    `no ${parameter} "${asked.slice(0, 100)}" to test; there is: ${there.join(', ') || 'none'}`,
    {
      parameter,
    },
  )
}
