/** A target: one provider, one model, one key. What every ranking lists and every attempt calls. */

import type { DialectId } from './chat.ts'

export interface Target {
  /**
   * `groq/openai/gpt-oss-120b#1`: provider / model # 1-based key index. For people; changes when keys are reordered.
   */
  readonly id: string
  readonly provider: string
  readonly model: string
  /** 1-based place of the key in the configuration. */
  readonly keyIndex: number
  /**
   * Keyed fingerprint of the key (16 hex digits); state is bound to it, so that removing key 1 hands nothing to key 2.
   */
  readonly fingerprint: string
  /** `provider/model@fingerprint`: under which everything learned of this target is kept. */
  readonly stateId: string
  /** The account whose quota this key shares: `provider:label`, or `provider@fingerprint` when the key stands alone. */
  readonly account: string
  readonly label?: string
  readonly profile: TargetProfile
}

/** What a target can do and costs, as far as anybody said. `null` is "unknown", never "no" and never "unlimited". */
export interface TargetProfile {
  readonly dialect: DialectId
  readonly contextTokens: number | null
  readonly maxOutputTokens: number | null
  readonly abilities: Abilities
  /** Null when unknown; local and free keys have a price of 0. */
  readonly price: PriceHint | null
  /** True when a call of this target can never be billed (free key, `:free` model, local server). */
  readonly free: boolean
  /** Whether the provider may train on what it is sent with this key. */
  readonly trainsOnPrompts: boolean | null
  /** Catalogue's dated guess of answer quality, 0..1; null where there is none. */
  readonly qualityPrior: number | null
  /** Where `qualityPrior` comes from, shown with it. */
  readonly qualityPriorSource?: string
  /** A server on this machine or network: never billed, cold starts kept out of its speed. */
  readonly local: boolean
  /** Found in the provider's list rather than named by the user; expensive ones stay out of `auto`. */
  readonly discovered: boolean
  /** Larger is preferred among equals (the key's `weight`); default 1. */
  readonly weight: number
}

/** USD per million tokens; only for ranking and filters, bills are made by `money/`. */
export interface PriceHint {
  readonly input: number
  readonly output: number
}

export const ABILITIES = [
  'chat',
  'streaming',
  'tools',
  'images',
  'json',
  'jsonSchema',
  'reasoning',
  'embeddings',
] as const
export type Ability = (typeof ABILITIES)[number]
export type Abilities = { readonly [A in Ability]?: boolean }

/** The public id of a target. */
export function targetId(provider: string, model: string, keyIndex: number): string {
  return `${provider}/${model}#${keyIndex}`
}

/** The id under which what is learned of a target is stored. */
export function stateId(provider: string, model: string, fingerprint: string): string {
  return `${provider}/${model}@${fingerprint}`
}
