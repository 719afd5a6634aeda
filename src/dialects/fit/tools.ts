/** Tools, and the choice among them, as a service takes them. */

import type { ChatRequest, DialectId, Message, Part, Tool, ToolChoice } from '../../domain/chat.ts'
import { acceptsSchema } from '../anthropic/schema.ts'
import type { AnswerChanges } from './answerChanges.ts'
import { type ArgumentNames, argumentNames } from './argumentNames.ts'
import { functionFor, inputAsArguments } from './customTool.ts'
import { withoutHiddenTools } from './deferredTools.ts'
import type { LeftOut } from './leftOut.ts'
import { objectSchema } from './objectSchema.ts'
import { tellsOfCalls } from './pairing.ts'
import type { Recipient } from './recipient.ts'
import { isStrictSchema } from './strictSchema.ts'
import { ToolNames } from './toolNames.ts'
import { validSchema } from './validSchema.ts'

interface FittedTools {
  readonly request: ChatRequest
  readonly answer: AnswerChanges
}

export function fitTools(given: ChatRequest, recipient: Recipient, leftOut: LeftOut): FittedTools {
  if (isWithoutTools(given)) return { request: withoutChoice(given), answer: NO_CHANGES }
  const request = withoutHiddenTools(given, recipient.dialect, leftOut)
  const offered = offeredTools(request)
  const names = new ToolNames(request.tools ?? [], recipient.dialect, recipient.wire)
  const custom = takesCustomTools(recipient) ? [] : offered.filter((tool) => tool.custom !== undefined)
  const fittedTools = offered.map((tool) => fitTool(tool, names, recipient))
  const renamed = new Map(
    offered.flatMap(({ name }, index) => {
      const found = argumentNames(fittedTools[index]?.parameters, recipient.dialect)
      return found === null ? [] : [[name, found] as const]
    }),
  )
  const tools = fittedTools.map((tool, index) => withNames(tool, renamed.get(offered[index]?.name ?? '')))
  const fitted = {
    ...request,
    tools: tools.length > 0 ? tools : undefined,
    allowedTools: undefined,
    messages: mapCalls(inNames(request.messages, renamed), names, !takesCustomTools(recipient)),
    ...fitChoice(request, tools.length > 0, names, recipient, leftOut),
  }
  return {
    request: unthinking(fitted, recipient, leftOut),
    answer: {
      ...(names.back.size > 0 && { toolNames: names.back }),
      ...(renamed.size > 0 && { argumentNames: renamed }),
      ...(custom.length > 0 && { customTools: new Set(custom.map((tool) => tool.name)) }),
    },
  }
}

const NO_CHANGES: AnswerChanges = {}

/** Neither offers tools nor tells of calls, as most requests. */
function isWithoutTools({ tools, messages }: ChatRequest): boolean {
  return tools === undefined && !messages.some(tellsOfCalls)
}

/** A choice is refused where there is nothing to choose from. */
function withoutChoice(request: ChatRequest): ChatRequest {
  const { toolChoice, parallelToolCalls, allowedTools } = request
  if (toolChoice === undefined && parallelToolCalls === undefined && allowedTools === undefined) return request
  return { ...request, toolChoice: undefined, parallelToolCalls: undefined, allowedTools: undefined }
}

function withNames(tool: Tool, names: ArgumentNames | undefined): Tool {
  return names === undefined ? tool : { ...tool, parameters: names.schema }
}

/** The calls of the history in the service's names of their arguments. */
function inNames(messages: readonly Message[], renamed: ReadonlyMap<string, ArgumentNames>): readonly Message[] {
  if (renamed.size === 0) return messages
  const mapPart = (part: Part): Part => {
    const names = part.type === 'tool-call' && !part.custom ? renamed.get(part.name) : undefined
    return part.type !== 'tool-call' || names === undefined ? part : { ...part, arguments: names.there(part.arguments) }
  }
  return messages.map((message) => ({ ...message, content: message.content.map(mapPart) }))
}

/**
 * Only the names of arguments, for a service of the client's own dialect. `schemas` beside the tools that the client's
 * dialect keeps for itself are the caller's matter.
 */
export function fitArgumentNames(
  request: ChatRequest,
  dialect: DialectId,
): { readonly request: ChatRequest; readonly renamed: ReadonlyMap<string, ArgumentNames> } {
  const renamed = new Map<string, ArgumentNames>()
  const tools = request.tools?.map((tool) => {
    const names = argumentNames(tool.parameters, dialect)
    if (names !== null) renamed.set(tool.name, names)
    return withNames(tool, names ?? undefined)
  })
  if (renamed.size === 0) return { request, renamed }
  return { request: { ...request, tools, messages: inNames(request.messages, renamed) }, renamed }
}

/** Only the names of tools, for a service of the client's own dialect; and those names back. */
export function fitToolNames(
  request: ChatRequest,
  { dialect, wire }: Recipient,
): { readonly request: ChatRequest; readonly back: ReadonlyMap<string, string> } {
  const names = new ToolNames(request.tools ?? [], dialect, wire)
  // Beside tools that run at the provider the dialect keeps the whole list in its own words.
  if (names.back.size === 0 || request.extra?.fields['tools'] !== undefined) return { request, back: new Map() }
  const { tools, toolChoice, allowedTools } = request
  const renamed = {
    ...request,
    tools: tools?.map((tool) => ({ ...tool, name: names.of(tool.name) })),
    toolChoice: typeof toolChoice === 'object' ? { name: names.of(toolChoice.name) } : toolChoice,
    allowedTools: allowedTools?.map((name) => names.of(name)),
    messages: mapCalls(request.messages, names, false),
  }
  return { request: renamed, back: names.back }
}

/** Those that may be called, each name once: twice the same name is refused. */
function offeredTools({ tools = [], allowedTools }: ChatRequest): readonly Tool[] {
  const seen = new Set<string>()
  return tools.filter(({ name }) => {
    if (seen.has(name) || allowedTools?.includes(name) === false) return false
    seen.add(name)
    return true
  })
}

function takesCustomTools({ dialect, wire }: Pick<Recipient, 'dialect' | 'wire'>): boolean {
  return wire.customTools ?? dialect === 'openai-responses'
}

function fitTool(tool: Tool, names: ToolNames, recipient: Recipient): Tool {
  const name = names.of(tool.name)
  if (tool.custom !== undefined) {
    return takesCustomTools(recipient) ? { ...tool, name } : { ...functionFor(tool), name }
  }
  const parameters = tool.parameters && schemaFor(tool.parameters, recipient.dialect)
  return { ...tool, name, parameters, strict: fitStrict(tool, parameters, recipient.dialect) }
}

/** Gemini takes alternatives at the top, and its writer leaves out what has no properties. */
function schemaFor(schema: NonNullable<Tool['parameters']>, dialect: DialectId): NonNullable<Tool['parameters']> {
  const valid = validSchema(schema)
  return dialect === 'google' ? valid : objectSchema(valid)
}

/** Calls are held to a schema only where an answer could be held to it; others are refused. */
function fitStrict({ strict }: Tool, parameters: Tool['parameters'], dialect: DialectId): boolean | undefined {
  if (!strict || dialect === 'google') return strict
  if (dialect === 'anthropic') return parameters !== undefined && acceptsSchema(parameters) ? strict : undefined
  return parameters !== undefined && isStrictSchema(parameters) ? strict : false
}

function fitChoice(
  { toolChoice, parallelToolCalls }: ChatRequest,
  hasTools: boolean,
  names: ToolNames,
  { wire }: Recipient,
  leftOut: LeftOut,
): Pick<ChatRequest, 'toolChoice' | 'parallelToolCalls'> {
  if (!hasTools) return { toolChoice: undefined, parallelToolCalls: undefined }
  if (wire.forcesTools === false && forcesTool(toolChoice)) {
    leftOut.add('tool_choice')
    return { toolChoice: undefined, parallelToolCalls }
  }
  const named = typeof toolChoice === 'object' ? { name: names.of(toolChoice.name) } : toolChoice
  return { toolChoice: named, parallelToolCalls }
}

export function forcesTool(choice: ToolChoice | undefined): boolean {
  return choice === 'required' || typeof choice === 'object'
}

/** Claude refuses to think where a tool is forced: https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
function unthinking(request: ChatRequest, { dialect, wire }: Recipient, leftOut: LeftOut): ChatRequest {
  const { reasoning } = request
  const isRefused = dialect === 'anthropic' || wire.forcesToolsThinking === false
  if (!isRefused || !forcesTool(request.toolChoice)) return request
  if (reasoning !== undefined && reasoning.effort !== 'none') leftOut.add('reasoning')
  const isOffByDefault = dialect === 'anthropic' && wire.thinking !== 'effort'
  return { ...request, reasoning: isOffByDefault ? undefined : { effort: 'none' } }
}

function mapCalls(messages: readonly Message[], names: ToolNames, asFunctions: boolean): readonly Message[] {
  const mapPart = (part: Part): Part => {
    if (part.type === 'tool-result') return part.name === undefined ? part : { ...part, name: names.of(part.name) }
    if (part.type !== 'tool-call') return part
    const call = part.custom && asFunctions ? inputAsArguments(part) : part
    return { ...call, name: names.of(part.name) }
  }
  return messages.map((message) => ({ ...message, content: message.content.map(mapPart) }))
}
