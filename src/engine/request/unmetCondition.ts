/** Which condition of an alias a target does not satisfy, if any. */

import type { AliasCondition } from '../../config/alias.ts'
import type { Ability, Target } from '../../domain/target.ts'
import { dearOf } from '../../routing/eligible.ts'

export interface Unmet {
  /** As the user wrote it: `"min_context": 128000`; the same for every target that it excludes. */
  readonly condition: string
  /** One line about this target. */
  readonly reason: string
}

/** What calls have shown of the abilities of models. */
export interface AbilityFindings {
  /** Changes with every finding, so that what was derived from them can be kept until then. */
  readonly version: number
  missing(model: Pick<Target, 'provider' | 'model'>, abilities: readonly Ability[]): Ability | undefined
}

/** The first condition that the target fails; null when it satisfies all. What is not known is not satisfied. */
export function unmetBy(
  target: Target,
  condition: AliasCondition,
  isNamed: boolean,
  findings: AbilityFindings,
): Unmet | null {
  if (!isNamed) return unmet(`"from": ${JSON.stringify(condition.from)}`, 'not among the models it chooses from')
  return (
    inability(target, condition, findings) ??
    shortness(target, condition) ??
    cost(target, condition) ??
    dearness(target, condition)
  )
}

const unmet = (condition: string, reason: string): Unmet => ({ condition, reason })

function inability(target: Target, { needs }: AliasCondition, findings: AbilityFindings): Unmet | null {
  const { abilities } = target.profile
  if (abilities.chat === false && !needs.some(({ ability }) => ability === 'embeddings'))
    return unmet('chat', 'does not chat')
  for (const { word, ability } of needs) {
    const condition = `"needs": ["${word}"]`
    if (abilities[ability] === false) return unmet(condition, `cannot do ${word}`)
    if (findings.missing(target, [ability]) !== undefined)
      return unmet(condition, `cannot do ${word}, as calls showed; "keywise keys retest" has it tried again`)
    if (abilities[ability] !== true && !isUsual(ability) && !(ability === 'json' && abilities.jsonSchema === true))
      return unmet(condition, `not known to do ${word}; "abilities" of its model in the configuration can say so`)
  }
  return null
}

/** Nearly every model does it, and no list says so. */
const isUsual = (ability: Ability) => ability === 'chat' || ability === 'streaming'

function shortness({ profile: { contextTokens } }: Target, { minContext }: AliasCondition): Unmet | null {
  if (minContext === null || (contextTokens !== null && contextTokens >= minContext)) return null
  const condition = `"min_context": ${minContext}`
  return contextTokens === null
    ? unmet(condition, 'its context window is not known; "context_tokens" of its model in the configuration can say it')
    : unmet(condition, `context window of ${contextTokens} tokens`)
}

function cost({ profile }: Target, { free, maxUsdOut }: AliasCondition): Unmet | null {
  const isFree = profile.free || profile.ownServer === true
  if (free && !isFree) return unmet('"free": true', 'may be billed; "free": true on its key says that it cannot be')
  if (maxUsdOut === null || isFree) return null
  if (profile.price === null) return unmet(`"max_usd_out": ${maxUsdOut}`, 'price unknown')
  return profile.price.output > maxUsdOut
    ? unmet(`"max_usd_out": ${maxUsdOut}`, `$${profile.price.output} per million output tokens`)
    : null
}

/** Where the user says nothing of prices, models that nobody named have to be cheap, as for `auto`. */
function dearness(target: Target, { maxUsdOut }: AliasCondition): Unmet | null {
  const reason = maxUsdOut === null ? dearOf(target) : null
  return reason === null ? null : unmet('the price limit of "auto"', reason)
}

/** `"needs": ["tools"] excludes 7, "min_context": 128000 excludes 2`, the most frequent first. */
export function exclusionsText(all: readonly Unmet[]): string {
  const counts = new Map<string, number>()
  for (const { condition } of all) counts.set(condition, (counts.get(condition) ?? 0) + 1)
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([condition, count]) => `${condition} excludes ${count}`)
    .join(', ')
}
