/** Gemini's content parts and ours: https://ai.google.dev/api/caching#Part */

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
import { ownSignature, packSignature, unpackSignature } from '../fields/signature.ts'
import { objectToText, textToObject } from '../fields/toolArguments.ts'
import { bothSpellings, field } from './field.ts'

export type WirePart = Record<string, unknown>

const PART = bothSpellings('text', 'thought', 'thoughtSignature', 'inlineData', 'fileData')
const RESPONSE = bothSpellings('id', 'name', 'response', 'parts')

/** How ids are found where the wire has none. */
export interface IdSource {
  ofCall(id: string | undefined, name: string): string
  ofResult(id: string | undefined, name: string): string
}

interface ReadParts {
  readonly parts: readonly Part[]
  /** The place of the first part that is none; -1 when there is no such part. */
  readonly badIndex: number
}

/**
 * A signature on anything but a thought or a call becomes an empty thought behind it: that is how Gemini itself streams
 * it, and the form in which clients of other dialects bring it back.
 */
export function readParts(raws: readonly unknown[], ids: IdSource): ReadParts {
  const parts: Part[] = []
  let badIndex = -1
  for (let index = 0; index < raws.length; index++) {
    const fields = asRecord(raws[index])
    const part = fields && readPart(fields, ids)
    if (!part) badIndex = badIndex < 0 ? index : badIndex
    else if (part.type !== 'text' || part.text !== '') parts.push(part)
    const signature = fields && part && isUnsigned(part) ? readGoogleSignature(fields) : undefined
    if (signature !== undefined) parts.push({ type: 'reasoning', text: '', signature })
  }
  return { parts, badIndex }
}

/** Thoughts and calls carry their signature themselves, and what is opaque has it inside. */
function isUnsigned(part: Part): boolean {
  return part.type === 'text' || ((part.type === 'image' || part.type === 'file') && !isOpaque(part))
}

function isOpaque(part: ImagePart | FilePart): boolean {
  return part.data === undefined && part.url === undefined
}

export function readGoogleSignature(fields: WirePart): string | undefined {
  const signature = asString(field(fields, 'thoughtSignature', 'thought_signature'))
  return signature ? unpackSignature('google', signature) : undefined
}

const SIGNATURE = bothSpellings('thoughtSignature')

/** Whether the part holds nothing, or nothing but a signature. */
export function isBare(fields: WirePart): boolean {
  return Object.keys(fields).every((name) => SIGNATURE.has(name))
}

/** Undefined for a part that is said wrongly; one we have no word for (code execution) is kept as it is. */
function readPart(fields: WirePart, ids: IdSource): Part | undefined {
  if (fields['text'] != null) return readText(fields)
  const call = field(fields, 'functionCall', 'function_call')
  if (call != null) return readCall(asRecord(call) ?? {}, readGoogleSignature(fields), ids)
  const result = field(fields, 'functionResponse', 'function_response')
  if (result != null) return readResult(asRecord(result) ?? {}, ids)
  return readMedia(fields) ?? readSeal(fields) ?? opaquePart('google', fields)
}

/** An empty thought whose client leaves empty texts out: gemini-cli 0.61.0 (seen 2026-11-30). */
function readSeal(fields: WirePart): ReasoningPart | undefined {
  const signature = isBare(fields) ? readGoogleSignature(fields) : undefined
  return signature === undefined ? undefined : { type: 'reasoning', text: '', signature }
}

function readText(fields: WirePart): TextPart | ReasoningPart | undefined {
  const text = asString(fields['text'])
  if (text === undefined) return undefined
  const extra = extraBeyond('google', fields, PART)
  if (fields['thought'] !== true) return { type: 'text', text, extra }
  return { type: 'reasoning', text, signature: readGoogleSignature(fields), extra }
}

function readCall(call: WirePart, signature: string | undefined, ids: IdSource): ToolCallPart | undefined {
  const name = asString(call['name'])
  if (name === undefined) return undefined
  const id = ids.ofCall(asString(call['id']) || undefined, name)
  return { type: 'tool-call', id, name, arguments: objectToText(call['args']), signature }
}

function readResult(result: WirePart, ids: IdSource): ToolResultPart | undefined {
  const name = asString(result['name'])
  if (name === undefined) return undefined
  const response = asRecord(result['response']) ?? asOutput(result['response'])
  const media = (asArray(result['parts']) ?? []).map((part) => readMedia(asRecord(part) ?? {}))
  const content: ToolResultPart['content'] = [...readOutput(response), ...media.filter((part) => part !== undefined)]
  const extra = extraBeyond('google', result, RESPONSE)
  return {
    type: 'tool-result',
    toolCallId: ids.ofResult(asString(result['id']) || undefined, name),
    name,
    content,
    isError: typeof response['error'] === 'string' ? true : undefined,
    extra: isPlainOutput(response) ? extra : { dialect: 'google', fields: { ...extra?.fields, response } },
  }
}

/** Some clients give what the function returned without an object around it. */
function asOutput(value: unknown): WirePart {
  if (value === undefined || value === null) return {}
  return { output: typeof value === 'string' ? value : objectToText(value) }
}

/** `output` and `error` are the keys that Gemini itself documents; without them the whole object is the output. */
function readOutput(response: WirePart): TextPart[] {
  if (Object.keys(response).length === 0) return []
  const only =
    Object.keys(response).length === 1 ? (response['output'] ?? response['result'] ?? response['error']) : null
  return [{ type: 'text', text: typeof only === 'string' ? only : objectToText(response) }]
}

function isPlainOutput(response: WirePart): boolean {
  const names = Object.keys(response)
  if (names.length === 0) return true
  return names.length === 1 && typeof (response['output'] ?? response['error']) === 'string'
}

export function readMedia(fields: WirePart): ImagePart | FilePart | undefined {
  const inline = asRecord(field(fields, 'inlineData', 'inline_data'))
  const file = asRecord(field(fields, 'fileData', 'file_data'))
  const data = asString(inline?.['data'])
  const url = asString(field(file, 'fileUri', 'file_uri'))
  const mediaType = asString(field(inline ?? file, 'mimeType', 'mime_type')) ?? (url && typeOfPage(url))
  if (data === undefined && url === undefined) return undefined
  const source = data === undefined ? { mediaType, url } : { mediaType, data }
  const extra = extraBeyond('google', fields, PART)
  return mediaType?.startsWith('image/') ? { type: 'image', ...source, extra } : { type: 'file', ...source, extra }
}

/** The part for an upstream; undefined for what the wire refuses (empty text) and for thoughts of other dialects. */
export function writeGoogleContent(part: Part, names: ReadonlyMap<string, string>): WirePart | undefined {
  if (part.type !== 'reasoning') return writePart(part, names)
  const signature = ownSignature('google', part)
  return part.signature !== undefined && signature === undefined ? undefined : writeReasoning(part, signature)
}

const NO_NAMES: ReadonlyMap<string, string> = new Map()

/** The part of an answer to a client. */
export function writeGoogleAnswer(part: Part): WirePart | undefined {
  const signature = packSignature('google', part)
  // Hidden thoughts are worth their block alone, which would not come back as one.
  if (part.type === 'reasoning') return part.redacted ? undefined : writeReasoning(part, signature)
  const wire = writePart(part, NO_NAMES)
  if (wire && signature !== undefined) wire['thoughtSignature'] = signature
  return wire
}

function writeReasoning(part: ReasoningPart, signature: string | undefined): WirePart | undefined {
  if (part.text === '' && signature === undefined) return undefined
  const wire: WirePart = part.text === '' ? { text: '' } : { text: part.text, thought: true }
  if (signature !== undefined) wire['thoughtSignature'] = signature
  return restore('google', wire, part.extra)
}

function writePart(part: Exclude<Part, ReasoningPart>, names: ReadonlyMap<string, string>): WirePart | undefined {
  switch (part.type) {
    case 'text':
      return part.text === '' ? undefined : restore('google', { text: part.text }, part.extra)
    case 'image':
    case 'file':
      return writeMedia(part)
    case 'tool-call':
      return writeCall(part)
    case 'tool-result':
      return { functionResponse: writeResult(part, names) }
  }
}

/** None for what only another dialect can name. */
function writeMedia(part: ImagePart | FilePart): WirePart | undefined {
  if (isOpaque(part)) return part.extra?.dialect === 'google' ? { ...part.extra.fields } : undefined
  if (part.data !== undefined) {
    return restore(
      'google',
      { inlineData: { mimeType: part.mediaType ?? guessedType(part), data: part.data } },
      part.extra,
    )
  }
  const file: WirePart = { fileUri: part.url }
  if (part.mediaType !== undefined) file['mimeType'] = part.mediaType
  return restore('google', { fileData: file }, part.extra)
}

/** The one page that Gemini takes as what it shows: https://ai.google.dev/gemini-api/docs/video-understanding#youtube */
function typeOfPage(url: string): string | undefined {
  return /^https?:\/\/(?:(?:www|m)\.)?(?:youtube\.com|youtu\.be)\//.test(url) ? 'video/*' : undefined
}

function guessedType(part: ImagePart | FilePart): string {
  return part.type === 'image' ? 'image/png' : 'application/octet-stream'
}

function writeCall(part: ToolCallPart): WirePart {
  const wire: WirePart = { functionCall: { id: part.id, name: part.name, args: textToObject(part.arguments) } }
  const signature = ownSignature('google', part)
  if (signature !== undefined) wire['thoughtSignature'] = signature
  return wire
}

function writeResult(part: ToolResultPart, names: ReadonlyMap<string, string>): WirePart {
  const texts: string[] = []
  const media: WirePart[] = []
  for (const item of part.content) {
    if (item.type === 'text') texts.push(item.text)
    else {
      const wire = writeMedia(item)
      if (wire) media.push(wire)
    }
  }
  const text = texts.join('\n')
  const name = part.name ?? names.get(part.toolCallId) ?? part.toolCallId
  const isMediaOnly = texts.length === 0 && media.length > 0
  const response = part.isError ? { error: text } : isMediaOnly ? {} : { output: text }
  const wire: WirePart = { id: part.toolCallId, name, response }
  if (media.length > 0) wire['parts'] = media
  return restore('google', wire, part.extra)
}
