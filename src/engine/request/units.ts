/** How many units a request that is passed through can use at most. */

import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { UnitAbility } from '../../domain/target.ts'
import type { UnitsNeed } from '../../money/unitCosts.ts'

/** More pictures than any service makes at once. */
const MOST_IMAGES = 128
/** Opus, the smallest there is, does not speak with fewer bytes a second: https://www.rfc-editor.org/rfc/rfc6716 (6 kb/s) */
const FEWEST_BYTES_PER_SECOND = 750
/** One search takes so many pieces of documents, and a document is cut into pieces of so many tokens:
 * https://docs.cohere.com/docs/rerank-overview, https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-pricing.md
 * (2026-11-30). A token has a byte at least. */
const PIECES_PER_SEARCH = 100
const TOKENS_PER_PIECE = 500

/** `bytes`: of the whole body; Infinity where a recording is named and not sent. */
export function unitsOf(ability: UnitAbility, fields: Readonly<Record<string, unknown>>, bytes: number): UnitsNeed {
  switch (ability) {
    case 'speech':
      return { characters: [...(asString(fields['input']) ?? '')].length }
    case 'imageGeneration':
    case 'imageEdit':
    case 'imageVariation':
      return { images: picturesIn(fields['n']) }
    case 'transcription':
    case 'translation':
      return { audioSeconds: Math.ceil(bytes / FEWEST_BYTES_PER_SECOND) }
    case 'rerank':
      return { searches: searchesIn(fields, bytes) }
    case 'moderation':
      return {}
  }
}

function picturesIn(value: unknown): number {
  if (value == null) return 1
  const asked = asNumber(value) ?? Number.POSITIVE_INFINITY
  return asked > 0 && asked <= MOST_IMAGES ? Math.ceil(asked) : MOST_IMAGES
}

function searchesIn(fields: Readonly<Record<string, unknown>>, bytes: number): number {
  const documents = asArray(fields['documents'])?.length ?? Object.keys(asRecord(fields['documents']) ?? {}).length
  return Math.max(1, Math.ceil((documents + Math.ceil(bytes / TOKENS_PER_PIECE)) / PIECES_PER_SEARCH))
}
