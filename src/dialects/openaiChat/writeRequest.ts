/** A chat completion request, as it goes to an upstream. */

import type { ChatRequest, FilePart, ImagePart, Message, Part, Tool, ToolResultPart } from '../../domain/chat.ts'
import { asArray, asRecord, isEmpty } from '../../domain/json.ts'
import { type ModelWire, NOTHING_KNOWN } from '../../domain/wireFacts.ts'
import { type Fields, ownFields } from '../fields/requestFields.ts'
import { asSpelled } from '../fields/spelledNumbers.ts'
import { defined, isCustom, writeEffort, writeFunctionTool, writeJsonSchema } from '../openai/fields.ts'
import { writeImage } from './answerMedia.ts'
import { besideFunction, insideFunction } from './besideFunction.ts'
import { writePastCall, writeReasoning } from './message.ts'
import { joinText, writeContent } from './parts.ts'
import { OTHER_FORMS } from './reasoningForms.ts'

/** Usage is always asked for; fields that only an OpenAI client can have sent come back in. */
export function writeChatRequest(
  request: ChatRequest,
  model: string,
  wire: ModelWire = NOTHING_KNOWN,
): Record<string, unknown> {
  const own = ownFields(request.extra, 'openai')
  const { maxTokensField = 'max_tokens' } = wire
  const switchedOff = request.reasoning?.effort === 'none' ? wire.noThinking : undefined
  const fields = {
    model,
    messages: writeMessages(request.messages, wire),
    tools: writeTools(request, own),
    tool_choice: own['tool_choice'] ?? writeToolChoice(request),
    parallel_tool_calls: request.parallelToolCalls,
    response_format: writeResponseFormat(request) ?? own['response_format'],
    // Each by its name: V8 makes objects with computed names far more slowly.
    max_tokens: maxTokensField === 'max_tokens' ? asSpelled(request, 'maxTokens') : undefined,
    max_completion_tokens: maxTokensField === 'max_completion_tokens' ? asSpelled(request, 'maxTokens') : undefined,
    temperature: asSpelled(request, 'temperature'),
    top_p: asSpelled(request, 'topP'),
    top_k: asSpelled(request, 'topK'),
    stop: request.stop,
    seed: asSpelled(request, 'seed'),
    frequency_penalty: asSpelled(request, 'frequencyPenalty'),
    presence_penalty: asSpelled(request, 'presencePenalty'),
    reasoning_effort: switchedOff ? undefined : writeThinking(request, own),
    user: request.user,
    stream: request.stream,
    stream_options: request.stream ? { ...asRecord(own['stream_options']), include_usage: true } : undefined,
  }
  const written = defined(withRareFields(fields, request, own))
  return switchedOff === undefined ? written : { ...written, ...switchedOff }
}

/** Joined only where there are any: V8 copies objects far more slowly than it makes them field by field. */
function withRareFields(fields: Fields, { answers, logprobs, shared }: ChatRequest, own: Fields): Fields {
  if (answers === undefined && logprobs === undefined && shared === undefined && isEmpty(own)) return fields
  return {
    n: answers,
    logprobs: logprobs && true,
    top_logprobs: logprobs?.top || undefined,
    ...shared,
    ...own,
    ...fields,
  }
}

function writeThinking({ reasoning }: ChatRequest, own: Fields): unknown {
  // Said in a form of its own, and twice is refused; unless it was taken back since.
  const isSaid = OTHER_FORMS.some((name) => own[name] != null) && own['reasoning_effort'] === undefined
  if (isSaid && reasoning?.effort !== 'none') return undefined
  return writeEffort(reasoning?.effort) ?? own['reasoning_effort']
}

function writeMessages(messages: readonly Message[], wire: ModelWire): Fields[] {
  const written: Fields[] = []
  let held: (ImagePart | FilePart)[] = []
  for (const message of messages) {
    const results = message.content.filter((part) => part.type === 'tool-result')
    // Tool messages carry text only, and nothing may stand between them; what they show follows as the user's.
    for (const result of results) {
      written.push(writeToolResult(result))
      for (const part of result.content) if (part.type !== 'text') held.push(part)
    }
    if (results.length > 0 && results.length === message.content.length) continue
    held = flush(held, written)
    written.push(writeMessage(message, wire))
  }
  flush(held, written)
  return written
}

function flush(held: (ImagePart | FilePart)[], written: Fields[]): (ImagePart | FilePart)[] {
  if (held.length === 0) return held
  written.push({ role: 'user', content: writeContent(held, '\n\n') })
  return []
}

function writeToolResult(result: ToolResultPart): Fields {
  return { role: 'tool', tool_call_id: result.toolCallId, content: joinText(result.content, '\n') }
}

function writeMessage(message: Message, wire: ModelWire): Fields {
  const rest = { ...(message.name !== undefined && { name: message.name }), ...ownFields(message.extra, 'openai') }
  if (message.role === 'assistant') return { role: 'assistant', ...writeAssistant(message.content, wire), ...rest }
  const role = message.role === 'tool' ? 'user' : message.role
  return { role, content: writeContent(withoutResults(message.content), '\n\n'), ...rest }
}

const withoutResults = (parts: readonly Part[]) => parts.filter((part) => part.type !== 'tool-result')

function writeAssistant(parts: readonly Part[], wire: ModelWire): Fields {
  const calls = parts.filter((part) => part.type === 'tool-call').map(writePastCall)
  const texts = parts.filter((part) => part.type === 'text')
  const images = parts.filter((part) => part.type === 'image').map(writeImage)
  const content = writeContent(texts, '')
  return {
    content: content.length === 0 && calls.length > 0 ? null : content,
    ...writeReasoning(parts, 'upstream', wire),
    // Only of a client of this dialect; for others they were moved to the user's turn.
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

function writeTools(request: ChatRequest, own: Fields): unknown[] | undefined {
  const tools = [...(request.tools?.map(writeTool) ?? []), ...(asArray(own['tools']) ?? [])]
  return tools.length > 0 ? tools : undefined
}

function writeTool(tool: Tool): Fields {
  if (tool.custom === undefined) {
    const inside = writeFunctionTool(insideFunction(tool), 'openai')
    return { type: 'function', function: inside, ...besideFunction(tool) }
  }
  const { grammar } = tool.custom
  const format = grammar && { type: 'grammar', grammar }
  const { name, description } = tool
  return { type: 'custom', custom: defined({ ...ownFields(tool.extra, 'openai'), name, description, format }) }
}

function writeToolChoice({ toolChoice, tools }: ChatRequest): unknown {
  if (typeof toolChoice !== 'object') return toolChoice
  const { name } = toolChoice
  return isCustom(tools, name) ? { type: 'custom', custom: { name } } : { type: 'function', function: { name } }
}

function writeResponseFormat({ responseFormat }: ChatRequest): unknown {
  switch (responseFormat?.type) {
    case 'text':
      return { type: 'text' }
    case 'json':
      return { type: 'json_object' }
    case 'json-schema':
      return { type: 'json_schema', json_schema: writeJsonSchema(responseFormat) }
    default:
      return undefined
  }
}
