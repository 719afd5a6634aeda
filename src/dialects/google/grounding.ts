/** The pages an answer rests on: https://ai.google.dev/gemini-api/docs/google-search (groundingMetadata) */

import type { Citation } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'
import { field } from './field.ts'

/** `text`: what the candidate said, in which the wire counts bytes; null where the places are not to be had. */
export function readGrounding(candidate: Fields | undefined, text: string | null): readonly Citation[] {
  const grounding = asRecord(field(candidate, 'groundingMetadata', 'grounding_metadata'))
  const pages = (asArray(field(grounding, 'groundingChunks', 'grounding_chunks')) ?? []).map(readPage)
  if (pages.length === 0) return []
  const bytes = text === null ? null : Buffer.from(text)
  const supports = (asArray(field(grounding, 'groundingSupports', 'grounding_supports')) ?? []).flatMap((support) =>
    readSupport(asRecord(support) ?? {}, pages, bytes),
  )
  return supports.length > 0 ? supports : pages.filter((page) => page !== undefined)
}

function readPage(raw: unknown): Citation | undefined {
  const chunk = asRecord(raw)
  const page = asRecord(chunk?.['web']) ?? asRecord(field(chunk, 'retrievedContext', 'retrieved_context'))
  const url = asString(page?.['uri'])
  const title = asString(page?.['title'])
  return url === undefined ? undefined : { url, ...(title !== undefined && { title }) }
}

function readSupport(support: Fields, pages: readonly (Citation | undefined)[], bytes: Buffer | null): Citation[] {
  const segment = asRecord(support['segment'])
  const end = asNumber(field(segment, 'endIndex', 'end_index'))
  const start = asNumber(field(segment, 'startIndex', 'start_index')) ?? 0
  const place = bytes === null || end === undefined ? {} : { start: lengthOf(bytes, start), end: lengthOf(bytes, end) }
  const indices = asArray(field(support, 'groundingChunkIndices', 'grounding_chunk_indices')) ?? []
  return indices.flatMap((index) => {
    const page = pages[asNumber(index) ?? -1]
    return page === undefined ? [] : [{ ...page, ...place }]
  })
}

const lengthOf = (bytes: Buffer, end: number) => bytes.subarray(0, end).toString().length

export function writeGrounding(citations: readonly Citation[], text: string): Fields {
  const pages = [...new Map(citations.map((citation) => [citation.url, citation])).values()]
  const supports = citations.flatMap(({ url, start, end }) => {
    if (start === undefined || end === undefined) return []
    const startIndex = Buffer.byteLength(text.slice(0, start))
    const said = text.slice(start, end)
    const segment = { startIndex, endIndex: startIndex + Buffer.byteLength(said), text: said }
    return [{ segment, groundingChunkIndices: [pages.findIndex((page) => page.url === url)] }]
  })
  return {
    groundingChunks: pages.map(({ url, title }) => ({ web: { uri: url, ...(title !== undefined && { title }) } })),
    groundingSupports: supports,
  }
}
