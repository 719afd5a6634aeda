/** Whatever clients of other dialects say, the services refuse none of it: see `src/lab/strict`. */

import { describe, expect, test } from 'vitest'
import { customProvider } from '../src/config/customProvider.ts'
import { dialectOf } from '../src/dialects/dialects.ts'
import { canBeTold } from '../src/dialects/features/feature.ts'
import { partNeedsOf } from '../src/dialects/features/needs.ts'
import { fit } from '../src/dialects/fit/fit.ts'
import type { DialectId, Message } from '../src/domain/chat.ts'
import { wireOf } from '../src/domain/wireFacts.ts'
import { rulesOf } from '../src/lab/strict/services.ts'
import { catalog } from '../src/providers/catalog.ts'
import type { ProviderSpec } from '../src/providers/provider.ts'
import { AWKWARD_REQUESTS } from './support/awkwardRequests.ts'
import { openGateway } from './support/gatewayWorld.ts'

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
  ['google', 'gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-flash-preview', 'gemini-3.8-flash'],
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
const RECIPIENTS: readonly (readonly [ProviderSpec, string])[] = [
  ...MODELS.flatMap(([service, ...models]) => models.map((model) => [specOf(service), model] as const)),
  ...['gpt-4o', 'gpt-5-mini', 'gpt-5.4-mini', 'gpt-6-sol', 'o3'].map((model) => [OPENAI_RESPONSES, model] as const),
]

/** The refusal of the first rule; null when the service takes it or is not told of it. */
function refusalOf(spec: ProviderSpec, model: string, client: DialectId, body: object): string | null {
  const asked = dialectOf(client).client.readRequest({ model: 'm', ...body }, { model: 'm', stream: false })
  if (partNeedsOf(asked).some((need) => !canBeTold(need, spec.dialect, client))) return null
  if (isBlind(spec, model) && asked.messages.some(showsImage)) return null
  const wire = wireOf(spec.wire, model)
  const { request } = fit(asked, { dialect: spec.dialect, wire, maxOutputTokens: MOST_OUTPUT[spec.id] ?? null })
  const written = dialectOf(spec.dialect).upstream.writeRequest(request, model, wire)
  const facts = { model, stream: false, freeOnly: false, noTraining: false }
  const sent = JSON.parse(JSON.stringify(spec.quirks?.body?.(written.body, facts) ?? written.body))
  const headers = { ...spec.headers }
  for (const rule of rulesOf(spec.id, spec.dialect)) {
    const refusal = rule.refuse({ service: spec.id, model, path: written.path, body: sent, headers })
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

test('a chat client of OpenAI is given its tools by a model that refuses them beside thinking', async () => {
  await using world = await openGateway({
    providers: { openai: { models: { 'gpt-6-sol': { calls: [{ tool: 'look' }] } } } },
  })
  const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }]
  const messages = [{ role: 'user', content: 'Look' }]
  const response = await world.ask('/v1/chat/completions', { model: 'gpt-6-sol', messages, tools })
  expect(await response.json()).toMatchObject({
    choices: [{ message: { tool_calls: [{ function: { name: 'look' } }] } }],
  })
})

describe.each(
  RECIPIENTS.map(([spec, model]) => ({ name: `${spec.id} (${spec.dialect}) ${model}`, spec, model })),
)('$name takes', ({ spec, model }) => {
  const foreign = AWKWARD_REQUESTS.filter(([, client]) => client !== spec.dialect)
  test.each(foreign)('%s of a client of %s', (_, client, body) => {
    expect(refusalOf(spec, model, client, body)).toBeNull()
  })
})
