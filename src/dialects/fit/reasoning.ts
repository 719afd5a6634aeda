/** How much the model is to think, in the form that its generation takes. */

import type { ChatRequest, Message, ReasoningEffort, ReasoningOptions } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import { ownSignature } from '../fields/signature.ts'
import type { LeftOut } from './leftOut.ts'
import { EFFORTS, nearestEffort } from './nearestEffort.ts'
import type { Recipient } from './recipient.ts'
import { forcesTool } from './tools.ts'

/** Google's own translation of an effort: https://ai.google.dev/gemini-api/docs/openai#thinking */
const TOKENS: { readonly [E in ReasoningEffort]: number } = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 65_536,
}

export function fitReasoning(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  const { reasoning } = request
  if (recipient.reasons === false) return unreasoning(request, leftOut)
  if (cannotThink(request, recipient)) return unthinking(request, leftOut)
  if (recipient.wire.demandsThoughts && lacksThoughts(request)) return { ...request, reasoning: { effort: 'none' } }
  if (reasoning === undefined) return request
  const fitted = fittedTo(reasoning, recipient)
  if (fitted === undefined && asksForThoughts(reasoning)) leftOut.add('reasoning')
  return { ...request, reasoning: fitted }
}

function unthinking(request: ChatRequest, leftOut: LeftOut): ChatRequest {
  if (request.reasoning !== undefined && asksForThoughts(request.reasoning)) leftOut.add('reasoning')
  return { ...request, reasoning: { effort: 'none' } }
}

/** Nothing is said of it, in no form: some servers refuse even the wish not to. */
function unreasoning(request: ChatRequest, leftOut: LeftOut): ChatRequest {
  const { reasoning, extra } = request
  if (reasoning === undefined) return request
  if (asksForThoughts(reasoning)) leftOut.add('reasoning')
  const { reasoning: _, reasoning_effort: __, thinking: ___, ...fields } = extra?.fields ?? {}
  return { ...request, reasoning: undefined, extra: extra && { ...extra, fields } }
}

/** For a client of the service's own dialect: its wish is changed only where it is known to be refused. */
export function fitOwnReasoning(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  if (recipient.reasons === false) return unreasoning(request, leftOut)
  const { demandsThoughts, forcesToolsThinking } = recipient.wire
  const isRefused =
    cannotThink(request, recipient) ||
    (demandsThoughts === true && lacksThoughts(request)) ||
    (forcesToolsThinking === false && forcesTool(request.toolChoice))
  return isRefused && request.reasoning?.effort !== 'none' ? unthinking(request, leftOut) : request
}

/**
 * For clients of Anthropic and Gemini whose request goes to a model of another generation than they had in mind: the same
 * wish in the form that this one takes. The client's own words are kept wherever they are not known to be refused.
 */
export function fitOwnForm(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  const { reasoning, extra } = request
  if (reasoning === undefined || !isRefusedForm(reasoning, recipient)) return request
  const fitted = fittedTo(reasoning, recipient)
  if (fitted === undefined && asksForThoughts(reasoning)) leftOut.add('thinking')
  // What is kept of the client's words would come before ours.
  const { thinking: _, ...fields } = extra?.fields ?? {}
  return { ...request, reasoning: fitted, extra: extra && { ...extra, fields } }
}

function isRefusedForm({ effort, budgetTokens, adaptive }: ReasoningOptions, { dialect, wire }: Recipient): boolean {
  // Anthropic's effort is also about the answer, and older models may take it.
  const isWord = adaptive === true || (dialect === 'google' && effort !== undefined && effort !== 'none')
  if (dialect.startsWith('openai') || wire.thinking === undefined) return false
  // "Thinking is not enabled for models/gemma-3-27b-it", whatever is said of it.
  if (wire.thinking === 'none') return dialect === 'google' || asksForThoughts({ effort, budgetTokens, adaptive })
  // "Budget 0 is invalid. This model only works in thinking mode."
  if (effort === 'none') return wire.alwaysThinks === true && (dialect === 'anthropic' || wire.thinking === 'budget')
  if (wire.thinking === 'effort') return dialect === 'anthropic' && budgetTokens !== undefined
  const [least, most] = wire.budget ?? [0, Number.POSITIVE_INFINITY]
  const isBeyond = budgetTokens !== undefined && (budgetTokens < least || budgetTokens > most)
  return (wire.thinking === 'budget' && isWord) || (dialect === 'google' && isBeyond)
}

/** The tools matter more than the thoughts. */
function cannotThink({ tools, reasoning }: ChatRequest, { dialect, wire }: Recipient): boolean {
  if (dialect !== 'openai' || wire.toolsBesideThinking !== false || tools === undefined) return false
  return wire.thinksByDefault === true || (reasoning !== undefined && asksForThoughts(reasoning))
}

/**
 * The fitted request, without thinking where it would be refused.
 *
 * "When `thinking` is enabled, a final `assistant` message must start with a thinking block": all steps of the last tool
 * loop are one message to it, and what another service thought is not signed by this one. Better not to think now than
 * to be refused. https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
export function unlessUnsigned(request: ChatRequest, { dialect }: Recipient): ChatRequest {
  const isBudgeted = dialect === 'anthropic' && request.reasoning?.budgetTokens !== undefined
  return isBudgeted && lacksOwnThoughts(request) ? { ...request, reasoning: undefined } : request
}

function lacksOwnThoughts({ messages }: ChatRequest): boolean {
  const first = beginningOfAnswer(messages)?.content.find((part) => part.type !== 'text' || part.text.trim() !== '')
  return first !== undefined && (first.type !== 'reasoning' || ownSignature('anthropic', first) === undefined)
}

/** The first step of the answer that is under way; undefined when the user has the word. */
function beginningOfAnswer(messages: readonly Message[]): Message | undefined {
  let beginning: Message | undefined
  for (const turn of turnsOf(messages).toReversed()) {
    if (turn[0]?.role === 'assistant') beginning = turn[0]
    else if (!turn.some(({ content }) => content.some(({ type }) => type === 'tool-result'))) break
  }
  return beginning
}

/** What stands between two changes of speaker; results and what the user says behind them are one turn. */
function turnsOf(messages: readonly Message[]): readonly (readonly Message[])[] {
  const turns: Message[][] = []
  for (const message of messages) {
    if (message.role === 'system') continue
    const isSame = (turns.at(-1)?.[0]?.role === 'assistant') === (message.role === 'assistant')
    if (turns.length > 0 && isSame) turns.at(-1)?.push(message)
    else turns.push([message])
  }
  return turns
}

/** A tool loop that another service began, and hid its thoughts, or whose client did not keep them. */
function lacksThoughts({ messages }: ChatRequest): boolean {
  return messages.some(
    ({ content }) =>
      content.some(({ type }) => type === 'tool-call') &&
      !content.some((part) => part.type === 'reasoning' && part.text !== ''),
  )
}

const asksForThoughts = ({ effort, budgetTokens, adaptive }: ReasoningOptions) =>
  budgetTokens !== undefined || adaptive === true || (effort !== undefined && effort !== 'none')

function fittedTo(reasoning: ReasoningOptions, { dialect, wire }: Recipient): ReasoningOptions | undefined {
  if (wire.thinking === 'none') return undefined
  const form = wire.thinking ?? (dialect.startsWith('openai') ? 'effort' : 'either')
  if (reasoning.effort === 'none') return off(reasoning, wire, form)
  if (form === 'effort') return byEffort(reasoning, wire)
  return form === 'budget' ? byBudget(reasoning, wire) : either(reasoning, wire)
}

function off({ visible }: ReasoningOptions, wire: ModelWire, form: string): ReasoningOptions {
  const hasWord = wire.noThinking !== undefined || (wire.efforts?.includes('none') ?? true)
  if (!wire.alwaysThinks && hasWord) return { effort: 'none', visible }
  return form === 'budget'
    ? { budgetTokens: wire.budget?.[0] ?? TOKENS.low, visible }
    : byEffort({ effort: 'minimal', visible }, wire)
}

function byEffort({ effort, budgetTokens, adaptive, visible }: ReasoningOptions, wire: ModelWire): ReasoningOptions {
  // Claude decides for itself from a "high" on: https://platform.claude.com/docs/en/build-with-claude/effort
  const asked = effort ?? (budgetTokens === undefined ? adaptive && 'high' : effortOf(budgetTokens))
  return { effort: asked && nearestEffort(asked, wire.efforts ?? EFFORTS), visible, ...(adaptive && { adaptive }) }
}

function byBudget({ effort, budgetTokens, adaptive, visible }: ReasoningOptions, wire: ModelWire): ReasoningOptions {
  const asked = budgetTokens ?? (effort === undefined ? adaptive && TOKENS.high : TOKENS[effort])
  if (asked === undefined) return { visible }
  const [least, most] = wire.budget ?? [1, 2 ** 31 - 1] // an int32 at Gemini, and far above every max_tokens
  return { budgetTokens: Math.min(Math.max(asked, least), most), visible }
}

function either(reasoning: ReasoningOptions, wire: ModelWire): ReasoningOptions {
  if (reasoning.budgetTokens !== undefined) return byBudget(reasoning, wire)
  return wire.efforts === undefined ? reasoning : byEffort(reasoning, wire)
}

/** The effort whose budget is nearest by ratio. */
function effortOf(budgetTokens: number): ReasoningEffort {
  if (budgetTokens < Math.sqrt(TOKENS.low * TOKENS.medium)) return 'low'
  return budgetTokens < Math.sqrt(TOKENS.medium * TOKENS.high) ? 'medium' : 'high'
}
