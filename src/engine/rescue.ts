/**
 * What may still be done once the first content has reached the client: with `streaming.rescue: "text"`, and for plain
 * text only, another target continues where the first broke off. Everything else ends with the protocol's error.
 */

import type { ChatChunk, ChatRequest, ChatResponse, Usage } from '../domain/chat.ts'
import { KeywiseError } from '../domain/errors.ts'
import type { Target } from '../domain/target.ts'
import type { CallEnd } from '../upstream/call.ts'
import { Trail } from './attempt/trail.ts'
import { type Answered, cascade } from './cascade.ts'
import type { Engine } from './engine.ts'
import { answersOf, mostTokensOf } from './request/amounts.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

interface RescueSink {
  /** Separates the output of one target from the next. */
  seam(target: Target): void
  /** Returns false to pause. */
  onChunks(chunks: readonly ChatChunk[]): boolean
  waitForDrain(): Promise<void>
}

/** Only plain text is requested: no tools, no format, one answer. */
export function mayRescue(engine: Engine, pending: PendingRequest): boolean {
  if (engine.registry.config.settings.streaming.rescue !== 'text' || !pending.request.stream) return false
  const { tools, responseFormat, reasoning } = pending.request
  if ((tools?.length ?? 0) > 0 || reasoning !== undefined) return false
  return (responseFormat?.type ?? 'text') === 'text' && answersOf(pending.request) === 1
}

/** Continues a broken-off answer, as often as another target is left. Returns how it finally ended. */
export async function rescue(engine: Engine, broken: Answered, end: CallEnd, sink: RescueSink): Promise<CallEnd> {
  const { pending } = broken
  const trail = new Trail(pending)
  let last = { answered: broken, end }
  let said = textOf(end.partial)
  let spent: Usage | null = null
  while (mayGoOn(pending, last.end, said)) {
    trail.leave(last.answered.winner.target.stateId)
    spent = added(spent, (await last.answered.recorded).usage)
    const answered = await another(engine, pending, said, trail)
    if (answered === null) break
    sink.seam(answered.winner.target)
    const seam = new Seam(said, spent)
    last = { answered, end: await pump(answered, seam, sink) }
    said += seam.passedOn
  }
  await last.answered.recorded
  return last.end
}

/** Tool calls, pictures, and an answer whose finish reason was already sent, cannot be continued. */
function mayGoOn(pending: PendingRequest, { outcome, partial }: CallEnd, said: string): boolean {
  if (outcome.ok || pending.cancellation.cancelled || said === '' || partial === null) return false
  return (
    partial.finishReason === 'other' &&
    partial.opaque !== true &&
    partial.content.every((part) => part.type === 'text' || part.type === 'reasoning')
  )
}

/** The next target to continue with; null when there is none. */
async function another(engine: Engine, pending: PendingRequest, said: string, trail: Trail): Promise<Answered | null> {
  const deadlineAt = engine.tools.monotonic() + engine.registry.config.settings.timeouts.totalMs
  const request = continued(pending.whole(), said)
  try {
    const answered = await cascade(
      engine,
      { ...pending, ...rewritten(request, pending), wire: null, deadlineAt },
      trail,
    )
    // One that was blocked or holds nothing continues nothing.
    return answered.report?.ok === false ? null : answered
  } catch (error) {
    if (error instanceof KeywiseError) return null
    throw error
  }
}

function rewritten(
  request: ChatRequest,
  before: PendingRequest,
): Pick<PendingRequest, 'request' | 'whole' | 'mostInputTokens' | 'holdNeeds'> {
  // Without budgets the tokens were not counted.
  const mostInputTokens = before.mostInputTokens === 0 ? 0 : mostTokensOf(request)
  // It is longer than the request was: what is put aside for it is computed anew.
  return { request, whole: () => request, mostInputTokens, holdNeeds: new Map() }
}

function pump({ call }: Answered, seam: Seam, sink: RescueSink): Promise<CallEnd> {
  return new Promise((resolve) => {
    call.attach({
      onChunks: (chunks) => {
        const wantsMore = sink.onChunks(seam.join(chunks))
        if (!wantsMore) void sink.waitForDrain().then(() => call.resume())
        return wantsMore
      },
      onEnd: resolve,
    })
  })
}

const CONTINUE =
  'Your answer above was cut off. Go on exactly where it stopped, from the next character; repeat nothing and add no introduction.'

/** The conversation with the text so far and a request to continue; models without prefill understand it too. */
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

function added(one: Usage | null, other: Usage | null): Usage | null {
  if (one === null || other === null) return one ?? other
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    totalTokens: one.totalTokens + other.totalTokens,
    estimated: one.estimated || other.estimated,
  }
}

/** Maximum overlap, in characters, looked for between the old text and the new. */
const LOOK = 400
const LEAST_OVERLAP = 8

/** Joins the new text to the old: drops what is repeated, and adds up both usages. */
export class Seam {
  readonly #said: string
  readonly #tail: string
  readonly #spent: Usage | null
  /** New text that may still turn out to be a repetition; null once decided. */
  #head: string | null = ''
  #passedOn = ''

  constructor(said: string, spent: Usage | null = null) {
    this.#said = said
    this.#tail = said.slice(-LOOK)
    this.#spent = spent
  }

  /** The text that is new. */
  get passedOn(): string {
    return this.#passedOn
  }

  join(chunks: readonly ChatChunk[]): readonly ChatChunk[] {
    return chunks.flatMap((chunk): readonly ChatChunk[] => {
      // Only the first chunk of a stream may name the model.
      if (chunk.type === 'start' || chunk.type === 'reasoning-delta') return []
      if (chunk.type === 'text-delta') return this.#text(chunk.text)
      return [...this.#release(), chunk.type === 'usage' ? this.#usage(chunk) : chunk]
    })
  }

  #usage(chunk: Extract<ChatChunk, { type: 'usage' }>): ChatChunk {
    return { type: 'usage', usage: added(chunk.usage, this.#spent) ?? chunk.usage }
  }

  #text(text: string): readonly ChatChunk[] {
    if (this.#head === null) return this.#pass(text)
    this.#head += text
    return this.#isUndecided(this.#head) ? [] : this.#release()
  }

  /** Whether it may still repeat the answer from its beginning, or a piece of its end. */
  #isUndecided(head: string): boolean {
    if (head.length < this.#said.length && this.#said.startsWith(head)) return true
    return head.length < LOOK && this.#tail.includes(head)
  }

  #release(): readonly ChatChunk[] {
    const head = this.#head
    if (head === null) return []
    this.#head = null
    return this.#pass(head.slice(this.#repeated(head)))
  }

  /** How many characters at the beginning of `head` are repeated. */
  #repeated(head: string): number {
    if (head.length >= LEAST_OVERLAP && this.#said.startsWith(head)) return head.length
    if (this.#said.length >= LEAST_OVERLAP && head.startsWith(this.#said)) return this.#said.length
    return overlapOf(this.#tail, head)
  }

  #pass(text: string): readonly ChatChunk[] {
    this.#passedOn += text
    return text === '' ? [] : [{ type: 'text-delta', text }]
  }
}

/** Length of the longest prefix of `head` that is a suffix of `tail`; short overlaps are chance. */
function overlapOf(tail: string, head: string): number {
  for (let length = Math.min(tail.length, head.length); length >= LEAST_OVERLAP; length--) {
    if (tail.endsWith(head.slice(0, length))) return length
  }
  return 0
}
