/** Where a key was seen to do something else than is published: "listed 1,000 a day, yours 50". */

import { ABILITIES, abilityWord, type Target } from '../domain/target.ts'
import type { EngineReader } from '../engine/reader.ts'
import { knownAbility, knownFact } from '../providers/installed.ts'
import type { LimitView } from '../quota/limits/limitView.ts'
import type { ListedModel } from '../upstream/discovery/modelsList.ts'

/** What is listed of a target by the catalogue or the installed facts, and what holds for this key. */
export interface Difference {
  /** Target id. */
  readonly target: string
  readonly about: 'limit' | 'context' | 'output' | 'ability'
  /** For people. */
  readonly text: string
  /** The published number, or whether the ability was published. */
  readonly listed: number | boolean
  /** That of this key. */
  readonly yours: number | boolean
  /** How the key's own is known: a header or body of an answer, learned from refusals, its models list, a refusal. */
  readonly by: 'header' | 'body' | 'learned' | 'models list' | 'refusal'
}

export function differencesOf(engine: EngineReader, target: Target): readonly Difference[] {
  const credential = engine.registry.credentialOf(target)
  const listed = engine.lists.of(credential)?.models.find(({ id }) => id === target.model)
  return [
    ...engine.learned.quota.limitsOf(target, engine.now).flatMap((limit) => limitDifference(target, limit)),
    ...windowDifferences(engine, target, listed),
    ...abilityDifferences(engine, target, listed),
  ]
}

function limitDifference(target: Target, { limit, published, unit, window, source }: LimitView): readonly Difference[] {
  if (limit === null || published === null || source === 'seed' || limit === published.limit) return []
  const what = unit === 'requests' ? '' : ` ${unit}`
  const per = window === 'none' ? '' : ` a ${window}`
  const about = source === 'learned' ? 'about ' : ''
  const asOf = published.asOf ? ` as of ${published.checkedAt}` : ''
  const text = `listed ${count(published.limit)}${what}${per}${asOf}, yours ${about}${count(limit)}`
  return [{ target: target.id, about: 'limit', text, listed: published.limit, yours: limit, by: source }]
}

function windowDifferences(
  { windows, registry }: EngineReader,
  target: Target,
  listed: ListedModel | undefined,
): readonly Difference[] {
  const { spec } = registry.credentialOf(target).provider
  const { profile } = target
  const about = [
    ['context', 'contextTokens', windows.windowOf(target), 'tokens of context'],
    ['output', 'maxOutputTokens', windows.outputOf(target), 'tokens of an answer'],
  ] as const
  return about.flatMap(([what, field, now, unit]) => {
    const published = knownFact(spec, target.model, field)?.value
    if (published === undefined) return []
    const isRefused = now !== null && now !== profile[field]
    const yours = isRefused ? now : (listed?.[field] ?? null)
    if (yours === null || yours === published) return []
    const by = isRefused ? 'refusal' : 'models list'
    const who = isRefused ? 'a refusal said' : "the key's list says"
    const text = `listed ${count(published)} ${unit}, ${who} ${count(yours)}`
    return [{ target: target.id, about: what, text, listed: published, yours, by }]
  })
}

function abilityDifferences(
  { missingAbilities, registry }: EngineReader,
  target: Target,
  listed: ListedModel | undefined,
): readonly Difference[] {
  const { spec } = registry.credentialOf(target).provider
  return ABILITIES.flatMap((ability): readonly Difference[] => {
    const published = knownAbility(spec, target.model, ability)?.value
    const base = { target: target.id, about: 'ability', yours: false } as const
    const word = abilityWord(ability)
    const isMissing = missingAbilities.missing(target, [ability]) !== undefined
    if (isMissing && (published ?? target.profile.abilities[ability]) === true)
      return [{ ...base, text: `listed ${word}, seen not`, listed: true, by: 'refusal' }]
    const own = listed?.abilities[ability]
    if (published === undefined || own === undefined || own === published) return []
    const text = published ? `listed ${word}, the key's list says not` : `listed no ${word}, the key's list says yes`
    return [{ ...base, yours: own, text, listed: published, by: 'models list' }]
  })
}

const count = (value: number) => value.toLocaleString('en-US')
