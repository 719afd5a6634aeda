/** Anthropic's content blocks and our parts: https://platform.claude.com/docs/en/api/messages */

import type {
  FilePart,
  ImagePart,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { extraBeyond, opaquePart, restore } from '../fields/extra.ts'
import { ownSignature, signatureForClient, tagSignature } from '../fields/signature.ts'
import { objectToText, textToObject } from '../fields/toolArguments.ts'

export type ContentBlock = Record<string, unknown>

const TEXT = new Set(['type', 'text'])
const IMAGE = new Set(['type', 'source'])
const DOCUMENT = new Set(['type', 'source', 'title'])
const THINKING = new Set(['type', 'thinking', 'signature'])
const REDACTED = new Set(['type', 'data'])
const TOOL_USE = new Set(['type', 'id', 'name', 'input'])
const DIRECT_TOOL_USE = new Set([...TOOL_USE, 'caller'])
const TOOL_RESULT = new Set(['type', 'tool_use_id', 'content', 'is_error'])

type Readers = ReadonlyMap<string, (block: ContentBlock) => Part | undefined>

/** Of what a tool answers. Results do not hold results, so that hostile nesting ends here. */
const RESULT_READERS: Readers = new Map<string, (block: ContentBlock) => Part | undefined>([
  ['text', readText],
  ['image', readImage],
  ['document', readDocument],
  ['search_result', readSearchResult],
  ['tool_reference', readToolReference],
])
const READERS: Readers = new Map([
  ...RESULT_READERS,
  ['thinking', readThinking],
  ['redacted_thinking', readRedacted],
  ['tool_use', readToolUse],
  ['tool_result', readToolResult],
])

interface ReadBlocks {
  readonly parts: readonly Part[]
  /** The place of the first block that is none; -1 when there is no such block. */
  readonly badIndex: number
}

export function readBlocks(blocks: readonly unknown[], readers = READERS): ReadBlocks {
  const parts: Part[] = []
  let badIndex = -1
  for (let index = 0; index < blocks.length; index++) {
    const part = readBlock(asRecord(blocks[index]), readers)
    if (part) parts.push(part.type === 'tool-call' ? withSignature(part, parts) : part)
    else if (badIndex < 0) badIndex = index
  }
  return { parts, badIndex }
}

/** A block of a type we have no word for (server tools, search results) is kept as it is. */
function readBlock(block: ContentBlock | undefined, readers: Readers): Part | undefined {
  const type = asString(block?.['type'])
  if (!block || type === undefined) return undefined
  const read = readers.get(type)
  return read ? read(block) : opaquePart('anthropic', block)
}

/**
 * `tool_use` has no place for the signature that another dialect's call carries, so `writeForClient` puts an empty
 * thinking block before it; here it comes back.
 */
function withSignature(call: ToolCallPart, before: Part[]): ToolCallPart {
  const last = before.at(-1)
  if (last?.type !== 'reasoning' || last.text !== '' || last.redacted || last.signature === undefined) return call
  if (ownSignature('anthropic', last) !== undefined) return call
  before.pop()
  return { ...call, signature: last.signature }
}

function readText(block: ContentBlock): TextPart | undefined {
  const text = asString(block['text'])
  return text === undefined ? undefined : { type: 'text', text, extra: extraBeyond('anthropic', block, TEXT) }
}

function readImage(block: ContentBlock): ImagePart | FilePart {
  const source = readSource(block['source'])
  if (!source) return opaquePart('anthropic', block)
  return { type: 'image', ...source, extra: extraBeyond('anthropic', block, IMAGE) }
}

function readDocument(block: ContentBlock): FilePart {
  const source = readSource(block['source'])
  if (!source) return textDocument(block, asRecord(block['source'])?.['content'], [block['title'], block['context']])
  return {
    type: 'file',
    ...source,
    filename: asString(block['title']),
    extra: extraBeyond('anthropic', block, DOCUMENT),
  }
}

/** https://platform.claude.com/docs/en/build-with-claude/search-results */
function readSearchResult(block: ContentBlock): FilePart {
  return textDocument(block, block['content'], [block['title'], block['source']])
}

/** What a client's own search for tools has found: https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool */
function readToolReference(block: ContentBlock): FilePart {
  const name = asString(block['tool_name'])
  const part = opaquePart('anthropic', block)
  return name === undefined ? part : { ...part, text: `The tool "${name}" can be called now.` }
}

/** A block that only this dialect has and that is made of texts; `heads` says where they are from. */
function textDocument(block: ContentBlock, content: unknown, heads: readonly unknown[]): FilePart {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : (asArray(content) ?? [])
  const texts = blocks.map((inner) => asString(asRecord(inner)?.['text']))
  const part = opaquePart('anthropic', block)
  // A picture inside would be lost.
  if (texts.length === 0 || texts.includes(undefined)) return part
  return { ...part, text: [...heads.filter((head) => typeof head === 'string' && head !== ''), ...texts].join('\n') }
}

type Source = Pick<FilePart, 'mediaType' | 'data' | 'url'>

function readSource(raw: unknown): Source | undefined {
  const source = asRecord(raw)
  if (!source) return undefined
  const data = asString(source['data'])
  const mediaType = asString(source['media_type'])
  if (source['type'] === 'base64' && data !== undefined) return { mediaType, data }
  if (source['type'] === 'text' && data !== undefined) return { mediaType: 'text/plain', data: toBase64(data) }
  const url = asString(source['url'])
  return source['type'] === 'url' && url !== undefined ? { url } : undefined
}

function readThinking(block: ContentBlock): ReasoningPart | undefined {
  const text = asString(block['thinking'])
  if (text === undefined) return undefined
  return {
    type: 'reasoning',
    text,
    signature: readAnthropicSignature(block['signature']),
    extra: extraBeyond('anthropic', block, THINKING),
  }
}

function readRedacted(block: ContentBlock): ReasoningPart {
  return {
    type: 'reasoning',
    text: '',
    redacted: true,
    signature: readAnthropicSignature(block['data']),
    extra: extraBeyond('anthropic', block, REDACTED),
  }
}

/** Also for streams; an empty signature is the placeholder with which a thinking block begins. */
export function readAnthropicSignature(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw !== '' ? tagSignature('anthropic', raw) : undefined
}

function readToolUse(block: ContentBlock): ToolCallPart | undefined {
  const id = asString(block['id'])
  const name = asString(block['name'])
  if (id === undefined || name === undefined) return undefined
  return {
    type: 'tool-call',
    id,
    name,
    arguments: objectToText(block['input']),
    // A call that the model made itself, which is every call that code of its own did not make.
    extra: extraBeyond('anthropic', block, isDirect(block['caller']) ? DIRECT_TOOL_USE : TOOL_USE),
  }
}

function isDirect(caller: unknown): boolean {
  return asRecord(caller)?.['type'] === 'direct'
}

function readToolResult(block: ContentBlock): ToolResultPart | undefined {
  const toolCallId = asString(block['tool_use_id'])
  if (toolCallId === undefined) return undefined
  return {
    type: 'tool-result',
    toolCallId,
    content: readResultContent(block['content']),
    isError: block['is_error'] === true ? true : undefined,
    extra: extraBeyond('anthropic', block, TOOL_RESULT),
  }
}

function readResultContent(raw: unknown): ToolResultPart['content'] {
  if (typeof raw === 'string') return [{ type: 'text', text: raw }]
  const { parts } = readBlocks(asArray(raw) ?? [], RESULT_READERS)
  return parts.filter((part) => part.type === 'text' || part.type === 'image' || part.type === 'file')
}

/** The block for an upstream; undefined for what the wire refuses (empty text, thoughts that are not its own). */
export function writeAnthropicContent(part: Part): ContentBlock | undefined {
  if (part.type === 'reasoning') {
    const signature = ownSignature('anthropic', part)
    // Unsigned thoughts are refused: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
    return signature === undefined ? undefined : reasoningBlock(part, signature)
  }
  return writeBlock(part)
}

/** The blocks of an answer to a client. */
export function writeAnthropicAnswer(part: Part): readonly ContentBlock[] {
  if (part.type === 'reasoning') {
    return [reasoningBlock(part, signatureForClient('anthropic', part) ?? '')]
  }
  const block = writeBlock(part)
  if (!block) return []
  const signature = part.type === 'tool-call' ? signatureForClient('anthropic', part) : undefined
  return signature === undefined ? [block] : [{ type: 'thinking', thinking: '', signature }, block]
}

function reasoningBlock(part: ReasoningPart, signature: string): ContentBlock {
  const block = part.redacted
    ? { type: 'redacted_thinking', data: signature }
    : { type: 'thinking', thinking: part.text, signature }
  return restore('anthropic', block, part.extra)
}

function writeBlock(part: Exclude<Part, ReasoningPart>): ContentBlock | undefined {
  switch (part.type) {
    case 'text':
      return part.text === '' ? undefined : restore('anthropic', { type: 'text', text: part.text }, part.extra)
    case 'image':
    case 'file':
      return writeMedia(part)
    case 'tool-call':
      return writeToolUse(part)
    case 'tool-result':
      return writeToolResult(part)
  }
}

/** None for what only another dialect can name. */
function writeMedia(part: ImagePart | FilePart): ContentBlock | undefined {
  const block: ContentBlock = { type: part.type === 'image' ? 'image' : 'document' }
  if (part.data !== undefined || part.url !== undefined) block['source'] = writeSource(part)
  else if (part.extra?.dialect !== 'anthropic') return undefined
  if (part.type === 'file' && part.filename !== undefined) block['title'] = part.filename
  return restore('anthropic', block, part.extra)
}

function writeSource(part: ImagePart | FilePart): ContentBlock {
  if (part.data === undefined) return { type: 'url', url: part.url }
  if (part.mediaType === 'text/plain') return { type: 'text', media_type: 'text/plain', data: fromBase64(part.data) }
  return { type: 'base64', media_type: part.mediaType ?? 'application/octet-stream', data: part.data }
}

function writeToolUse(part: ToolCallPart): ContentBlock {
  const input = textToObject(part.arguments)
  return restore('anthropic', { type: 'tool_use', id: safeId(part.id), name: part.name, input }, part.extra)
}

function writeToolResult(part: ToolResultPart): ContentBlock {
  const block: ContentBlock = { type: 'tool_result', tool_use_id: safeId(part.toolCallId) }
  const content = writeResultContent(part.content)
  if (content !== undefined) block['content'] = content
  if (part.isError) block['is_error'] = true
  return restore('anthropic', block, part.extra)
}

function writeResultContent(content: ToolResultPart['content']): string | ContentBlock[] | undefined {
  const [first] = content
  if (content.length === 1 && first?.type === 'text' && first.extra?.dialect !== 'anthropic') return first.text
  const blocks = content.map(writeBlock).filter((block) => block !== undefined)
  return blocks.length > 0 ? blocks : undefined
}

// Ids outside ^[a-zA-Z0-9_-]+$ are refused, and other dialects make such ids (function names with dots).
const UNSAFE = /[^a-zA-Z0-9_-]/g

function safeId(id: string): string {
  return id.replace(UNSAFE, '_')
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

function fromBase64(data: string): string {
  return Buffer.from(data, 'base64').toString('utf8')
}
