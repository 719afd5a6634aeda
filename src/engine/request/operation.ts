/** What is asked of an upstream in the place of a chat: embeddings, and whatever is passed through. */

import type { Dialect } from '../../dialects/dialect.ts'
import type { OperationName } from '../../domain/attempt.ts'
import type { BodySource } from '../../domain/bodySource.ts'
import type { ChatRequest, ChatResponse, DialectId } from '../../domain/chat.ts'
import type { UnitsNeed } from '../../money/unitCosts.ts'
import type { ProviderSpec } from '../../providers/provider.ts'

interface WrittenOperation {
  readonly path: string
  readonly body: string | Buffer | BodySource
  readonly contentType: string
}

export interface Operation {
  /** As events and telemetry name it. */
  readonly name: OperationName
  /** How it is requested from an upstream of that dialect; null when it has none. */
  dialectFor(dialect: DialectId): Dialect | null
  /** The calls that make one attempt, because the provider takes no more at once. */
  partsFor(spec: ProviderSpec): readonly ChatRequest[]
  /** What it asks for at most, where that is counted in units rather than in tokens. */
  readonly units?: UnitsNeed
  /** The client's own body for a model of that provider; absent where the dialect writes the request. */
  readonly write?: (model: string, spec: ProviderSpec) => WrittenOperation
  /** One answer of the answers to those calls; null when they are not what was asked for. */
  join(answers: readonly ChatResponse[], parts: readonly ChatRequest[]): ChatResponse | null
}
