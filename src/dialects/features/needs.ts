/** What a request says that not every dialect can be told. */

import type { ChatRequest, DialectId, FilePart, ImagePart, Message, Part } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { typed } from '../fit/mediaType.ts'
import type { Feature, PartNeed } from './feature.ts'
import { hostedTools, isHostedDemanded } from './hostedTools.ts'
import { FEATURES } from './table.ts'

const NONE: readonly PartNeed[] = []

/** What of the request's meaning only some dialects can be told; nothing for most requests. */
export function partNeedsOf(request: ChatRequest): readonly PartNeed[] {
  const found: PartNeed[] = []
  for (const message of request.messages) readMessage(message, found)
  if (isEmpty(request)) found.push({ feature: FEATURES.emptyConversation, name: 'messages whose content is empty' })
  readWanted(request, found)
  if (request.extra !== undefined) readFields(request, request.extra.dialect, request.extra.fields, found)
  return found.length === 0 ? NONE : found
}

/** In the words of the client's dialect; without one, in those of chat completions. */
function readWanted({ answers, logprobs, extra }: ChatRequest, found: PartNeed[]): void {
  const isGoogle = extra?.dialect === 'google'
  if (answers !== undefined) {
    const name = isGoogle ? '"candidateCount" above 1' : '"n" above 1'
    found.push({ feature: FEATURES.severalAnswers, name, answers })
  }
  if (logprobs === undefined) return
  const name = isGoogle
    ? '"responseLogprobs"'
    : extra?.dialect === 'openai-responses'
      ? 'log probabilities'
      : '"logprobs"'
  found.push({ feature: FEATURES.logprobs, name, isLogprobs: true })
}

/** Nothing that another dialect could be told; what only its own dialect can say is found elsewhere. */
function isEmpty({ messages, extra }: ChatRequest): boolean {
  if (messages.length === 0) return extra === undefined
  return messages.every(({ content }) => content.every((part) => part.type === 'text' && part.text.trim() === ''))
}

function readMessage(message: Message, found: PartNeed[]): void {
  for (const part of message.content) {
    readPart(part, message.role === 'assistant', found)
    if (part.type === 'tool-result') for (const inner of part.content) readPart(inner, false, found)
  }
  const { audio, function_call: old } = message.extra?.dialect === 'openai' ? message.extra.fields : {}
  if (audio != null) found.push({ feature: FEATURES.fileById, name: '"audio" (an answer by its id)' })
  if (old != null) found.push({ feature: FEATURES.legacyFunctions, name: '"function_call"' })
  const kept = asArray(message.extra?.fields['itemsAfter'])
  if (kept !== undefined) for (const item of kept) readItem(item, found)
}

function readPart(part: Part, isAnswer: boolean, found: PartNeed[]): void {
  if (part.type === 'image') readImage(typed(part), found)
  // What ran at the provider in an earlier turn is told by the text that followed.
  else if (part.type === 'file' && !(isAnswer && part.data === undefined && part.url === undefined))
    readFile(typed(part), found)
}

const IMAGES = new Set(['image/png', 'image/jpeg', 'image/jpg', 'image/gif', 'image/webp'])
const HEIC = new Set(['image/heic', 'image/heif'])

function readImage({ mediaType, data, url }: ImagePart, found: PartNeed[]): void {
  if (url !== undefined && OF_VENDOR.test(url))
    found.push({ feature: FEATURES.fileById, name: 'an image by its address' })
  if (url?.startsWith('http:')) found.push({ feature: FEATURES.plainHttpImage, name: 'an image by an http URL' })
  if (data === undefined || mediaType === undefined) return
  if (HEIC.has(mediaType)) found.push({ feature: FEATURES.heicImage, name: `an image of type ${mediaType}` })
  else if (mediaType === 'image/gif') found.push({ feature: FEATURES.gifImage, name: 'a GIF image' })
  else if (!IMAGES.has(mediaType)) found.push({ feature: FEATURES.rareImage, name: `an image of type ${mediaType}` })
}

function readFile(part: FilePart, found: PartNeed[]): void {
  const { data, url, text, mediaType = '', extra } = part
  if (text !== undefined) return
  if (data === undefined && url === undefined) found.push(opaqueNeed(extra?.fields ?? {}))
  else if (mediaType.startsWith('audio/')) found.push(...audioNeeds(part))
  else if (mediaType.startsWith('video/')) found.push({ feature: FEATURES.videoInput, name: `video (${mediaType})` })
  else if (data === undefined) found.push(urlNeed(url ?? ''))
  else if (mediaType === 'application/pdf')
    found.push({ feature: FEATURES.document, name: 'a PDF document', isDocument: true })
  else if (isOtherFile(mediaType)) found.push({ feature: FEATURES.otherFile, name: `a file of type ${mediaType}` })
}

/** Chat takes recordings as data only. */
function audioNeeds({ mediaType, data, url }: FilePart): readonly PartNeed[] {
  const audio = { feature: FEATURES.audioInput, name: `audio (${mediaType})` }
  return data === undefined ? [audio, urlNeed(url ?? '')] : [audio]
}

function urlNeed(url: string): PartNeed {
  if (!url.startsWith('https:') || OF_VENDOR.test(url))
    return { feature: FEATURES.fileById, name: 'a file by its address' }
  return { feature: FEATURES.fileByUrl, name: 'a file by its URL' }
}

/**
 * Addresses that only their own vendor can open, with the key of the account that holds the file: Google's storage, and
 * what Gemini's Files API calls the `uri` of a file. https://ai.google.dev/api/files (2026-11-30)
 */
const OF_VENDOR = /^(?:gs:|https:\/\/generativelanguage\.googleapis\.com\/)/i

/** Neither PDF nor text; without a type the data itself may tell. */
function isOtherFile(mediaType: string): boolean {
  return mediaType !== '' && !/^(?:text\/|application\/(?:pdf|json|xml|yaml|x-yaml|javascript|x-sh)\b)/.test(mediaType)
}

function opaqueNeed(fields: Readonly<Record<string, unknown>>): PartNeed {
  const type = asString(fields['type']) ?? Object.keys(fields)[0] ?? 'file'
  const id = [fields, fields['source'], fields['file']].some((one) => asRecord(one)?.['file_id'] !== undefined)
  if (id) return { feature: FEATURES.fileById, name: `"${type}" (file by its id)` }
  return { feature: FEATURES.unknownPart, name: `the content part "${type}"` }
}

/** Traces of what ran at the provider: the answer's text tells what came of it. */
const TRACES = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'reasoning',
  // Their tools are among the request's own.
  'additional_tools',
  'tool_search_call',
  'tool_search_output',
])

function readItem(item: unknown, found: PartNeed[]): void {
  const type = asString(asRecord(item)?.['type']) ?? 'item'
  if (!TRACES.has(type)) found.push({ feature: FEATURES.storedState, name: `the input item "${type}"` })
}

type FieldReader = (request: ChatRequest, fields: Readonly<Record<string, unknown>>) => readonly PartNeed[]

const FIELD_READERS: { readonly [D in DialectId]: FieldReader } = {
  openai: (_, fields) => [
    ...modalities(fields['modalities'], '"modalities"'),
    ...when(fields['audio'] != null, FEATURES.audioOutput, '"audio"'),
    ...when(fields['response_format'] !== undefined, FEATURES.unknownFormat, '"response_format"'),
    ...when(fields['functions'] != null, FEATURES.legacyFunctions, '"functions"'),
  ],
  'openai-responses': (_, fields) => [
    ...when(asRecord(fields['text'])?.['format'] !== undefined, FEATURES.unknownFormat, '"text.format"'),
    ...(asArray(fields['input']) ?? []).flatMap((item) => {
      const found: PartNeed[] = []
      readItem(item, found)
      return found
    }),
  ],
  anthropic: ({ responseFormat }, fields) => [
    ...when(asString(fields['container']) !== undefined, FEATURES.storedState, '"container"'),
    ...when(
      responseFormat === undefined && asRecord(fields['output_config'])?.['format'] != null,
      FEATURES.unknownFormat,
      '"output_config.format"',
    ),
  ],
  google: (_, fields) => {
    const config = asRecord(fields['generationConfig']) ?? {}
    const mime = asString(config['responseMimeType'] ?? config['response_mime_type'])
    return [
      ...modalities(config['responseModalities'] ?? config['response_modalities'], '"responseModalities"'),
      ...when(mime !== undefined && mime !== 'text/x.enum', FEATURES.unknownFormat, `"responseMimeType": "${mime}"`),
      ...when((fields['cachedContent'] ?? fields['cached_content']) != null, FEATURES.storedState, '"cachedContent"'),
    ]
  },
}

function readFields(
  request: ChatRequest,
  dialect: DialectId,
  fields: Readonly<Record<string, unknown>>,
  found: PartNeed[],
): void {
  found.push(...FIELD_READERS[dialect](request, fields))
  const hosted = hostedTools(request)
  if (isHostedDemanded(request, hosted)) {
    found.push({ feature: FEATURES.demandedHostedTool, name: `the tool "${hosted[0] ?? 'tool_choice'}"` })
  }
}

function modalities(value: unknown, name: string): readonly PartNeed[] {
  const kinds = (asArray(value) ?? []).map((kind) => asString(kind)?.toLowerCase())
  return [
    ...when(kinds.includes('audio'), FEATURES.audioOutput, name),
    ...when(kinds.includes('image'), FEATURES.imageOutput, name),
  ]
}

function when(isSo: boolean, feature: Feature, name: string): readonly PartNeed[] {
  return isSo ? [{ feature, name }] : NONE
}
