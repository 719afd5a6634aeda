/** The callers of a simulated world: what they ask, how they read, when they leave, and what they got. */

import type { AttemptReport } from '../../domain/attempt.ts'
import { KeywiseError } from '../../domain/errors.ts'
import type { APIManager, CallResult } from '../../manager/apiManager.ts'
import type { Draw } from './drawWorld.ts'
import type { MachineProcess } from './eventHeap.ts'
import type { WorldFacts } from './facts.ts'
import type { SimulatedCall } from './simulatedNetwork.ts'

export interface ClientRequest {
  readonly number: number
  readonly process: MachineProcess
  readonly model: string
  readonly stream: boolean
  readonly timeoutMs: number | null
  readonly maxAttempts: number | null
  readonly maxTokens: number
  readonly team: 'a' | 'b'
  readonly session: string | null
  /** Milliseconds after which the caller leaves; null for one who stays. */
  readonly leavesAfterMs: number | null
  /** Milliseconds since the start. */
  readonly at: number
  /** What was sent upstream for it. */
  readonly calls: SimulatedCall[]
  outcome: ClientOutcome | null
}

export type ClientOutcome =
  | {
      readonly kind: 'answer'
      readonly text: string
      readonly attempts: readonly AttemptReport[]
      /** Nothing could be written when it was given. */
      readonly wasDegraded?: boolean
    }
  /** `text`: what of a stream had arrived. */
  | {
      readonly kind: 'error'
      readonly code: string
      readonly message: string
      readonly text: string
      readonly attempts: readonly AttemptReport[]
    }
  /** Its process was killed. */
  | { readonly kind: 'lost' }

export function drawRequest(
  draw: Draw,
  facts: WorldFacts,
  number: number,
  process: MachineProcess,
  at: number,
): ClientRequest {
  return {
    number,
    process,
    at,
    model: draw.one(facts.aliases),
    stream: draw.chance(0.45),
    timeoutMs: draw.chance(facts.hurried) ? draw.int(2_000, 40_000) : null,
    maxAttempts: draw.chance(0.15) ? draw.int(1, 5) : null,
    maxTokens: draw.int(20, 600),
    team: draw.one(['a', 'b']),
    session: draw.chance(0.1) ? `session ${draw.int(1, 5)}` : null,
    leavesAfterMs: draw.chance(facts.leaving) ? draw.gap(1_500) : null,
    calls: [],
    outcome: null,
  }
}

/** Asks and reads to the end. `leaves`: calls back when the caller's time is over. */
export async function ask(
  manager: APIManager,
  request: ClientRequest,
  leaves: (afterMs: number, leave: () => void) => void,
): Promise<ClientOutcome> {
  const leaving = new AbortController()
  if (request.leavesAfterMs !== null) leaves(request.leavesAfterMs, () => leaving.abort())
  const context = {
    prompt: `Simulated request ${request.number}.`,
    model: request.model,
    maxTokens: request.maxTokens,
    labels: { team: request.team },
    signal: leaving.signal,
    ...(request.timeoutMs !== null && { timeoutMs: request.timeoutMs }),
    ...(request.maxAttempts !== null && { maxAttempts: request.maxAttempts }),
    ...(request.session !== null && { sessionId: request.session }),
  }
  const heard: string[] = []
  try {
    const result = request.stream
      ? await read(manager.streamWithFallback(context), heard)
      : await manager.callWithFallback(context)
    return { kind: 'answer', text: request.stream ? heard.join('') : result.content, attempts: result.attempts }
  } catch (error) {
    const isOurs = error instanceof KeywiseError
    return {
      kind: 'error',
      code: isOurs ? error.code : 'UNEXPECTED',
      message: error instanceof Error ? (isOurs ? error.message : `${error.stack}`) : String(error),
      text: heard.join(''),
      attempts: isOurs ? error.attempts : [],
    }
  }
}

/** As a program does: piece by piece, and then the result. Throws when the stream has no end. */
async function read(stream: ReturnType<APIManager['streamWithFallback']>, heard: string[]): Promise<CallResult> {
  let hasEnded = false
  for await (const event of stream) {
    if (event.type === 'text-delta') heard.push(event.text)
    if (event.type === 'end') hasEnded = true
  }
  if (!hasEnded) throw new Error('the stream ended without its end')
  return stream.result
}
