/** Whether a served id is the model that was asked for, and how exactly. */

/** 0: the id itself; 1: the same id written otherwise; 2: the same model without its vendor, or with one. */
export type Likeness = 0 | 1 | 2

/**
 * Google's APIs put these before an id (https://ai.google.dev/api/models, "name", and
 * https://cloud.google.com/vertex-ai/docs/reference/rest/v1/publishers.models, read 2026-11-29), and clients send them back.
 */
const LIST_PREFIX = /^(?:publishers\/[^/]+\/)?models\//

export const withoutListPrefix = (name: string): string => name.replace(LIST_PREFIX, '')

/**
 * Null for another model. A variant is one: `big:free`, `big:nitro`, `big:thinking`, `big:7b` and `big-2026-01-01` have
 * limits, prices and terms of their own, so none of them stands in for `big`, nor `big` for one of them. Only Ollama's
 * `:latest` says nothing (https://github.com/ollama/ollama/blob/main/docs/api.md#model-names, read 2026-11-29).
 */
export function likenessOf(served: string, asked: string): Likeness | null {
  if (served === asked) return 0
  const [one, other] = [plain(served), plain(asked)]
  if (one === other) return 1
  // Two that both include a vendor are of different vendors.
  if (one.includes('/') && other.includes('/')) return null
  return baseName(one) === baseName(other) ? 2 : null
}

const plain = (id: string) =>
  withoutListPrefix(id)
    .toLowerCase()
    .replace(/:latest$/, '')

export const baseName = (id: string): string => id.slice(id.lastIndexOf('/') + 1)
