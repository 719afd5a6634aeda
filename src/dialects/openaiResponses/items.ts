/** The input of a Responses request: items in a row, which we group into messages, and back. */

import type { Message, Part, ReasoningPart, Role, TextPart, ToolCallPart, ToolResultPart } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { present } from '../../domain/present.ts'
import {
  extraOf,
  type Fields,
  leftovers,
  objectAt,
  ownFields,
  requiredText,
  text,
  wrong,
} from '../fields/requestFields.ts'
import { ownSignature, signatureForClient, tagSignature } from '../fields/signature.ts'
import { historyArguments, objectToText } from '../fields/toolArguments.ts'
import { joinText } from '../openaiChat/parts.ts'
import { readImageItem } from './answerMedia.ts'
import { calledName, nameInGroup } from './namespaces.ts'
import { readResponsesContent, textFields, writeInputParts } from './parts.ts'
import { isOfClientSearch, readSearchCall, readSearchOutput, writeSearchCall, writeSearchOutput } from './toolSearch.ts'

const DIALECT = 'openai-responses'
const KNOWN_OF_MESSAGE = new Set(['type', 'role', 'content'])
const KNOWN_OF_CALL = new Set(['type', 'call_id', 'name', 'arguments', 'input'])
const KNOWN_OF_OUTPUT = new Set(['type', 'call_id', 'output'])
const KNOWN_OF_REASONING = new Set(['type', 'summary', 'content', 'encrypted_content'])
const ROLES: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
}

interface ReadItems {
  readonly messages: readonly Message[]
  /** Items of a kind we do not know that come before every message. */
  readonly leading: readonly unknown[]
}

/** What an assistant produced in a row is one message. Throws InvalidRequestError naming the item. */
export function readItems(items: readonly unknown[]): ReadItems {
  const reader = new ItemReader()
  for (const [index, item] of items.entries()) reader.read(objectAt(item, `input[${index}]`), `input[${index}]`)
  return reader
}

interface OpenMessage {
  readonly role: Role
  readonly content: Part[]
  extra?: Message['extra']
}

class ItemReader implements ReadItems {
  readonly messages: OpenMessage[] = []
  readonly leading: unknown[] = []
  /** The assistant's message that the next item may belong to. */
  #open: OpenMessage | undefined

  read(item: Fields, at: string): void {
    switch (item['type'] ?? 'message') {
      case 'message':
        this.#readMessage(item, at)
        break
      case 'reasoning':
        this.#addToAssistant(readReasoningItem(item))
        break
      case 'function_call':
      case 'custom_tool_call':
        requiredText(item, 'call_id', `${at}.call_id`)
        this.#addCall(readCallItem(item, requiredText(item, 'name', `${at}.name`)))
        break
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.#add({ role: 'tool', content: [readOutputItem(item, at)] })
        break
      case 'tool_search_call':
        if (isOfClientSearch(item)) this.#addCall(readSearchCall(item))
        else this.#keep(item)
        break
      case 'tool_search_output':
        if (isOfClientSearch(item)) this.#add({ role: 'tool', content: [readSearchOutput(item)] })
        else this.#keep(item)
        break
      case 'image_generation_call':
        if (asString(item['result']))
          this.#addToAssistant(...readImageItem(item).map((part) => ({ ...part, ...extraOf(DIALECT, item) })))
        else this.#keep(item)
        break
      default:
        this.#keep(item)
    }
  }

  #readMessage(item: Fields, at: string): void {
    const name = requiredText(item, 'role', `${at}.role`)
    const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined
    if (role === undefined) throw wrong(`${at}.role`, `must be one of ${Object.keys(ROLES).join(', ')}`)
    const content = readResponsesContent(item['content'], `${at}.content`)
    if (role === 'assistant') this.#addToAssistant(...marked(content, leftovers(item, KNOWN_OF_MESSAGE)))
    else this.#add({ role, content })
  }

  #addToAssistant(...parts: Part[]): void {
    if (this.#open === undefined) {
      const message: OpenMessage = { role: 'assistant', content: [] }
      this.#add(message)
      this.#open = message
    }
    this.#open.content.push(...parts)
  }

  /** See `sealOf`. */
  #addCall(call: ToolCallPart): void {
    const last = this.#open?.content.at(-1)
    const isSeal = last?.type === 'reasoning' && last.text === '' && !last.redacted && isForeign(last.signature)
    if (isSeal) this.#open?.content.pop()
    this.#addToAssistant(isSeal ? { ...call, signature: last.signature } : call)
  }

  #add(message: OpenMessage): void {
    this.messages.push(message)
    this.#open = undefined
  }

  /** An item only this dialect understands stays behind the message it followed. */
  #keep(item: Fields): void {
    this.#open = undefined
    const last = this.messages.at(-1)
    if (last === undefined) this.leading.push(item)
    else last.extra = { dialect: DIALECT, fields: { itemsAfter: [...itemsAfter(last), item] } }
  }
}

/** Notes on every text of a message item what the item itself carried (`id`, `phase`). */
function marked(parts: readonly Part[], item: Fields | undefined): Part[] {
  if (item === undefined) return [...parts]
  return parts.map((part) => ({ ...part, extra: { dialect: DIALECT, fields: { ...part.extra?.fields, item } } }))
}

function readOutputItem(item: Fields, at: string): ToolResultPart {
  const custom = item['type'] === 'custom_tool_call_output'
  const rest = leftovers(item, KNOWN_OF_OUTPUT)
  return {
    type: 'tool-result',
    toolCallId: requiredText(item, 'call_id', `${at}.call_id`),
    content: readResponsesContent(item['output'], `${at}.output`),
    ...extraOf(DIALECT, custom ? { ...rest, type: 'custom_tool_call_output' } : rest),
  }
}

/** A call from an item of a request or an answer; a custom tool's input is free text in place of the arguments. */
export function readCallItem(item: Fields, name: string): ToolCallPart {
  const custom = item['type'] === 'custom_tool_call'
  const rest = leftovers(item, KNOWN_OF_CALL)
  return {
    type: 'tool-call',
    id: asString(item['call_id']) || asString(item['id']) || name,
    name: calledName(item, name),
    arguments: custom ? (asString(item['input']) ?? '') : objectToText(item['arguments']),
    ...(custom && { custom: true }),
    ...extraOf(DIALECT, rest),
  }
}

/** Anthropic keeps some thoughts hidden, and wants them back as such. */
const REDACTED = 'redacted:'

export function readReasoningItem(item: Fields): ReasoningPart {
  const text = texts(item['summary']).join('\n\n') || texts(item['content']).join('')
  const sealed = asString(item['encrypted_content']) || undefined
  if (sealed?.startsWith(REDACTED)) {
    return { type: 'reasoning', text, signature: tagSignature(DIALECT, sealed.slice(REDACTED.length)), redacted: true }
  }
  const signature = sealed && tagSignature(DIALECT, sealed)
  if (isForeign(signature)) return { type: 'reasoning', text, signature }
  const extra = extraOf(DIALECT, leftovers(item, KNOWN_OF_REASONING) ?? {})
  return { type: 'reasoning', text, ...(signature !== undefined && { signature }), ...extra }
}

/** `encrypted_content` for a client; foreign signatures keep the name of their origin, and come back with it. */
export function sealedContent(part: Omit<ReasoningPart, 'type' | 'text'>): string | undefined {
  const shown = signatureForClient(DIALECT, part)
  return shown !== undefined && part.redacted ? REDACTED + shown : shown
}

/**
 * A call has no place for the signature that Gemini gives it. So a client gets it as an empty reasoning item before the
 * call, which it hands back like any other.
 */
export function sealOf(call: { readonly signature?: string }): ReasoningPart | undefined {
  return isForeign(call.signature) ? { type: 'reasoning', text: '', signature: call.signature } : undefined
}

const isForeign = (signature: string | undefined) =>
  signature !== undefined && ownSignature(DIALECT, { signature }) === undefined

function texts(parts: unknown): string[] {
  const found: string[] = []
  for (const part of asArray(parts) ?? []) {
    const value = asString(asRecord(part)?.['text'])
    if (value) found.push(value)
  }
  return found
}

export function reasoningSummaryOf(text: string): Fields[] {
  return text === '' ? [] : [{ type: 'summary_text', text }]
}

/** By its id: whether a call is one of a custom tool. */
type CallKinds = Map<string, boolean>

/** Items for an upstream. */
export function writeItems(messages: readonly Message[]): Fields[] {
  const items: Fields[] = []
  const calls: CallKinds = new Map()
  for (const message of messages) {
    for (const part of message.content) if (part.type === 'tool-call') calls.set(part.id, part.custom === true)
    if (message.role === 'assistant') writeAssistant(message.content, items)
    else writeOthers(message, items, calls)
    for (const item of itemsAfter(message)) items.push(objectAt(item, 'input'))
  }
  return items
}

const itemsAfter = (message: Pick<Message, 'extra'>) => asArray(ownFields(message.extra, DIALECT)['itemsAfter']) ?? []

function writeOthers(message: Message, items: Fields[], calls: CallKinds): void {
  const rest: Part[] = []
  for (const part of message.content) {
    if (part.type === 'tool-result') items.push(writeOutputItem(part, calls.get(part.toolCallId)))
    else rest.push(part)
  }
  const role = message.role === 'system' ? 'system' : 'user'
  const content = writeInputParts(rest)
  if (content.length > 0) items.push({ type: 'message', role, content })
}

function writeAssistant(parts: readonly Part[], items: Fields[]): void {
  for (let index = 0; index < parts.length; index += 1) {
    const part = present(parts[index])
    if (part.type === 'tool-call') items.push(writePastCall(part))
    else if (part.type === 'reasoning') items.push(...writeReasoningItem(part))
    // Of a client of this dialect, with its item; those of others were moved to the user's turn.
    else if (part.type === 'image' && part.extra?.dialect === DIALECT) items.push(part.extra.fields)
    else if (part.type === 'text') {
      const run = textRun(parts, index)
      items.push(writeMessageItem(run))
      index += run.length - 1
    }
  }
}

/** The texts from `start` on that belong to one message item. */
export function textRun(parts: readonly Part[], start: number): TextPart[] {
  const run: TextPart[] = []
  const item = itemOf(present(parts[start]))
  for (const part of parts.slice(start)) {
    if (part.type !== 'text' || itemOf(part) !== item) break
    run.push(part)
  }
  return run
}

const itemOf = (part: Part) => asRecord(ownFields(part.extra, DIALECT)['item'])

/** What the message around a run of texts carried besides them. */
export const itemFields = (run: readonly TextPart[]): Fields => itemOf(present(run[0])) ?? {}

function writeMessageItem(run: readonly TextPart[]): Fields {
  const content = run.map((part) =>
    isRefusal(part)
      ? { type: 'refusal', refusal: part.text }
      : { ...textFields(part), type: 'output_text', text: part.text },
  )
  return { ...itemFields(run), type: 'message', role: 'assistant', content }
}

export const isRefusal = (part: TextPart) => ownFields(part.extra, DIALECT)['refusal'] === true

/** A call of the history, for an upstream. */
function writePastCall(part: ToolCallPart): Fields {
  return writeCallItem(part.custom ? part : { ...part, arguments: historyArguments(part.arguments) })
}

export function writeCallItem(part: ToolCallPart): Fields {
  const search = writeSearchCall(part)
  if (search !== undefined) return search
  const own = ownFields(part.extra, DIALECT)
  const call = { call_id: part.id, name: nameInGroup(part) }
  if (part.custom) return { ...own, type: 'custom_tool_call', ...call, input: part.arguments }
  return { ...own, type: 'function_call', ...call, arguments: part.arguments }
}

/** Thoughts that this dialect did not make stay out: the upstream could not check them. */
function writeReasoningItem(part: ReasoningPart): Fields[] {
  const sealed = ownSignature(DIALECT, part)
  if (sealed === undefined && (part.signature !== undefined || part.extra?.dialect !== DIALECT)) return []
  const item = { ...ownFields(part.extra, DIALECT), type: 'reasoning', summary: reasoningSummaryOf(part.text) }
  return [sealed === undefined ? item : { ...item, encrypted_content: sealed }]
}

const FUNCTION_OUTPUT = 'function_call_output'

/** Of the same kind as its call, whatever that became; of a call that the service has itself, as the client says. */
function writeOutputItem(part: ToolResultPart, isCustom: boolean | undefined): Fields {
  const search = writeSearchOutput(part)
  if (search !== undefined) return search
  const { type, ...own } = ownFields(part.extra, DIALECT)
  const isText = part.content.every((item) => item.type === 'text')
  return {
    ...own,
    type: isCustom === undefined ? (type ?? FUNCTION_OUTPUT) : isCustom ? 'custom_tool_call_output' : FUNCTION_OUTPUT,
    call_id: part.toolCallId,
    output: isText ? joinText(part.content, '\n') : writeInputParts(part.content),
  }
}

/** `instructions` and the messages that remain: the first message when it is the system's. */
export function splitInstructions(messages: readonly Message[]): {
  readonly instructions: string | undefined
  readonly rest: readonly Message[]
} {
  const first = messages[0]
  if (first?.role !== 'system' || itemsAfter(first).length > 0) return { instructions: undefined, rest: messages }
  return { instructions: joinText(first.content, '\n\n') || undefined, rest: messages.slice(1) }
}

export function readInstructions(fields: Fields): Message[] {
  const instructions = text(fields, 'instructions')
  return instructions ? [{ role: 'system', content: [{ type: 'text', text: instructions }] }] : []
}
