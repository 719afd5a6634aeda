/**
 * Which targets can serve a request at all. What parks, quotas and budgets forbid is asked elsewhere, in the same
 * words.
 */

import type { Ability, Target } from '../domain/target.ts'

export type IneligibleCode =
  | 'parked'
  | 'budget'
  | 'quota'
  | 'context'
  | 'ability'
  | 'privacy'
  | 'free_only'
  | 'price'
  | 'hours'
  | 'quality'
  | 'model'
  | 'provider'
  | 'skipped'
  | 'disabled'

export interface Ineligible {
  readonly code: IneligibleCode
  /** One line for people: `context too small: 8,192 tokens for 12,000`. */
  readonly reason: string
  /** Epoch milliseconds at which it may be eligible again; null when no time is known. */
  readonly until: number | null
}

/** What a request needs of a target. */
export interface Needs {
  /** Tokens of the prompt, estimated. */
  readonly inputTokens: number
  /** What the caller asked for at most; null when it did not say. */
  readonly maxOutputTokens: number | null
  readonly abilities: readonly Ability[]
  /** The one model that may serve (provider's own id); null for any. */
  readonly model: string | null
  readonly provider: string | null
  /** The targets an alias resolves to, by `stateId`; null for all. */
  readonly among: ReadonlySet<string> | null
  /** The choice of model was left to keywise (`auto…`): unnamed targets must be good and cheap enough. */
  readonly auto: boolean
}

/** What the user's settings forbid. */
export interface EligibilityRules {
  readonly freeOnly: boolean
  readonly privacy: 'any' | 'no_training'
  readonly unknownPrice: 'allow' | 'block'
  /** Most USD per million output tokens; null for no limit. */
  readonly maxOutputPrice: number | null
  /** 0..1; only for `auto`. */
  readonly qualityFloor: number
  /** The estimate that the floor is held against; null when nothing is known. */
  readonly qualityOf: (target: Target) => number | null
}

/** Found in a list, not named by the user: above this, in USD per million output tokens, it stays out of `auto`. */
const DISCOVERED_MOST = 5

/** Why the target cannot serve the request; null when it can. What is unknown of a target is never held against it. */
export function ineligible(target: Target, needs: Needs, rules: EligibilityRules): Ineligible | null {
  return (
    wrongTarget(target, needs) ?? forbidden(target, rules) ?? unable(target, needs) ?? unwanted(target, needs, rules)
  )
}

function wrongTarget(target: Target, needs: Needs): Ineligible | null {
  if (needs.provider !== null && target.provider !== needs.provider)
    return out('provider', `only ${needs.provider} was asked for`)
  if (needs.model !== null && target.model !== needs.model) return out('model', `only ${needs.model} was asked for`)
  if (needs.among !== null && !needs.among.has(target.stateId)) return out('model', 'not among the models asked for')
  return null
}

function forbidden(target: Target, rules: EligibilityRules): Ineligible | null {
  const { free, price, trainsOnPrompts } = target.profile
  if (rules.freeOnly && !free) return out('free_only', 'may be billed, and only free targets are allowed')
  if (rules.privacy === 'no_training' && trainsOnPrompts !== false && !target.profile.local)
    return out('privacy', trainsOnPrompts ? 'may train on prompts' : 'does not say whether it trains on prompts')
  if (free) return null
  if (price === null) return rules.unknownPrice === 'block' ? out('price', 'price unknown') : null
  if (rules.maxOutputPrice !== null && price.output > rules.maxOutputPrice)
    return out('price', `$${price.output} per million output tokens is above the limit of $${rules.maxOutputPrice}`)
  return null
}

function unable(target: Target, needs: Needs): Ineligible | null {
  const { contextTokens, abilities } = target.profile
  if (contextTokens !== null && needs.inputTokens + (needs.maxOutputTokens ?? 0) > contextTokens)
    return out('context', `context too small: ${contextTokens} tokens`)
  for (const ability of needs.abilities) {
    // Nearly every model chats and few embed, so here alone silence means no.
    const missing = ability === 'embeddings' ? abilities[ability] !== true : abilities[ability] === false
    if (missing) return out('ability', `cannot do ${ability}`)
  }
  return null
}

function unwanted(target: Target, needs: Needs, rules: EligibilityRules): Ineligible | null {
  if (!needs.auto) return null
  const { discovered, free, price } = target.profile
  if (discovered && !free && (price === null || price.output > DISCOVERED_MOST))
    return out(
      'price',
      `${price === null ? 'price unknown' : `$${price.output} per million output tokens`}; name it in "models" to use it`,
    )
  const quality = rules.qualityFloor > 0 ? rules.qualityOf(target) : null
  if (quality !== null && quality < rules.qualityFloor)
    return out('quality', `quality ${quality.toFixed(2)} is below the floor of ${rules.qualityFloor}`)
  return null
}

function out(code: IneligibleCode, reason: string): Ineligible {
  return { code, reason, until: null }
}
