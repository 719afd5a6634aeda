/** The four upstreams behind the clients: the strictest services of each dialect, and what each of their models does. */

import type { DialectId } from '../../src/domain/chat.ts'
import type { FakeModel, FakeScenario } from '../../src/lab/fake/scenario.ts'
import { LOOP_MODEL, REPLY } from './task.ts'

interface Upstream {
  readonly name: string
  readonly dialect: DialectId
  /** The service whose rules it enforces. */
  readonly strict: string
  /** How the names of its models begin; what a generation of models takes is read from them. */
  readonly family: string
  readonly embeds?: string
}

export const UPSTREAMS: readonly Upstream[] = [
  { name: 'openai', dialect: 'openai', strict: 'openai', family: 'gpt-4.1', embeds: 'text-embedding-3-small' },
  { name: 'responses', dialect: 'openai-responses', strict: 'openai', family: 'gpt-5.4' },
  { name: 'anthropic', dialect: 'anthropic', strict: 'anthropic', family: 'claude-sonnet-4-6' },
  { name: 'google', dialect: 'google', strict: 'google', family: 'gemini-2.5-flash', embeds: 'gemini-embedding-001' },
]

/** What a model does; `limited`, `refusing` and `cut` belong to providers of their own, that may well be parked. */
const KINDS = {
  talks: { reply: REPLY },
  loops: LOOP_MODEL,
  /** Answers by what it is asked for: a format, a picture. */
  shapes: {},
  drips: { reply: REPLY.repeat(40), tokens_per_second: 20 },
  limited: { reply: REPLY },
  refusing: { reply: REPLY },
  cut: { reply: REPLY },
} satisfies Record<string, Partial<FakeModel>>
export type Kind = keyof typeof KINDS

const FAULTY = {
  limited: { do: 'rate_minute', retry_after: 30 },
  refusing: { do: 'bad_request' },
  cut: { do: 'cut_reset', chunks: 4 },
} as const

/** Many clients look a model's abilities up by its whole name. */
export const modelOf = ({ family }: Upstream, kind: Kind): string => (kind === 'shapes' ? family : `${family}-${kind}`)

export function scenario(): FakeScenario {
  return { providers: Object.fromEntries(UPSTREAMS.flatMap(providersOf)) }
}

function providersOf(upstream: Upstream): [string, FakeScenario['providers'][string]][] {
  const { name, dialect, strict, embeds } = upstream
  const models = (...kinds: Kind[]) => Object.fromEntries(kinds.map((kind) => [modelOf(upstream, kind), KINDS[kind]]))
  const embedding = embeds === undefined ? {} : { [embeds]: { kind: 'embedding' as const } }
  const sound = { dialect, strict, models: { ...models('talks', 'loops', 'shapes', 'drips'), ...embedding } }
  const faulty = Object.entries(FAULTY).map(([kind, fault]) => {
    const facts = { dialect, strict, models: models(kind as keyof typeof FAULTY), faults: [fault] }
    return [`${name}-${kind}`, facts] as [string, typeof facts]
  })
  return [[name, sound], ...faulty]
}
