/** What is said inside messages, parts and tools in fields that only the client's dialect has, by name. */

import type { ChatRequest, DialectId, Extra, Message, Part, Tool } from '../../domain/chat.ts'
import { besideFunction } from '../openaiChat/besideFunction.ts'
import type { LeftOut } from './leftOut.ts'
import type { Recipient } from './recipient.ts'

/** Told in another way, named elsewhere, or said of every answer without meaning anything. */
const SAID: ReadonlySet<string> = new Set([
  ...['refusal', 'item', 'itemsAfter', 'role', 'type', 'reasoning_details', 'annotations', 'logprobs', 'cache_control'],
  ...['response', 'caller', 'namespace', 'status', 'id', 'phase', 'audio', 'function_call', 'context', 'citations'],
  ...['output_format', 'result', 'partMetadata', 'defer_loading'],
])

export function nameInside(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): void {
  const { dialect } = recipient
  for (const message of request.messages) {
    if (message.name !== undefined && dialect !== 'openai') leftOut.add('messages[].name')
    leftOut.add(...foreign(message.extra, dialect).map((name) => `messages[].${name}`))
    for (const part of message.content) leftOut.add(...namesOf(part, message, dialect))
  }
  for (const tool of request.tools ?? []) leftOut.add(...namesIn(tool, dialect).map((name) => `tools[].${name}`))
}

function namesIn(tool: Tool, dialect: DialectId): readonly string[] {
  const beside = dialect === 'openai' ? [] : Object.keys(besideFunction(tool))
  return [...foreign(tool.extra, dialect), ...beside]
}

function namesOf(part: Part, message: Message, dialect: DialectId): readonly string[] {
  if (part.type === 'tool-result') {
    const inner = part.content.flatMap((one) => namesOf(one, message, dialect))
    return [...foreign(part.extra, dialect), ...inner]
  }
  if (part.type === 'image')
    return foreign(part.extra, dialect).filter((name) => !isSaidDetail(name, part.extra, dialect))
  if (part.type !== 'file') return part.type === 'reasoning' ? [] : foreign(part.extra, dialect)
  if (part.text !== undefined) return []
  const isOpaque = part.data === undefined && part.url === undefined
  return isOpaque ? traceOf(part.extra, dialect) : [...foreign(part.extra, dialect), ...citing(part.extra, dialect)]
}

/** What ran at the provider in an earlier turn; of the user's words such a part is refused. */
function traceOf(extra: Extra | undefined, dialect: DialectId): readonly string[] {
  if (extra === undefined || extra.dialect === dialect) return []
  const { type } = extra.fields
  return [typeof type === 'string' ? type : (Object.keys(extra.fields)[0] ?? 'file')]
}

function citing(extra: Extra | undefined, dialect: DialectId): readonly string[] {
  return extra?.dialect === 'anthropic' && dialect !== 'anthropic' && extra.fields['citations'] != null
    ? ['citations']
    : []
}

/** `auto` is what every service does, and both dialects of OpenAI have the word. */
function isSaidDetail(name: string, extra: Extra | undefined, dialect: DialectId): boolean {
  return name === 'detail' && (extra?.fields['detail'] === 'auto' || dialect.startsWith('openai'))
}

function foreign(extra: Extra | undefined, dialect: DialectId): readonly string[] {
  if (extra === undefined || extra.dialect === dialect) return []
  return Object.keys(extra.fields).filter(
    (name) => !SAID.has(name) && !/^(?:\$|keywise\.)/.test(name) && saysSomething(extra.fields[name]),
  )
}

const saysSomething = (value: unknown) =>
  value != null && value !== false && !(Array.isArray(value) && value.length === 0)
