/**
 * What may be done after the first content reached the client: with `streaming.rescue: "text"`, and for plain text only,
 * another target goes on where the first broke off. Everything else ends with the protocol's error.
 */

import type { ChatChunk, ChatRequest, ChatResponse } from '../domain/chat.ts'
import { KeywiseError } from '../domain/errors.ts'
import type { Target } from '../domain/target.ts'
import type { CallEnd } from '../upstream/call.ts'
import { mostTokensOf } from './amounts.ts'
import { type Ask, Cancellation } from './ask.ts'
import type { Engine } from './engine.ts'
import { cascade } from './fallback.ts'

export interface RescueSink {
  /** Marks where one target ends and the next begins. */
  seam(target: Target): void
  /** False asks for a pause. */
  onChunks(chunks: readonly ChatChunk[]): boolean
  waitForDrain(): Promise<void>
}

/** Text was asked for and nothing else: no tools, no format, one answer. */
export function mayRescue(engine: Engine, ask: Ask): boolean {
  if (engine.roster.config.settings.streaming.rescue !== 'text' || !ask.request.stream) return false
  const { tools, responseFormat, reasoning } = ask.request
  return (tools?.length ?? 0) === 0 && (responseFormat?.type ?? 'text') === 'text' && reasoning === undefined
}

/** Goes on with a broken-off answer. Returns how it ended: `end` itself when nobody could go on. */
export async function rescue(engine: Engine, ask: Ask, end: CallEnd, sink: RescueSink): Promise<CallEnd> {
  const said = textOf(end.partial)
  if (end.outcome.ok || said === '' || hasCalls(end.partial)) return end
  const again: Ask = {
    ...ask,
    ...rewritten(continued(ask.whole(), said), ask),
    wire: null,
    cancellation: ask.cancellation.cancelled ? new Cancellation() : ask.cancellation,
  }
  try {
    const answered = await cascade(engine, again)
    sink.seam(answered.winner.target)
    const overlap = new Overlap(said)
    return await new Promise<CallEnd>((resolve) => {
      answered.call.attach({
        onChunks: (chunks) => {
          const wantsMore = sink.onChunks(overlap.trim(chunks))
          if (!wantsMore) void sink.waitForDrain().then(() => answered.call.resume())
          return wantsMore
        },
        onEnd: (last) => resolve(last),
      })
    })
  } catch (error) {
    if (error instanceof KeywiseError) return end
    throw error
  }
}

function rewritten(request: ChatRequest, { mostInputTokens }: Ask): Pick<Ask, 'request' | 'whole' | 'mostInputTokens'> {
  // Where no budget asks, nobody has counted.
  return { request, whole: () => request, mostInputTokens: mostInputTokens === 0 ? 0 : mostTokensOf(request) }
}

const CONTINUE =
  'Your answer above was cut off. Go on exactly where it stopped, from the next character; repeat nothing and add no introduction.'

/** The conversation with what was said so far, and the wish to go on; models without prefill understand it too. */
function continued(request: ChatRequest, said: string): ChatRequest {
  const messages = [
    ...request.messages,
    { role: 'assistant', content: [{ type: 'text', text: said }] } as const,
    { role: 'user', content: [{ type: 'text', text: CONTINUE }] } as const,
  ]
  const left =
    request.maxTokens === undefined ? undefined : Math.max(16, request.maxTokens - Math.ceil(said.length / 4))
  return { ...request, messages, ...(left !== undefined && { maxTokens: left }) }
}

function textOf(partial: ChatResponse | null): string {
  return (partial?.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function hasCalls(partial: ChatResponse | null): boolean {
  return (partial?.content ?? []).some((part) => part.type === 'tool-call')
}

/** How much of the end of what was said is looked for at the beginning of what comes. */
const LOOK = 400
const LEAST_OVERLAP = 8

/** Leaves out what the second target says again, and what only the first chunk of a stream may say. */
export class Overlap {
  readonly #tail: string
  #head: string | null = ''

  constructor(said: string) {
    this.#tail = said.slice(-LOOK)
  }

  trim(chunks: readonly ChatChunk[]): readonly ChatChunk[] {
    return chunks.flatMap((chunk): readonly ChatChunk[] => {
      if (chunk.type === 'start' || chunk.type === 'reasoning-delta') return []
      if (chunk.type !== 'text-delta') return this.#head === null ? [chunk] : [...this.#release(), chunk]
      return this.#text(chunk.text)
    })
  }

  #text(text: string): readonly ChatChunk[] {
    if (this.#head === null) return [{ type: 'text-delta', text }]
    this.#head += text
    // Enough has come to see whether it repeats the end of what was said.
    return this.#head.length < LOOK && this.#mayRepeat(this.#head) ? [] : this.#release()
  }

  #mayRepeat(head: string): boolean {
    return this.#tail.includes(head)
  }

  #release(): readonly ChatChunk[] {
    const head = this.#head ?? ''
    this.#head = null
    const text = head.slice(overlapOf(this.#tail, head))
    return text === '' ? [] : [{ type: 'text-delta', text }]
  }
}

/** Length of the longest beginning of `head` that is an end of `tail`; short ones are chance. */
function overlapOf(tail: string, head: string): number {
  for (let length = Math.min(tail.length, head.length); length >= LEAST_OVERLAP; length--) {
    if (tail.endsWith(head.slice(0, length))) return length
  }
  return 0
}
