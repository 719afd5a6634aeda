/** `models --facts`: every value that is known of a model, who says so, since when, and whether it is still current. */

import { currentUntil, isoDay } from '../domain/isoTime.ts'
import { ABILITIES, type Ability, abilityWord, type Target } from '../domain/target.ts'
import type { EngineReader } from '../engine/reader.ts'
import type { DatedFact, Retirement } from '../providers/dated.ts'
import { knownAbility, knownFact } from '../providers/installed.ts'

/** One value. */
export interface ModelFact {
  /** `context`, `output`, `price`, `free_tier`, `retired`, `requests/day`, `tools` … */
  readonly fact: string
  readonly value: number | boolean | string
  /** An address, or `configuration`, `models list`, `refusal`, `header`, `body`, `learned`. */
  readonly source: string
  /** ISO date; null for what the configuration says. */
  readonly checkedAt: string | null
  /** Nobody has confirmed it for so long that it is only as of `checkedAt`. */
  readonly asOf: boolean
}

/** The values that are used: what was seen, else the provider's list, else what is published. */
export function modelFacts(engine: EngineReader, target: Target): readonly ModelFact[] {
  const { spec } = engine.registry.credentialOf(target).provider
  const today = isoDay(engine.now)
  const of = (field: 'retired' | 'retires') => textOf(knownFact(spec, target.model, field))
  return [
    ...windowFact(engine, target, 'contextTokens'),
    ...windowFact(engine, target, 'maxOutputTokens'),
    ...priceFact(target, engine),
    ...published('free_tier', knownFact(spec, target.model, 'freeTier'), today),
    ...published('retired', of('retired'), today),
    ...published('retires', of('retires'), today),
    ...limitFacts(engine, target),
    ...ABILITIES.flatMap((ability) => abilityFact(engine, target, ability)),
  ]
}

type Known = DatedFact<number | boolean | string> | null

function published(fact: string, known: Known, today: string): readonly ModelFact[] {
  if (known === null) return []
  const { value, source, checkedAt, asOfAfter } = known
  return [{ fact, value, source, checkedAt: checkedAt || null, asOf: asOfAfter !== '' && today > asOfAfter }]
}

function textOf(known: DatedFact<Retirement> | null): Known {
  if (known === null) return null
  const { on, successor } = known.value
  return { ...known, value: successor === undefined ? on : `${on}, use ${successor}` }
}

/** What was read or seen just now, or stands in the configuration, is never out of date. */
function current(fact: string, value: ModelFact['value'], source: string, at: number | null): readonly ModelFact[] {
  return [{ fact, value, source, checkedAt: at === null ? null : isoDay(at), asOf: false }]
}

const WINDOWS = { contextTokens: 'context', maxOutputTokens: 'output' } as const

function windowFact(engine: EngineReader, target: Target, field: keyof typeof WINDOWS): readonly ModelFact[] {
  const { windows, lists, registry, now } = engine
  const fact = WINDOWS[field]
  const value = field === 'contextTokens' ? windows.windowOf(target) : windows.outputOf(target)
  if (value === null) return []
  if (value !== target.profile[field]) return current(fact, value, 'refusal', now)
  const credential = registry.credentialOf(target)
  if (configured(engine, target)?.[field] !== undefined) return current(fact, value, 'configuration', null)
  const list = lists.of(credential)
  const listed = list?.models.find(({ id }) => id === target.model)
  if (list && listed?.[field] === value) return current(fact, value, 'models list', list.readAt)
  return published(fact, knownFact(credential.provider.spec, target.model, field), isoDay(now))
}

/** Prices carry their source with them, as the ledger keeps it: `facts 2026-11-30`, `genai-prices 2026-09-23`. */
function priceFact(
  { stateId, provider, model, profile }: Target,
  { registry, now }: EngineReader,
): readonly ModelFact[] {
  const price = registry.priceOf({ stateId })
  if (price === null || profile.price === null) return []
  const value = `${profile.price.input} / ${profile.price.output}`
  const installed = registry.config.providers.find(({ id }) => id === provider)?.spec.installed?.of(model)?.price
  if (price.source.startsWith('facts ') && installed !== undefined)
    return published('price', { ...installed, value }, isoDay(now))
  const checkedAt = /\d{4}-\d\d-\d\d$/.exec(price.source)?.[0] ?? ''
  return published('price', { value, source: price.source, checkedAt, asOfAfter: currentUntil(checkedAt) }, isoDay(now))
}

function limitFacts({ learned, now }: EngineReader, target: Target): readonly ModelFact[] {
  return learned.quota.limitsOf(target, now).flatMap((limit): readonly ModelFact[] => {
    const { unit, window, source, checkedAt, published: known } = limit
    const fact = window === 'none' ? unit : `${unit}/${window}`
    if (limit.limit === null) return []
    if (source !== 'seed') return current(fact, limit.limit, source, checkedAt)
    if (known === null) return []
    return [{ fact, value: known.limit, source: known.source ?? '', checkedAt: known.checkedAt, asOf: known.asOf }]
  })
}

function abilityFact(engine: EngineReader, target: Target, ability: Ability): readonly ModelFact[] {
  const { missingAbilities, lists, registry, now } = engine
  const fact = abilityWord(ability)
  if (missingAbilities.missing(target, [ability]) !== undefined) return current(fact, false, 'refusal', now)
  const value = target.profile.abilities[ability]
  if (value === undefined) return []
  if (configured(engine, target)?.abilities?.[ability] !== undefined) return current(fact, value, 'configuration', null)
  const credential = registry.credentialOf(target)
  const list = lists.of(credential)
  const listed = list?.models.find(({ id }) => id === target.model)
  if (list && listed?.abilities[ability] === value) return current(fact, value, 'models list', list.readAt)
  const known = knownAbility(credential.provider.spec, target.model, ability)
  return known?.value === value ? published(fact, known, isoDay(now)) : []
}

function configured({ registry }: EngineReader, target: Target) {
  const { models } = registry.credentialOf(target).provider
  return typeof models === 'string' ? undefined : models.find(({ id }) => id === target.model)
}
