/** A target: one provider, one model, one key. Rankings list targets, attempts call them. */

import type { DialectId } from './chat.ts'

export interface Target {
  /**
   * `groq/openai/gpt-oss-120b#1`: provider / model # 1-based key index. For display; changes when keys are reordered.
   */
  readonly id: string
  readonly provider: string
  readonly model: string
  /** 1-based index of the key in the configuration. */
  readonly keyIndex: number
  /**
   * Keyed fingerprint of the key (16 hex digits); state is bound to it, so key 2 does not inherit the state of a
   * removed key 1.
   */
  readonly fingerprint: string
  /** `provider/model@fingerprint`: the key under which everything learned about this target is stored. */
  readonly stateId: string
  /** The account whose quota this key shares: `provider:label`, or `provider@fingerprint` for a key on its own. */
  readonly account: string
  readonly label?: string
  readonly profile: TargetProfile
}

/** What a target can do and what it costs, as far as known. `null` is "unknown", never "no" and never "unlimited". */
export interface TargetProfile {
  readonly dialect: DialectId
  /** Further dialects of the same address; absent: none. */
  readonly alsoSpeaks?: readonly DialectId[]
  /** The further dialect for tools beside thinking, which the first one refuses; `unasked`: it thinks by default. */
  readonly thinkingWithTools?: { readonly dialect: DialectId; readonly unasked: boolean }
  /** False where a message cannot hold a document (PDF); absent: as its dialect has it. */
  readonly documents?: false
  /** The only length of its vectors; absent: it can be chosen, or is unknown. */
  readonly vectorLength?: number
  /** Maximum number of answers to one request; absent: as its dialect has it. */
  readonly mostAnswers?: number
  /**
   * False where it gives no probabilities of tokens; otherwise when it gives them: unless it is asked to think, or only
   * where it is told not to. Absent: as its dialect has it.
   */
  readonly logprobs?: false | 'unless-thinking' | 'told-not-to-think'
  readonly contextTokens: number | null
  readonly maxOutputTokens: number | null
  /** The window is the prompt's alone; default: prompt and answer share it. */
  readonly holdsAnswerApart?: true
  readonly abilities: Abilities
  /** Null when unknown; 0 for local and free keys. */
  readonly price: PriceHint | null
  /** What it is asked for in units (pictures, recordings, searches) has a known price. Default false. */
  readonly hasUnitPrice?: boolean
  /** True when a call of this target can never be billed (free key, `:free` model, local server). */
  readonly free: boolean
  /** Whether the provider may train on what is sent with this key. */
  readonly trainsOnPrompts: boolean | null
  /** The catalogue's dated estimate of answer quality, 0..1; null when it has none. */
  readonly qualityPrior: number | null
  /** The source of `qualityPrior`, shown with it. */
  readonly qualityPriorSource?: string
  /** A server on this machine or network: never billed, cold starts excluded from its speed. */
  readonly local: boolean
  /** Found in the provider's model list rather than named by the user; expensive ones are excluded from `auto`. */
  readonly discovered: boolean
  /** The provider serves the model for nothing to accounts without a payment method. */
  readonly freeTier?: boolean
  /** Found at a private address, where nobody gives it a price: it costs nothing as far as anyone knows. */
  readonly ownServer?: boolean
  /** ISO date at which the catalogue saw it withdrawn, for a model that its provider lists all the same. */
  readonly retiredOn?: string
  /** Higher is preferred among equals (the key's `weight`); default 1. */
  readonly weight: number
}

/** How many times the rates per token a call of a service tier costs, by the provider's word in small letters. */
export type TierTimes = Readonly<Record<string, number>>

/** Prices of what is not counted in tokens, in USD. */
export interface UnitPrices {
  /** Per hour of a recording that is counted in seconds. */
  readonly audioHour?: number
  /** A shorter recording is billed as one of so many seconds. */
  readonly leastAudioSeconds?: number
  /** Per picture that is made. */
  readonly image?: number
  /** Per million characters that are spoken. */
  readonly characters?: number
  /** Per thousand uses of a tool that runs at the provider, by kind; `search_units` are those of a rerank. */
  readonly tools?: Readonly<Record<string, number>>
}

/** What a provider documents for a model that is billed in units alone, with the day on which it was read. */
export interface DocumentedUnits extends UnitPrices {
  /** Nothing of it is billed. Default: false. */
  readonly free?: true
  /** ISO date. */
  readonly readOn: string
}

/** USD per million tokens; only for ranking and filters. Costs are computed in `money/`. */
export interface PriceHint {
  /** Of input tokens. */
  readonly input: number
  /** Of output tokens. */
  readonly output: number
}

/** Those that are served at paths of their own and counted in units of their own kind. */
export const UNIT_ABILITIES = [
  'moderation',
  'rerank',
  'imageGeneration',
  'imageEdit',
  'imageVariation',
  'transcription',
  'translation',
  'speech',
] as const

export const ABILITIES = [
  'chat',
  'streaming',
  'tools',
  'images',
  'json',
  'jsonSchema',
  'reasoning',
  'embeddings',
  ...UNIT_ABILITIES,
] as const
export type Ability = (typeof ABILITIES)[number]
/** As the configuration spells it (`image_generation`), which is how people and programs are told. */
export const abilityWord = (ability: Ability): string =>
  ability.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
export type UnitAbility = (typeof UNIT_ABILITIES)[number]
export type Abilities = { readonly [A in Ability]?: boolean }

/** The public id of a target. */
export function targetId(provider: string, model: string, keyIndex: number): string {
  return `${provider}/${model}#${keyIndex}`
}

/** The id under which everything learned about a target is stored. */
export function stateId(provider: string, model: string, fingerprint: string): string {
  return `${provider}/${model}@${fingerprint}`
}
