/** What of a request may be billed apart from plain tokens, for the most that it can cost. */

import type { ChatRequest, DialectId, Extra, Modality, Part } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { PartsNeed } from '../../money/cost.ts'
import { toolsNeedOf } from './toolsNeed.ts'

/** For any target that is asked. */
export interface RequestPartsNeed extends PartsNeed {
  /** The dialect in which services are told of the `serverTools`; others do not have them. */
  readonly toolsDialect?: DialectId | undefined
}

/** Undefined for most requests. */
export function partsNeedOf(request: ChatRequest): RequestPartsNeed | undefined {
  const fields = request.extra?.fields ?? {}
  const input = new Set<Modality>()
  for (const { content } of request.messages) for (const part of content) addKind(input, part)
  const output = wantedKinds(fields)
  const serviceTier = tierOf(fields)
  const cachesLong = isCachedLong(request)
  const tools = toolsNeedOf(request)
  const isPlain = serviceTier === undefined && input.size === 0 && output.size === 0 && !cachesLong
  if (isPlain && tools === undefined) return undefined
  return { serviceTier, input, output, cachesLong, serverTools: tools?.uses, toolsDialect: tools?.dialect }
}

function addKind(kinds: Set<Modality>, part: Part): void {
  if (part.type === 'image') kinds.add('image')
  else if (part.type === 'tool-result') for (const inner of part.content) addKind(kinds, inner)
  else if (part.type === 'file') {
    const [kind] = (part.mediaType ?? '').split('/', 1)
    if (kind === 'audio' || kind === 'video' || kind === 'image') kinds.add(kind)
  }
}

/** OpenAI's and OpenRouter's `modalities`, Gemini's `responseModalities`. */
function wantedKinds(fields: Extra['fields']): Set<Modality> {
  const config = asRecord(fields['generationConfig'] ?? fields['generation_config'])
  const asked = fields['modalities'] ?? config?.['responseModalities'] ?? config?.['response_modalities']
  const names = (asArray(asked) ?? []).map((name) => asString(name)?.toLowerCase())
  return new Set((['audio', 'image', 'video'] as const).filter((kind) => names.includes(kind)))
}

/** What leaves the choice to the provider, or asks for the usual way. */
const USUAL: ReadonlySet<string> = new Set(['auto', 'default', 'standard', 'standard_only', 'on_demand'])

/**
 * https://platform.openai.com/docs/api-reference/chat/create (`service_tier`), Anthropic's `speed` and Gemini's
 * `serviceTier` (the types of their SDKs, 2026-11-30).
 */
function tierOf(fields: Extra['fields']): string | undefined {
  const said = [fields['speed'], fields['service_tier'], fields['serviceTier']].map((value) => asString(value))
  return said.map((tier) => tier?.toLowerCase()).find((tier) => tier !== undefined && !USUAL.has(tier))
}

/**
 * `"cache_control": {"type": "ephemeral", "ttl": "1h"}` on a part, a tool or the request; OpenAI's `prompt_cache_options`
 * and `prompt_cache_breakpoint` with `"ttl": "12h"` (the types of its client, 7.57).
 */
function isCachedLong({ messages, tools = [], extra }: ChatRequest): boolean {
  const isLong = (one: Extra | undefined) => LONG.some(([name, ttl]) => asRecord(one?.fields[name])?.['ttl'] === ttl)
  return (
    isLong(extra) ||
    tools.some((tool) => isLong(tool.extra)) ||
    messages.some((message) => isLong(message.extra) || message.content.some((part) => isLongPart(part, isLong)))
  )
}

const LONG = [
  ['cache_control', '1h'],
  ['prompt_cache_options', '12h'],
  ['prompt_cache_breakpoint', '12h'],
] as const

function isLongPart(part: Part, isLong: (extra: Extra | undefined) => boolean): boolean {
  return 'extra' in part && isLong(part.extra)
}
