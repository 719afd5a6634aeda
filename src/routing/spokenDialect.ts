/** The dialect in which a target is told a request, for services that speak several at one address. */

import type { DialectId } from '../domain/chat.ts'
import type { Ability, TargetProfile } from '../domain/target.ts'

/** What of a request's needs decides it. */
export interface Told {
  readonly abilities: readonly Ability[]
  /** The dialect of the client; null or absent for the library's own requests. */
  readonly own?: DialectId | null
  /** Whether the request asks to think, or not to; absent: it says nothing about it. */
  readonly thinking?: boolean
  /** What not every dialect can be told; default: nothing. */
  readonly parts?: readonly NeededPart[]
}

/** A part of a request, and the dialects in which a target can be told it. */
export interface NeededPart {
  readonly name: string
  readonly dialects: ReadonlySet<DialectId>
  /** It is a document, which some services do not take. */
  readonly isDocument?: true
  /** So many answers to one request, which some models do not give. */
  readonly answers?: number
  /** Probabilities of tokens, which some models do not give. */
  readonly isLogprobs?: true
}

/**
 * The client's own dialect where the target speaks it, so that nothing is translated; else the target's first one that
 * can be told everything the request means. Null where none can.
 */
export function spokenDialect(profile: TargetProfile, needs: Told): DialectId | null {
  const { dialect, alsoSpeaks } = profile
  if (alsoSpeaks === undefined) return canBeTold(profile, needs, dialect) ? dialect : null
  return inOrder(profile, needs, alsoSpeaks).find((one) => canBeTold(profile, needs, one)) ?? null
}

/** As `spokenDialect`; for what is refused all the same, the target's first one. */
export function dialectFor(profile: TargetProfile, needs: Told): DialectId {
  return spokenDialect(profile, needs) ?? profile.dialect
}

export function speaks({ dialect, alsoSpeaks }: TargetProfile, asked: DialectId): boolean {
  return dialect === asked || alsoSpeaks?.includes(asked) === true
}

function inOrder(profile: TargetProfile, needs: Told, alsoSpeaks: readonly DialectId[]): readonly DialectId[] {
  const { dialect, thinkingWithTools } = profile
  const { own } = needs
  if (own != null && alsoSpeaks.includes(own)) return [own, dialect, ...alsoSpeaks]
  if (thinkingWithTools !== undefined && thinksWithTools(needs, thinkingWithTools.unasked))
    return [thinkingWithTools.dialect, dialect, ...alsoSpeaks]
  return [dialect, ...alsoSpeaks]
}

function thinksWithTools({ abilities, thinking }: Told, unasked: boolean): boolean {
  return abilities.includes('tools') && (thinking === undefined ? unasked : thinking)
}

function canBeTold(profile: TargetProfile, { parts, thinking }: Told, dialect: DialectId): boolean {
  if (parts === undefined) return true
  return parts.every((part) => part.dialects.has(dialect) && takes(profile, part, thinking))
}

function takes(
  { documents, mostAnswers = Number.POSITIVE_INFINITY, logprobs }: TargetProfile,
  part: NeededPart,
  thinking: boolean | undefined,
): boolean {
  if (part.isDocument && documents === false) return false
  return (part.answers ?? 1) <= mostAnswers && (part.isLogprobs !== true || givesLogprobs(logprobs, thinking))
}

function givesLogprobs(when: TargetProfile['logprobs'], thinking: boolean | undefined): boolean {
  if (when === 'unless-thinking') return thinking !== true
  return when === 'told-not-to-think' ? thinking === false : when !== false
}
