/** Which targets can serve a request at all. Parks, quotas and budgets are checked elsewhere, in the same terms. */

import { type Ability, abilityWord, type Target } from '../domain/target.ts'
import { fitsWindow } from './answerRoom.ts'
import { type NeededPart, spokenDialect, type Told } from './spokenDialect.ts'

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
  | 'retired'
  | 'provider'
  | 'skipped'
  | 'disabled'

export interface Ineligible {
  readonly code: IneligibleCode
  /** One line for users: `context too small: 8,192 tokens for 12,000`. */
  readonly reason: string
  /** Epoch milliseconds at which it may become eligible again; null when unknown. */
  readonly until: number | null
  /** Of `context`: the window that is too small. */
  readonly contextTokens?: number
  /** Of `context`: the prompt, as it would be counted there. */
  readonly inputTokens?: number
}

/** What a request needs of a target. */
export interface Needs extends Told {
  /** Estimated tokens of the prompt. */
  readonly inputTokens: number
  /** Those of the longest text, where several are read one by one and each has the window for itself. Default: all. */
  readonly longestTokens?: number
  /** The maximum the caller set; null when it set none. */
  readonly maxOutputTokens: number | null
  /** The only model that may serve (the provider's own id); null for any. */
  readonly model: string | null
  readonly provider: string | null
  /** The targets an alias resolves to, by `stateId`; null for all. */
  readonly among: ReadonlySet<string> | null
  /** The choice of model was left to keywise (`auto…`): targets that were not named must be good and cheap enough. */
  readonly auto: boolean
  /** The user said what it may cost: targets that were not named need not be cheap besides. Default: false. */
  readonly anyPrice?: boolean
  /** What is asked for is not billed by the token, so that a price per token says nothing. */
  readonly inUnits?: boolean
}

/** What the user's settings forbid. */
export interface EligibilityRules {
  readonly freeOnly: boolean
  readonly privacy: 'any' | 'no_training'
  readonly unknownPrice: 'allow' | 'block'
  /** Maximum USD per million output tokens; null for no limit. */
  readonly maxOutputPrice: number | null
  /** 0..1; only for `auto`. */
  readonly qualityFloor: number
  /** The estimate that is compared with the floor; null when nothing is known. */
  readonly qualityOf: (target: Target) => number | null
  /** When the target last answered, in epoch milliseconds; null for never. */
  readonly answeredAt: (target: Target) => number | null
  /** The target's window in tokens as far as known, refusals included; default: the profile's. */
  readonly windowOf?: (target: Target) => number | null
  /** Tokens of a prompt as the target's provider would count them; default: as estimated. */
  readonly countFor?: (target: Target, inputTokens: number) => number
}

/** Discovered targets above this price, in USD per million output tokens, are excluded from `auto`. */
const DISCOVERED_MOST = 5

/** What a model that chats may well be able to do. */
const COMMON: ReadonlySet<Ability> = new Set([
  'chat',
  'streaming',
  'tools',
  'images',
  'json',
  'jsonSchema',
  'reasoning',
])

/** Why the target cannot serve the request; null when it can. Unknown properties never exclude a target. */
export function ineligible(target: Target, needs: Needs, rules: EligibilityRules): Ineligible | null {
  return (
    wrongTarget(target, needs) ??
    forbidden(target, needs, rules) ??
    unable(target, needs) ??
    unwanted(target, needs, rules) ??
    // Last, because a shorter request helps only where nothing else is in the way.
    tooShort(target, needs, rules)
  )
}

function wrongTarget(target: Target, needs: Needs): Ineligible | null {
  if (needs.provider !== null && target.provider !== needs.provider)
    return out('provider', `only ${needs.provider} was asked for`)
  if (needs.model !== null && target.model !== needs.model) return out('model', `only ${needs.model} was asked for`)
  if (needs.among !== null && !needs.among.has(target.stateId)) return out('model', 'not among the models asked for')
  return null
}

function forbidden(target: Target, { inUnits }: Needs, rules: EligibilityRules): Ineligible | null {
  const { free, price, hasUnitPrice, trainsOnPrompts } = target.profile
  if (rules.freeOnly && !free) return out('free_only', 'may be billed, and only free targets are allowed')
  if (rules.privacy === 'no_training' && trainsOnPrompts !== false && !target.profile.local)
    return out('privacy', trainsOnPrompts ? 'may train on prompts' : 'does not say whether it trains on prompts')
  if (free) return null
  if (inUnits && hasUnitPrice) return null
  if (price === null || inUnits) return rules.unknownPrice === 'block' ? out('price', 'price unknown') : null
  if (rules.maxOutputPrice !== null && price.output > rules.maxOutputPrice)
    return out('price', `$${price.output} per million output tokens is above the limit of $${rules.maxOutputPrice}`)
  return null
}

function unable(target: Target, needs: Needs): Ineligible | null {
  const { abilities } = target.profile
  for (const ability of needs.abilities) {
    // Nearly every model chats and few do anything else: a model that was not named must be known to do it.
    const unknown = !COMMON.has(ability) && needs.among === null && abilities[ability] === undefined
    if (unknown || abilities[ability] === false) return out('ability', `cannot do ${abilityWord(ability)}`)
  }
  return needs.parts === undefined || spokenDialect(target.profile, needs) !== null ? null : cannotTake(target, needs)
}

/** The first part that no dialect of the target can be told, or the first, where one can be told each but none all. */
function cannotTake({ profile }: Target, needs: Needs): Ineligible {
  const { parts = NO_PARTS } = needs
  const untold = parts.find((part) => spokenDialect(profile, { ...needs, parts: [part] }) === null) ?? parts[0]
  return out('ability', `cannot take ${untold?.name ?? 'the request'}`)
}

function tooShort(
  target: Target,
  { inputTokens: all, longestTokens: estimate = all, maxOutputTokens }: Needs,
  rules: EligibilityRules,
): Ineligible | null {
  const inputTokens = rules.countFor === undefined ? estimate : rules.countFor(target, estimate)
  const contextTokens = rules.windowOf === undefined ? target.profile.contextTokens : rules.windowOf(target)
  if (contextTokens === null) return null
  if (fitsWindow(inputTokens, target.profile.holdsAnswerApart ? null : maxOutputTokens, contextTokens)) return null
  return { ...out('context', `context too small: ${contextTokens} tokens`), contextTokens, inputTokens }
}

const NO_PARTS: readonly NeededPart[] = []

function unwanted(target: Target, needs: Needs, rules: EligibilityRules): Ineligible | null {
  if (!needs.auto) return null
  const dear = needs.anyPrice === true ? null : dearOf(target)
  if (dear !== null) return out('price', dear)
  const { retiredOn } = target.profile
  if (retiredOn !== undefined && !((rules.answeredAt(target) ?? 0) > Date.parse(retiredOn)))
    return out('retired', `retired by the catalogue on ${retiredOn}; used by "auto" once it has answered`)
  const quality = rules.qualityFloor > 0 ? rules.qualityOf(target) : null
  if (quality !== null && quality < rules.qualityFloor)
    return out('quality', `quality ${quality.toFixed(2)} is below the floor of ${rules.qualityFloor}`)
  return null
}

/** Why a model that nobody named costs too much to be chosen unasked; null when it does not. */
export function dearOf({ profile: { discovered, free, price, freeTier } }: Target): string | null {
  const isDear = price === null ? freeTier !== true : price.output > DISCOVERED_MOST
  if (!discovered || free || !isDear) return null
  return `${price === null ? 'price unknown' : `$${price.output} per million output tokens`}; name it in "models" to use it`
}

function out(code: IneligibleCode, reason: string): Ineligible {
  return { code, reason, until: null }
}
