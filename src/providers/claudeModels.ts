/**
 * What each generation of Claude takes, newest first. Sources, read 2026-11-29: the migration guides
 * https://platform.claude.com/docs/en/models/sonnet-5-5/migration-guide and …/sonnet-5/migration-guide,
 * https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7 (sampling parameters removed),
 * https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking, …/extended-thinking and …/effort.
 */

import type { ModelWireFacts, WireFacts } from '../domain/wireFacts.ts'
import { can } from './facts.ts'
import type { ModelFamily } from './provider.ts'

/** `budget_tokens` is at least this, and below `max_tokens`, which is at most 128,000. */
const BUDGET = [1024, 127_999] as const
const OLD_WORDS = { thinking: 'budget', budget: BUDGET, samplingBesideThinking: false } as const
const ADAPTIVE = {
  thinking: 'effort',
  efforts: ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
  sampling: 'none',
  prefill: false,
} as const

const MODELS: readonly ModelWireFacts[] = [
  // 5.5 and later: thinking cannot be disabled, and no tool forced.
  { match: /claude-[a-z]+-(?:5[.-]5|[6-9])(?!\d)/, ...ADAPTIVE, alwaysThinks: true, forcesTools: false },
  { match: /claude-[a-z]+-5(?!\d)/, ...ADAPTIVE },
  { match: /claude-opus-4[.-][7-9](?!\d)/, ...ADAPTIVE },
  {
    match: /claude-(?:opus|sonnet)-4[.-]6(?!\d)/,
    thinking: 'either',
    efforts: ['none', 'low', 'medium', 'high', 'max'],
    budget: BUDGET,
    sampling: 'one',
    samplingBesideThinking: false,
    prefill: false,
  },
  { match: /claude-(?:opus|sonnet|haiku)-4(?!\d)/, ...OLD_WORDS, sampling: 'one' },
  { match: /claude-3[.-]7/, ...OLD_WORDS },
  { match: /claude-(?:[12]|3(?![.-]7)|instant)/, thinking: 'none' },
  // A name we do not know: what every generation takes that has sampling parameters at all.
  { match: /^/, sampling: 'one', samplingBesideThinking: false, isGuess: true },
]

export const CLAUDE_WIRE: WireFacts = { models: MODELS }

/**
 * Tools and pictures since Claude 3, thinking since 3.7, answers held to a schema since 4.5 and Opus 4.1, of which
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview, …/build-with-claude/vision,
 * …/extended-thinking and …/structured-outputs keep the lists. The service's own list of models and its refusals win.
 */
export const CLAUDE_FAMILIES: readonly ModelFamily[] = [
  {
    match: /^claude-(?:[a-z]+-(?:4[.-][5-9]|[5-9])(?!\d)|opus-4[.-]1(?!\d))/,
    abilities: can('tools', 'images', 'json', 'jsonSchema', 'reasoning'),
  },
  { match: /^claude-(?:3[.-]7|[a-z]+-4(?!\d))/, abilities: can('tools', 'images', 'json', 'reasoning') },
  { match: /^claude-3(?!\d)/, abilities: can('tools', 'images', 'json') },
]
