/** Embeddings: a request of more texts than a provider takes at once is sent in parts, which are one attempt. */

import { joinVectors } from '../../dialects/embeddings/answer.ts'
import { inputsOf, tokensIn, withInputs } from '../../dialects/embeddings/inputs.ts'
import { embeddingsFor } from '../../dialects/embeddings/upstream.ts'
import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import type { EmbeddingsBatch, ProviderSpec } from '../../providers/provider.ts'
import type { Operation } from './operation.ts'

/** Where nothing else is known of a server, what the protocol's own takes. */
const USUAL_BATCH: { readonly [D in DialectId]: EmbeddingsBatch } = {
  // https://platform.openai.com/docs/api-reference/embeddings/create (2026-11-29)
  openai: { inputs: 2048, tokens: 300_000 },
  'openai-responses': { inputs: 2048, tokens: 300_000 },
  anthropic: { inputs: Number.POSITIVE_INFINITY },
  // https://github.com/geldata/gel/issues/9032 (2026-11-29): "at most 100 requests can be in one batch"
  google: { inputs: 100 },
}

export function embeddingsOperation(request: ChatRequest): Operation {
  const known = new Map<EmbeddingsBatch, readonly ChatRequest[]>()
  return {
    name: 'embeddings',
    dialectFor: embeddingsFor,
    partsFor({ embeddingsBatch, dialect }: ProviderSpec) {
      const batch = embeddingsBatch ?? USUAL_BATCH[dialect]
      const parts = known.get(batch) ?? split(request, batch)
      known.set(batch, parts)
      return parts
    },
    join: (answers, parts) =>
      joinVectors(
        answers,
        parts.map((part) => inputsOf(part).length),
      ),
  }
}

function split(request: ChatRequest, { inputs: most, tokens: mostTokens = Number.POSITIVE_INFINITY }: EmbeddingsBatch) {
  const parts: unknown[][] = []
  let tokens = Number.POSITIVE_INFINITY
  for (const input of inputsOf(request)) {
    const more = tokensIn(input)
    const part = parts.at(-1)
    if (part === undefined || part.length >= most || tokens + more > mostTokens) {
      parts.push([input])
      tokens = more
    } else {
      part.push(input)
      tokens += more
    }
  }
  return parts.length <= 1 ? [request] : parts.map((part) => withInputs(request, part))
}
