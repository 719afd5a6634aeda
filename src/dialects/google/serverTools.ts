/**
 * Searches that ran at the service, in the sources of an answer: every different query counts, empty ones do not, and
 * places of a map count once: https://ai.google.dev/gemini-api/docs/google-search (2026-11-30)
 */

import { asArray, asRecord } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'
import { field } from './field.ts'

export class ServerToolUses {
  readonly #queries = new Set<string>()
  #hasPlaces = false

  add(candidate: Fields | undefined): void {
    const grounding = asRecord(field(candidate, 'groundingMetadata', 'grounding_metadata'))
    if (grounding === undefined) return
    this.#addQueries(field(grounding, 'webSearchQueries', 'web_search_queries'))
    this.#addQueries(field(grounding, 'imageSearchQueries', 'image_search_queries'))
    const chunks = asArray(field(grounding, 'groundingChunks', 'grounding_chunks')) ?? []
    this.#hasPlaces ||= chunks.some((chunk) => asRecord(chunk)?.['maps'] != null)
  }

  #addQueries(queries: unknown): void {
    for (const query of asArray(queries) ?? []) if (typeof query === 'string' && query !== '') this.#queries.add(query)
  }

  /** Undefined when nothing ran. */
  get counts(): Readonly<Record<string, number>> | undefined {
    if (this.#queries.size === 0 && !this.#hasPlaces) return undefined
    return { web_search: this.#queries.size, ...(this.#hasPlaces && { google_maps: 1 }) }
  }
}
