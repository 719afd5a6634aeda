/**
 * What the generations of Claude take, first match first:
 * https://platform.claude.com/docs/en/about-claude/models/overview and the catalogue of the AI SDK,
 * https://github.com/vercel/ai/blob/main/packages/anthropic/src/anthropic-model-catalog.ts (read 2026-11-29). Where the
 * two leave room, reports decide: https://github.com/Kilo-Org/kilocode/issues/12526 (no budgets from Opus 5 on),
 * https://github.com/elizaOS/eliza/pull/16175 (Haiku 4.5, tried against the service).
 */

type ThinkingType = 'enabled' | 'adaptive' | 'disabled' | 'between_tools'

interface ClaudeFacts {
  readonly maxOutputTokens: number
  readonly contextTokens: number
  /** The values of `thinking.type`; undefined where nobody told. */
  readonly thinking?: readonly ThinkingType[]
  /** Thinking can only be switched off up to `high`. */
  readonly isDisabledCapped?: boolean
  readonly efforts: readonly string[]
  /** `none`: removed; `one`: temperature or top_p; `all`. */
  readonly sampling: 'none' | 'one' | 'all'
  /** Prompt and `max_tokens` together must fit the window; newer models stop when it is full. */
  readonly countsAnswer?: boolean
  readonly hasPrefill: boolean
  readonly hasForcedTools: boolean
  /** Whether a system message may stand in the middle; undefined where nobody told. */
  readonly hasSystemTurns?: boolean
}

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max']

const FIRST: ClaudeFacts = {
  maxOutputTokens: 4096,
  contextTokens: 200_000,
  efforts: [],
  sampling: 'all',
  hasPrefill: true,
  hasForcedTools: true,
  hasSystemTurns: false,
}
const BUDGETED: ClaudeFacts = { ...FIRST, maxOutputTokens: 64_000, thinking: ['enabled', 'disabled'] }
const ONE_SAMPLER: ClaudeFacts = { ...BUDGETED, sampling: 'one' }
const BOTH_WAYS: ClaudeFacts = {
  ...ONE_SAMPLER,
  maxOutputTokens: 128_000,
  contextTokens: 1_000_000,
  thinking: ['enabled', 'adaptive', 'disabled'],
  efforts: ['low', 'medium', 'high', 'max'],
  hasPrefill: false,
}
const ADAPTIVE: ClaudeFacts = {
  ...BOTH_WAYS,
  thinking: ['adaptive', 'disabled'],
  efforts: EFFORTS,
  sampling: 'none',
}
const ALWAYS_THINKING: ClaudeFacts = { ...ADAPTIVE, thinking: ['adaptive'], hasSystemTurns: true }
const UNFORCED: ClaudeFacts = { ...ALWAYS_THINKING, hasForcedTools: false }

const GENERATIONS: readonly (readonly [name: RegExp, facts: ClaudeFacts])[] = [
  [/sonnet-5-5/, { ...UNFORCED, thinking: ['adaptive', 'between_tools'], hasSystemTurns: undefined }],
  [/opus-5-5/, UNFORCED],
  [/haiku-5-5/, { ...ADAPTIVE, isDisabledCapped: true, hasSystemTurns: undefined }],
  [/opus-5/, { ...ADAPTIVE, isDisabledCapped: true, hasSystemTurns: true }],
  [/(?:fable|mythos)-5-[1-9]/, UNFORCED],
  [/fable|mythos/, ALWAYS_THINKING],
  [/opus-4-8/, { ...ADAPTIVE, hasSystemTurns: true }],
  [/opus-4-7|sonnet-5/, ADAPTIVE],
  [/(?:opus|sonnet)-4-6/, BOTH_WAYS],
  [/opus-4-5/, { ...ONE_SAMPLER, efforts: ['low', 'medium', 'high'] }],
  [/(?:sonnet|haiku)-4-5/, ONE_SAMPLER],
  [/opus-4-1/, { ...ONE_SAMPLER, maxOutputTokens: 32_000, countsAnswer: true }],
  [/sonnet-4/, { ...BUDGETED, countsAnswer: true }],
  [/opus-4/, { ...BUDGETED, maxOutputTokens: 32_000, countsAnswer: true }],
  [/3-7-sonnet/, { ...BUDGETED, countsAnswer: true }],
  [/3-5-(?:sonnet|haiku)/, { ...FIRST, maxOutputTokens: 8192 }],
  [/3-(?:opus|sonnet|haiku)/, FIRST],
]

/** Null for names that say no generation: nothing is refused for the sake of a guess. */
export function claudeFacts(model: string): ClaudeFacts | null {
  if (!model.includes('claude')) return null
  // A date is no version: `claude-opus-4-20250514` is not 4.2.
  const name = model.replaceAll('.', '-').replace(/[-@]\d{8}\b/, '')
  return GENERATIONS.find(([pattern]) => pattern.test(name))?.[1] ?? null
}
