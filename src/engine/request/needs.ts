/** What a request needs of a target: abilities, room in the context, tokens to reserve. */

import { canBeTold } from '../../dialects/features/feature.ts'
import { partNeedsOf } from '../../dialects/features/needs.ts'
import type { ChatRequest, DialectId, Message } from '../../domain/chat.ts'
import type { Ability } from '../../domain/target.ts'
import type { Needs } from '../../routing/eligible.ts'
import type { Selection } from './modelNames.ts'

/** About four characters per token. Used for choosing and reserving only; costs use the provider's own count. */
const CHARACTERS_PER_TOKEN = 4
/** Tokens assumed per image, roughly one of 1024 pixels. */
const IMAGE_TOKENS = 1000
const MESSAGE_TOKENS = 4

/** `own`: the client's dialect; null for the library. `isChat`: false for embeddings, whose fields mean other things. */
export function needsOf(request: ChatRequest, selection: Selection, own: DialectId | null, isChat = true): Needs {
  return {
    inputTokens: inputTokensOf(request),
    maxOutputTokens: request.maxTokens ?? null,
    abilities: abilitiesOf(request),
    own,
    ...thinkingOf(request),
    ...(isChat && partsOf(request, own)),
    model: null,
    provider: null,
    among: selection.among,
    auto: selection.auto,
    anyPrice: selection.anyPrice,
  }
}

function thinkingOf({ reasoning }: ChatRequest): Pick<Needs, 'thinking'> {
  if (reasoning === undefined) return {}
  const { effort, budgetTokens, adaptive } = reasoning
  if (effort === undefined && budgetTokens === undefined && adaptive === undefined) return {}
  return { thinking: effort !== 'none' && (effort !== undefined || budgetTokens !== undefined || adaptive === true) }
}

const DIALECTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']

function partsOf(request: ChatRequest, own: DialectId | null): Pick<Needs, 'parts'> {
  const parts = partNeedsOf(request)
  if (parts.length === 0) return {}
  return {
    parts: parts.map((part) => ({
      name: part.name,
      ...(part.isDocument && { isDocument: true as const }),
      ...(part.answers !== undefined && { answers: part.answers }),
      ...(part.isLogprobs && { isLogprobs: true as const }),
      dialects: new Set(DIALECTS.filter((dialect) => canBeTold(part, dialect, own))),
    })),
  }
}

/** Tokens of the prompt, tools included, estimated from the characters. */
export function inputTokensOf(request: ChatRequest): number {
  let characters = 0
  let tokens = 0
  for (const message of request.messages) {
    tokens += MESSAGE_TOKENS
    for (const part of message.content) {
      if (part.type === 'text' || part.type === 'reasoning') characters += part.text.length
      else if (part.type === 'tool-call') characters += part.arguments.length + part.name.length
      else if (part.type === 'tool-result')
        for (const inner of part.content)
          characters += inner.type === 'text' ? inner.text.length : IMAGE_TOKENS * CHARACTERS_PER_TOKEN
      else tokens += IMAGE_TOKENS
    }
  }
  for (const tool of request.tools ?? [])
    characters += tool.name.length + (tool.description?.length ?? 0) + sizeOf(tool.parameters)
  return tokens + Math.ceil(characters / CHARACTERS_PER_TOKEN)
}

const sizes = new WeakMap<object, number>()

/** The length of a schema as JSON; agents send the same objects again, so it is cached. */
function sizeOf(schema: object | undefined): number {
  if (schema === undefined) return 0
  const known = sizes.get(schema)
  if (known !== undefined) return known
  const size = JSON.stringify(schema).length
  sizes.set(schema, size)
  return size
}

const PLAIN: readonly Ability[] = ['chat']

function abilitiesOf(request: ChatRequest): readonly Ability[] {
  const images = request.messages.some(hasImage)
  const format = request.responseFormat?.type ?? 'text'
  if (!images && !request.stream && format === 'text' && (request.tools?.length ?? 0) === 0) return PLAIN
  const abilities: Ability[] = ['chat']
  if (request.stream) abilities.push('streaming')
  if ((request.tools?.length ?? 0) > 0) abilities.push('tools')
  if (images) abilities.push('images')
  if (format === 'json') abilities.push('json')
  if (format === 'json-schema') abilities.push('jsonSchema')
  return abilities
}

function hasImage(message: Message): boolean {
  return message.content.some(
    (part) =>
      part.type === 'image' || (part.type === 'tool-result' && part.content.some((inner) => inner.type === 'image')),
  )
}
