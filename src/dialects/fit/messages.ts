/** The conversation as a service takes it: who may speak when, and what may not be empty. */

import type { ChatRequest, Message, Part, ToolResultPart } from '../../domain/chat.ts'
import { fitCallIds } from './callIds.ts'
import { fitContent } from './content.ts'
import { mapped } from './mapped.ts'
import { fitPairs } from './pairing.ts'
import { fitPictures } from './pictures.ts'
import type { Recipient } from './recipient.ts'

export function fitMessages(request: ChatRequest, recipient: Recipient): ChatRequest {
  const { dialect, wire } = recipient
  const shown = fitPictures(request.messages, dialect)
  const fitted = mapped(shown, (message) => fitContent(message, recipient))
  const saying = fitted.every(saysSomething) ? fitted : fitted.filter(saysSomething)
  // Chat takes a message without content, and a request must have one.
  const spoken = saying.length > 0 ? saying : request.messages
  const paired = fitCallIds(fitPairs(joinNeighbours(spoken)), dialect, wire)
  const joined = mediaApart(paired, recipient)
  const inOrder = ordered(withUser(joined, recipient), recipient)
  const messages = withEnd(wire.systemMessages === false ? withoutSystem(inOrder) : inOrder, recipient)
  return messages === request.messages ? request : { ...request, messages }
}

/** Whether a service is known to refuse conversations for who speaks when, also of clients of its own dialect. */
export function isStrictOrder({ dialect, wire }: Pick<Recipient, 'dialect' | 'wire'>): boolean {
  return dialect === 'openai' && (wire.systemFirst === true || wire.userAfterTool === false || wire.prefill === false)
}

const saysSomething = ({ content }: Message) => content.length > 0

/** "An assistant message with 'tool_calls' must be followed by tool messages": neighbours, and the results of one turn, are one message. */
function joinNeighbours(messages: readonly Message[]): readonly Message[] {
  if (!messages.some((message, index) => isJoined(message, messages[index - 1]))) return messages
  const joined: Message[] = []
  for (const message of messages) {
    const last = joined.at(-1)
    if (last === undefined || !isJoined(message, last)) joined.push(message)
    // What is said of a turn to continue (`prefix`) stands with its last piece.
    else joined[joined.length - 1] = { ...last, ...message, content: [...last.content, ...message.content] }
  }
  return joined
}

function isJoined({ role }: Message, last: Message | undefined): boolean {
  return role === last?.role && (role === 'assistant' || role === 'tool')
}

/** What a tool's result shows and the service cannot be told inside of it follows as the user's. */
export function mediaApart(messages: readonly Message[], recipient: Recipient): readonly Message[] {
  const isApart = (part: Part) => part.type !== 'text' && !takesInResult(part, recipient)
  const hasApart = ({ content }: Message) =>
    content.some((part) => part.type === 'tool-result' && part.content.some(isApart))
  if (!messages.some(hasApart)) return messages
  const names = new Map(messages.flatMap(({ content }) => content.flatMap(nameOfCall)))
  return messages.flatMap((message) => (hasApart(message) ? takenApart(message, isApart, names) : [message]))
}

type Names = ReadonlyMap<string, string>

const resultsOf = (content: readonly Part[]) => content.filter((part) => part.type === 'tool-result')
const nameOfCall = (part: Part): [id: string, name: string][] =>
  part.type === 'tool-call' ? [[part.id, part.name]] : []

/** Of several results it is said which of them shows what. */
function takenApart(message: Message, isApart: (part: Part) => boolean, names: Names): readonly Message[] {
  const results = resultsOf(message.content)
  const shown = results.flatMap((result, index): readonly Part[] => {
    const media = result.content.filter(isApart)
    return media.length === 0 || results.length === 1 ? media : [heading(result, index, names), ...media]
  })
  const content = message.content.map((part) =>
    part.type === 'tool-result' ? { ...part, content: part.content.filter((inner) => !isApart(inner)) } : part,
  )
  return [
    { ...message, content },
    { role: 'user', content: shown },
  ]
}

/** By its place as well, since not every service shows its model the ids of calls. */
function heading({ toolCallId, name }: ToolResultPart, index: number, names: Names): Part {
  const called = names.get(toolCallId) ?? name
  const call = `call "${toolCallId}"${called === undefined ? '' : ` of "${called}"`}`
  return { type: 'text', text: `Result ${index + 1} (${call}) shows:` }
}

/** Tool messages of chat carry text only, Gemini's results data only: https://ai.google.dev/gemini-api/docs/function-calling */
function takesInResult(part: Part, { dialect, wire }: Recipient): boolean {
  if (dialect === 'google') return wire.mediaInResults !== false && 'data' in part && part.data !== undefined
  return dialect !== 'openai'
}

/** System messages alone are refused ("at least one message is required"); the last of them becomes the user's. */
function withUser(messages: readonly Message[], { dialect }: Recipient): readonly Message[] {
  if (dialect === 'openai' || messages.some(({ role }) => role !== 'system')) return messages
  return messages.map((message, index) => (index === messages.length - 1 ? { ...message, role: 'user' } : message))
}

/** What is said after an assistant's turn to a model that refuses to continue one. */
const CONTINUE = 'Continue exactly where your last message ends, without repeating any of it.'

/** Said by the assistant between a tool's results and what the user says next. */
const SEEN = 'I have the results.'

function ordered(messages: readonly Message[], { dialect, wire }: Recipient): readonly Message[] {
  // Anthropic and Gemini keep them apart from the talk anyway.
  const isApart = dialect === 'anthropic' || dialect === 'google'
  const inOrder = wire.systemFirst || isApart ? systemFirst(messages) : messages
  if (wire.userAfterTool !== false) return inOrder
  return inOrder.flatMap((message, index) => {
    const isBehindResults = message.role === 'user' && inOrder[index - 1]?.role === 'tool'
    return isBehindResults ? [{ role: 'assistant', content: [{ type: 'text', text: SEEN }] }, message] : [message]
  })
}

function systemFirst(messages: readonly Message[]): readonly Message[] {
  const isSystem = ({ role }: Message) => role === 'system'
  const isFirst = messages.every(
    (message, index) => index === 0 || !isSystem(message) || isSystem(messages[index - 1] ?? message),
  )
  if (isFirst) return messages
  return [...messages.filter(isSystem), ...messages.filter((message) => !isSystem(message))]
}

/** What the system says, as the beginning of what the user says first. */
export function withoutSystem(messages: readonly Message[]): readonly Message[] {
  const [said, rest] = [true, false].map((isSystem) => messages.filter(({ role }) => (role === 'system') === isSystem))
  if (said === undefined || rest === undefined || said.length === 0) return messages
  const first = rest.findIndex(({ role }) => role === 'user')
  const user: Message = rest[first] ?? { role: 'user', content: [] }
  const content = joinedText([...said.flatMap((message) => message.content), ...user.content])
  return first < 0 ? [{ ...user, content }, ...rest] : rest.with(first, { ...user, content })
}

/** Texts at the beginning become one, with blank lines between. */
function joinedText(parts: readonly Part[]): readonly Part[] {
  const end = parts.findIndex(({ type }) => type !== 'text')
  const texts = end < 0 ? parts : parts.slice(0, end)
  const text = texts.map((part) => (part.type === 'text' ? part.text : '')).join('\n\n')
  return texts.length === 0 ? parts : [{ type: 'text', text }, ...parts.slice(texts.length)]
}

/** Claude refuses white space at the end of a turn to continue, and newer ones to continue a turn at all. */
export function withEnd(messages: readonly Message[], { dialect, wire }: Recipient): readonly Message[] {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return messages
  const isMarked = last.extra?.dialect === dialect && last.extra.fields['prefix'] === true
  if (wire.prefill === false && !isMarked) {
    return [...messages, { role: 'user', content: [{ type: 'text', text: CONTINUE }] }]
  }
  if (dialect !== 'anthropic') return messages
  const content = trimmedEnd(last.content)
  if (content === last.content) return messages
  return content.length === 0 ? messages.slice(0, -1) : [...messages.slice(0, -1), { ...last, content }]
}

function trimmedEnd(content: readonly Part[]): readonly Part[] {
  const last = content.at(-1)
  if (last?.type !== 'text' || last.text.trimEnd() === last.text) return content
  return [...content.slice(0, -1), { ...last, text: last.text.trimEnd() }]
}
