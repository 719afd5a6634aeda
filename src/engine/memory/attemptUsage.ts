/** What an attempt consumed: as reported, as far as that can be believed, else counted from the text and marked. */

import { failureWithoutAnswer } from '../../domain/attempt.ts'
import type { ChatRequest, ChatResponse, Part, Usage } from '../../domain/chat.ts'
import { type Failure, wasCancelled } from '../../domain/failure.ts'
import { partsWithin } from '../../domain/usageParts.ts'
import type { UnitsNeed } from '../../money/unitCosts.ts'
import { soundUsage, type UsageEstimator } from '../../money/usage.ts'
import type { CallEnd } from '../../upstream/call.ts'

/** What the caller's side knows of the prompt. */
export interface Prompt {
  /** Counted from the characters when the request came; images included. */
  readonly inputTokens: number
  readonly request?: () => ChatRequest
  /** What was asked for, where it is counted in units: then no tokens are nothing unusual. */
  readonly units?: UnitsNeed | undefined
}

/**
 * An answer without usage, of whatever worth, is counted from its text; one that broke off, and a call that was cut
 * while it may have been working, are taken to have used what we saw of them, and at least what was reported so far. A
 * refusal used nothing.
 */
export function consumed(end: CallEnd, prompt: Prompt, estimate: UsageEstimator): Usage | null {
  const reported = end.usage === null ? null : soundUsage(end.usage)
  const failure = failureWithoutAnswer(end.outcome)
  const isWhole = failure === null
  if (isWhole && reported !== null && !lacksSide(reported, end.partial, prompt)) return reported
  if (!isWhole && !wasWorking(end, failure)) return reported
  const seen = counted(end.partial, prompt, estimate)
  if (reported === null) return withTold(seen, end)
  return isWhole ? withBothSides(reported, seen) : atLeast(withBothSides(reported, seen), seen)
}

/** Nobody answers nothing, and no answer says nothing: a count of zero was not told. */
function lacksSide({ inputTokens, outputTokens }: Usage, answer: ChatResponse | null, { units }: Prompt): boolean {
  const saysSomething = answer !== null && answer.content.length > 0
  return units === undefined && (inputTokens === 0 || (outputTokens === 0 && saysSomething))
}

/** A count from the text is off by as much, so a zero beside so short a text is no contradiction to correct. */
const SHORT_TEXT_TOKENS = 8

function withBothSides(reported: Usage, seen: Usage): Usage {
  const saysNothing = reported.inputTokens + reported.outputTokens === 0
  const side = (told: number, counted: number) =>
    told > 0 || (counted <= SHORT_TEXT_TOKENS && !saysNothing) ? told : counted
  const inputTokens = side(reported.inputTokens, seen.inputTokens)
  const outputTokens = side(reported.outputTokens, seen.outputTokens)
  return { ...reported, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, estimated: true }
}

function wasWorking(end: CallEnd, failure: Failure): boolean {
  if (end.hadContent || wasCancelled(failure)) return true
  return failure.kind === 'timeout' && failure.phase !== 'connect'
}

/** Providers count a stream's output at its end, so of one that broke off they have told too little (Anthropic: 1). */
function atLeast(reported: Usage, seen: Usage): Usage {
  if (seen.outputTokens <= reported.outputTokens) return reported
  const { inputTokens } = reported
  const { outputTokens } = seen
  return { ...reported, outputTokens, totalTokens: inputTokens + outputTokens, estimated: true }
}

/** Tokens that cannot be believed do not make the cost, the tier and the tools beside them untrue. */
function withTold(usage: Usage, { usage: reported, partial }: CallEnd): Usage {
  const cost = reported?.reportedCostUsd
  const serviceTier = reported?.parts?.serviceTier ?? partial?.serviceTier
  const parts = partsWithin({ ...reported?.parts, ...(serviceTier && { serviceTier }) }, usage)
  return { ...usage, ...(cost !== undefined && { reportedCostUsd: cost }), ...(parts !== undefined && { parts }) }
}

function counted(answer: ChatResponse | null, { inputTokens, request: read }: Prompt, estimate: UsageEstimator): Usage {
  const request = read?.()
  const prompt = request === undefined ? '' : promptText(request)
  const usage = estimate(prompt, (answer?.content ?? []).map(partText).join(''))
  // What has no text (images, vectors' input) was counted when the request came.
  const isAllText = prompt !== '' && request?.messages.every(({ content }) => content.every(hasText)) === true
  const input = isAllText ? usage.inputTokens : Math.max(usage.inputTokens, inputTokens)
  return { ...usage, inputTokens: input, totalTokens: input + usage.outputTokens }
}

function promptText({ messages, tools = [] }: ChatRequest): string {
  const said = messages.map(({ content }) => content.map(partText).join('\n'))
  return [...said, ...tools.map((tool) => JSON.stringify(tool))].join('\n')
}

function partText(part: Part): string {
  if (part.type === 'text' || part.type === 'reasoning') return part.text
  if (part.type === 'tool-call') return part.name + part.arguments
  return part.type === 'tool-result' ? part.content.map(partText).join('\n') : ''
}

function hasText(part: Part): boolean {
  return part.type === 'tool-result' ? part.content.every(hasText) : part.type !== 'image' && part.type !== 'file'
}
