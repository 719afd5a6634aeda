/** The pages that texts of an answer rest on: https://platform.claude.com/docs/en/build-with-claude/citations */

import type { ChatResponse, Citation } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { ownFields } from '../fields/requestFields.ts'

/** A text block rests as a whole on what it cites. */
interface Place {
  readonly start: number
  readonly end: number
}

export function citationsIn(content: ChatResponse['content']): Citation[] {
  const citations: Citation[] = []
  let start = 0
  for (const part of content) {
    if (part.type !== 'text') continue
    const end = start + part.text.length
    const raws = asArray(ownFields(part.extra, 'anthropic')['citations']) ?? []
    citations.push(...raws.flatMap((raw) => readCitation(raw, { start, end })))
    start = end
  }
  return citations
}

/** None for a place in a document of the caller's own, which has no address. */
export function readCitation(raw: unknown, place: Place): Citation[] {
  const fields = asRecord(raw)
  const url = asString(fields?.['url']) ?? asString(fields?.['source'])
  const title = asString(fields?.['title'])
  if (url === undefined || !/^https?:/.test(url)) return []
  return [{ url, ...(title !== undefined && { title }), ...place }]
}
