/** Services as strict as the real ones, and what they say to a request of a client of another dialect. */

import { customProvider } from '../../src/config/customProvider.ts'
import { dialectOf } from '../../src/dialects/dialects.ts'
import { canBeTold } from '../../src/dialects/features/feature.ts'
import { partNeedsOf } from '../../src/dialects/features/needs.ts'
import { fit as fitRequest } from '../../src/dialects/fit/fit.ts'
import type { ChatRequest, DialectId, Message } from '../../src/domain/chat.ts'
import { type ModelWire, wireOf } from '../../src/domain/wireFacts.ts'
import { rulesOf } from '../../src/lab/strict/services.ts'
import { catalog } from '../../src/providers/catalog.ts'
import type { ProviderSpec } from '../../src/providers/provider.ts'

const MODELS: readonly (readonly [service: string, ...models: string[]])[] = [
  ['openai', 'gpt-4o', 'gpt-5-mini', 'gpt-5.1', 'gpt-5.4-mini', 'gpt-5.5', 'gpt-6-sol', 'o3'],
  [
    'anthropic',
    'claude-sonnet-4-20250514',
    'claude-haiku-4-5',
    'claude-opus-4-6',
    'claude-sonnet-5',
    'claude-opus-5-5',
    'claude-haiku-5-5',
    'claude-sonnet-5-5',
  ],
  [
    'google',
    'gemini-2.0-flash',
    'gemini-2.5-flash',
    'gemini-2.5-pro',
    'gemini-3-flash-preview',
    'gemini-3.8-flash',
    'gemma-3-27b-it',
  ],
  ['groq', 'openai/gpt-oss-120b', 'llama-3.3-70b-versatile'],
  ['mistral', 'mistral-small-2603'],
  ['cerebras', 'gpt-oss-120b'],
  ['deepseek', 'deepseek-v4-flash'],
  ['xai', 'grok-4.5'],
  ['openrouter', 'openai/gpt-oss-120b:free'],
]
const MOST_OUTPUT: Readonly<Record<string, number>> = { anthropic: 64_000 }

function specOf(service: string): ProviderSpec {
  const spec = catalog.find(({ id }) => id === service)
  if (spec === undefined) throw new TypeError(`no provider ${service}`)
  return spec
}

const OPENAI_RESPONSES = customProvider('openai', 'https://example.test/v1', {
  dialect: 'openai-responses',
  keyless: false,
})
/** Every service with a table of rules, with models of several generations. */
export const RECIPIENTS: readonly (readonly [ProviderSpec, string])[] = [
  ...MODELS.flatMap(([service, ...models]) => models.map((model) => [specOf(service), model] as const)),
  ...['gpt-4o', 'gpt-5-mini', 'gpt-5.4-mini', 'o3'].map((model) => [OPENAI_RESPONSES, model] as const),
]

export interface Written {
  /** What the service gets. */
  readonly sent: Readonly<Record<string, unknown>>
  /** The first refusal of its rules; null when it takes it. */
  readonly refusal: string | null
}

/** The request of a client as the service gets it; null where it is not told of it. */
export function writtenFor(
  [spec, model]: (typeof RECIPIENTS)[number],
  client: DialectId,
  asked: ChatRequest,
): Written | null {
  if (partNeedsOf(asked).some((need) => !canBeTold(need, spec.dialect, client))) return null
  if (spec.wire?.documents === false && partNeedsOf(asked).some(({ isDocument }) => isDocument)) return null
  if (isBlind(spec, model) && asked.messages.some(showsImage)) return null
  const wire = wireOf(spec.wire, model)
  if (wire.tools === false && (asked.tools ?? []).length > 0) return null
  if ((asked.answers ?? 1) > (wire.answers ?? Number.POSITIVE_INFINITY)) return null
  if (asked.logprobs !== undefined && !givesLogprobs(wire, asked)) return null
  const { request } = fitRequest(asked, {
    dialect: spec.dialect,
    wire,
    maxOutputTokens: MOST_OUTPUT[spec.id] ?? null,
    roomTokens: null,
  })
  const written = dialectOf(spec.dialect).upstream.writeRequest(request, model, wire)
  const facts = { model, stream: false, freeOnly: false, noTraining: false }
  const sent = JSON.parse(JSON.stringify(spec.quirks?.body?.(written.body, facts) ?? written.body))
  return { sent, refusal: refusalOf(spec, model, written.path, sent) }
}

/** As the registry and the choice of targets read the facts. */
function givesLogprobs(wire: ModelWire, { reasoning }: ChatRequest): boolean {
  if (!(wire.logprobs ?? wire.sampling !== 'none')) return false
  if (wire.samplingBesideThinking !== false || reasoning?.effort === 'none') return true
  const asks = reasoning?.effort ?? reasoning?.budgetTokens ?? reasoning?.adaptive
  return wire.thinksByDefault !== true && asks === undefined
}

function refusalOf(spec: ProviderSpec, model: string, path: string, body: Written['sent']): string | null {
  for (const rule of rulesOf(spec.id, spec.dialect)) {
    const refusal = rule.refuse({ service: spec.id, model, path, body, headers: { ...spec.headers } })
    if (refusal !== null) return `${rule.id}: ${JSON.stringify(refusal.body).slice(0, 200)}`
  }
  return null
}

/** Requests with images are not given to it. */
const isBlind = (spec: ProviderSpec, model: string) =>
  spec.models.find(({ id }) => id === model)?.abilities?.images === false

const showsImage = ({ content }: Message) =>
  content.some(
    (part) =>
      part.type === 'image' || (part.type === 'tool-result' && part.content.some(({ type }) => type === 'image')),
  )
