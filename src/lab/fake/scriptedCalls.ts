/** The tool calls that a scenario writes down for a simulated model, turn by turn, of the tools it is offered. */

import type { ChatRequest, Tool, ToolCallPart } from '../../domain/chat.ts'
import type { FakeModel } from './scenario.ts'

type Call = NonNullable<FakeModel['calls']>[number]
/** Ids are given to the calls of an answer when it is made. */
export type UnnamedCall = Omit<ToolCallPart, 'id'>

/** Undefined where the scenario says nothing of calls. */
export function scriptedCalls(request: ChatRequest, model: FakeModel): UnnamedCall[] | undefined {
  const { calls, steps, turns } = model
  if (steps !== undefined) return nextStep(request, steps, model)
  if (turns !== undefined) return nextTurn(request, turns, ownTurns(request))
  if (calls === undefined) return undefined
  return countResults(request) > 0 ? [] : nextTurn(request, [calls], 0)
}

/** How many steps the models that count them have taken. */
const COUNTED = new WeakMap<FakeModel, number>()

function nextStep(request: ChatRequest, steps: readonly (readonly Call[])[], model: FakeModel): UnnamedCall[] {
  const taken = model.counts_steps ? (COUNTED.get(model) ?? 0) : stepsIn(request, steps)
  const call = steps[taken]?.find((one) => offeredTool(request, one) !== undefined)
  if (call === undefined) return []
  COUNTED.set(model, taken + 1)
  return [writtenCall(request, call)]
}

/** Steps that were taken are counted by their calls in the conversation. */
function stepsIn({ messages }: ChatRequest, steps: readonly (readonly Call[])[]): number {
  const names = new Set(steps.flat().map(({ tool }) => tool))
  const parts = messages.flatMap(({ content }) => content)
  return parts.filter((part) => part.type === 'tool-call' && names.has(part.name)).length
}

/** The calls of the first turn that has no results yet, of those after `spoken`; none when all turns are done. */
function nextTurn(request: ChatRequest, all: readonly (readonly Call[])[], spoken: number): UnnamedCall[] {
  const turns = all
    .map((turn) => turn.filter((call) => offeredTool(request, call) !== undefined))
    .filter((turn) => turn.length > 0)
  const given = countResults(request)
  let before = 0
  for (const turn of turns.slice(spoken)) {
    if (before >= given) return turn.map((call) => writtenCall(request, call))
    before += turn.length
  }
  return []
}

/** Where a client tells of calls and results in words, only the model's own turns can be counted. */
function ownTurns(request: ChatRequest): number {
  if (countResults(request) > 0) return 0
  return request.messages.filter(({ role }) => role === 'assistant').length
}

function countResults({ messages }: ChatRequest): number {
  return messages.flatMap(({ content }) => content).filter(({ type }) => type === 'tool-result').length
}

function offeredTool({ tools = [] }: ChatRequest, { tool }: Call): Tool | undefined {
  return tools.find(({ name }) => name === tool)
}

function writtenCall(request: ChatRequest, call: Call): UnnamedCall {
  const facts = { type: 'tool-call' as const, name: call.tool }
  const { input } = call.arguments
  const written = JSON.stringify(call.arguments)
  if (offeredTool(request, call)?.custom === undefined) return { ...facts, arguments: written }
  // A custom tool is never called as a function.
  return { ...facts, arguments: typeof input === 'string' ? input : written, custom: true }
}
