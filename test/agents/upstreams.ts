/** The services an agent is tried with: one strict simulated provider each, with a real model's name. */

import type { DialectId } from '../../src/domain/chat.ts'
import type { FakeModel, FakeScenario } from '../../src/lab/fake/scenario.ts'
import { findProvider } from '../../src/providers/catalog.ts'
import type { Call } from './agents.ts'

type Steps = readonly (readonly Call[])[]

export interface Upstream {
  /** Provider id, which is also whose rules it enforces. */
  readonly provider: string
  readonly model: string
  /** Default: the provider's own. */
  readonly dialect?: DialectId
  /** Whether it thinks, and signs what it thought where its language does. */
  readonly thinks: boolean
}

const thinker = (provider: string, model: string, dialect?: DialectId): Upstream => ({
  provider,
  model,
  thinks: true,
  ...(dialect !== undefined && { dialect }),
})
const plain = (provider: string, model: string): Upstream => ({ provider, model, thinks: false })

export const UPSTREAMS: readonly Upstream[] = [
  plain('openai', 'gpt-4.1'),
  thinker('openai', 'gpt-5.1'),
  thinker('openai', 'gpt-6-sol'),
  thinker('openai', 'gpt-5.1', 'openai-responses'),
  thinker('openai', 'gpt-6-sol', 'openai-responses'),
  thinker('anthropic', 'claude-haiku-4-5'),
  thinker('anthropic', 'claude-sonnet-5'),
  thinker('anthropic', 'claude-opus-5-5'),
  thinker('google', 'gemini-2.5-pro'),
  thinker('google', 'gemini-3.8-flash'),
  thinker('groq', 'openai/gpt-oss-120b'),
  plain('mistral', 'mistral-large-2512'),
]

export const dialectOf = ({ provider, dialect }: Upstream): DialectId =>
  dialect ?? findProvider(provider)?.dialect ?? 'openai'

export function nameOf(upstream: Upstream): string {
  return dialectOf(upstream) === 'openai-responses' ? `${upstream.model} (Responses)` : upstream.model
}

export const targetOf = ({ provider, model }: Upstream): string => `${provider}/${model}`

/** The upstream by the name that `nameOf` gives it. Throws a TypeError for another. */
export function upstream(name: string): Upstream {
  const found = UPSTREAMS.find((one) => nameOf(one) === name)
  if (found === undefined) throw new TypeError(`no upstream "${name}"`)
  return found
}

export function modelFacts({ thinks }: Upstream, steps: Steps, more: Partial<FakeModel> = {}): FakeModel {
  const copied = steps.map((step) => step.map((call) => ({ ...call, arguments: { ...call.arguments } })))
  return { steps: copied, ...(thinks && { thinks: 24 }), ...more }
}

/** A world with these services; every one has one key, that can be revoked. */
export function scenarioOf(upstreams: readonly Upstream[], window?: number): FakeScenario {
  const providers = upstreams.map((one) => {
    const { provider, model, dialect } = one
    const keys = { [`fake-${provider}-${'k'.repeat(24)}`]: {} }
    const facts = {
      keys,
      strict: provider,
      models: { [model]: window === undefined ? {} : { context_tokens: window } },
    }
    return [provider, dialect === undefined ? facts : { ...facts, dialect }] as const
  })
  return { providers: Object.fromEntries(providers) }
}
