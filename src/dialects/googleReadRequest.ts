/** A client's generateContent request: https://ai.google.dev/api/generate-content */

import type { ChatRequest, Extra, Message, Part, Tool, ToolChoice } from '../domain/chat.ts'
import { asArray, asRecord, asString } from '../domain/json.ts'
import { addToExtra, extraOf } from './extra.ts'
import { CallIds } from './googleCallIds.ts'
import { readParts } from './googleContent.ts'
import { bothSpellings, field } from './googleField.ts'
import { configExtra, readConfig } from './googleReadConfig.ts'
import { openApiToJsonSchema } from './googleSchema.ts'
import { needRecord, needText, optionalRecord, optionalString, wrongField } from './requestFields.ts'

type Fields = Record<string, unknown>

const REQUEST = bothSpellings(...['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig'])
const CONTENT = new Set(['role', 'parts'])
const DECLARATION = bothSpellings('name', 'description', 'parameters', 'parametersJsonSchema')

/** Throws InvalidRequestError that names the field. The model is the path's, which may begin with `models/`. */
export function readRequest(body: unknown, path?: { readonly model?: string; readonly stream?: boolean }): ChatRequest {
  const fields = needRecord(body, 'body')
  const toolConfig = optionalRecord(field(fields, 'toolConfig', 'tool_config'), 'toolConfig')
  const config = optionalRecord(field(fields, 'generationConfig', 'generation_config'), 'generationConfig') ?? {}
  return {
    model: needText(path?.model ?? fields['model'], 'model').replace(/^models\//, ''),
    messages: readMessages(fields),
    tools: readTools(fields['tools']),
    toolChoice: readToolChoice(toolConfig),
    ...readConfig(config),
    stream: path?.stream ?? false,
    extra: readExtra(fields, toolConfig, config),
  }
}

function readMessages(fields: Fields): Message[] {
  const ids = new CallIds()
  const messages: Message[] = []
  const system = field(fields, 'systemInstruction', 'system_instruction')
  if (system != null) messages.push(...readContent(system, 'systemInstruction', ids, 'system'))
  const contents = fields['contents']
  const list = asArray(contents) ?? (typeof contents === 'string' || asRecord(contents) ? [contents] : undefined)
  if (!list) throw wrongField('contents', 'an array of contents')
  list.forEach((raw, index) => {
    messages.push(...readContent(raw, `contents[${index}]`, ids))
  })
  return messages
}

/** A content that answers calls becomes a tool message, and what else it says a user message behind it. */
function readContent(raw: unknown, path: string, ids: CallIds, fixed?: 'system'): readonly Message[] {
  const fields: Fields = typeof raw === 'string' ? { parts: [{ text: raw }] } : needRecord(raw, path)
  const role = fixed ?? readRole(fields['role'], `${path}.role`)
  const raws = partsOf(fields['parts'], `${path}.parts`)
  const { parts, unread } = readParts(raws, ids)
  for (const part of unread) checkUnread(part, `${path}.parts[${raws.indexOf(part)}]`)
  const own = extraOf('google', fields, CONTENT)
  const extra = unread.length === 0 ? own : addToExtra('google', own, 'parts', raws)
  if (role !== 'user' || !parts.some(isResult)) return [{ role, content: parts, extra }]
  return splitResults(parts, unread.length === 0 ? own : addToExtra('google', own, 'parts', raws.filter(isNoResult)))
}

function splitResults(parts: readonly Part[], extra: Extra | undefined): readonly Message[] {
  const results: Message = { role: 'tool', content: parts.filter(isResult) }
  const said = parts.filter((part) => !isResult(part))
  if (said.length === 0 && extra?.fields['parts'] === undefined) return [{ ...results, extra }]
  return [results, { role: 'user', content: said, extra }]
}

function isResult(part: Part): boolean {
  return part.type === 'tool-result'
}

function isNoResult(raw: unknown): boolean {
  return field(asRecord(raw), 'functionResponse', 'function_response') === undefined
}

function readRole(raw: unknown, path: string): 'user' | 'assistant' | 'system' {
  if (raw == null || raw === 'user' || raw === 'function' || raw === 'tool') return 'user'
  if (raw === 'model') return 'assistant'
  if (raw === 'system') return 'system'
  throw wrongField(path, '"user" or "model"')
}

function partsOf(raw: unknown, path: string): readonly unknown[] {
  const parts = asArray(raw) ?? (asRecord(raw) ? [raw] : undefined)
  if (!parts) throw wrongField(path, 'an array of parts')
  return parts
}

/** A part that has one of our words and could not be read is a mistake; anything else is news, and kept. */
function checkUnread(raw: unknown, path: string): void {
  const fields = needRecord(raw, path)
  if (fields['text'] !== undefined) throw wrongField(`${path}.text`, 'a string')
  for (const [camel, snake] of [
    ['functionCall', 'function_call'],
    ['functionResponse', 'function_response'],
  ] as const) {
    if (field(fields, camel, snake) !== undefined) throw wrongField(`${path}.${camel}.name`, 'a string')
  }
}

function readTools(raw: unknown): readonly Tool[] | undefined {
  const list = toolList(raw)
  if (!list) return undefined
  return list.flatMap((entry, index) => {
    const declarations = declarationsOf(entry, `tools[${index}]`)
    return declarations?.map((raw, place) => readTool(raw, `tools[${index}].functionDeclarations[${place}]`)) ?? []
  })
}

function toolList(raw: unknown): readonly unknown[] | undefined {
  if (raw == null) return undefined
  const list = asArray(raw) ?? (asRecord(raw) ? [raw] : undefined)
  if (!list) throw wrongField('tools', 'an array')
  return list
}

/** Undefined for tools that run at Google (search, code execution): nobody else could serve them. */
function declarationsOf(entry: unknown, path: string): readonly unknown[] | undefined {
  return asArray(field(needRecord(entry, path), 'functionDeclarations', 'function_declarations'))
}

function readTool(raw: unknown, path: string): Tool {
  const fields = needRecord(raw, path)
  const jsonSchema = field(fields, 'parametersJsonSchema', 'parameters_json_schema')
  const openApi = optionalRecord(fields['parameters'], `${path}.parameters`)
  return {
    name: needText(fields['name'], `${path}.name`),
    description: optionalString(fields['description'], `${path}.description`),
    parameters: optionalRecord(jsonSchema, `${path}.parametersJsonSchema`) ?? (openApi && openApiToJsonSchema(openApi)),
    extra: extraOf('google', fields, DECLARATION),
  }
}

interface Calling {
  readonly mode: string
  readonly names: readonly unknown[]
}

function callingOf(toolConfig: Fields | undefined): Calling | undefined {
  const calling = asRecord(field(toolConfig, 'functionCallingConfig', 'function_calling_config'))
  if (!calling) return undefined
  const names = asArray(field(calling, 'allowedFunctionNames', 'allowed_function_names')) ?? []
  return { mode: (asString(calling['mode']) ?? 'AUTO').toUpperCase(), names }
}

function readToolChoice(toolConfig: Fields | undefined): ToolChoice | undefined {
  const calling = callingOf(toolConfig)
  if (!calling) return undefined
  if (calling.mode === 'NONE') return 'none'
  if (calling.mode !== 'ANY') return 'auto'
  const [name] = calling.names
  return calling.names.length === 1 && typeof name === 'string' ? { name } : 'required'
}

/** Whether `readToolChoice` says all of it: not of VALIDATED, of several allowed names, nor of what stands beside it. */
function isWholeChoice(toolConfig: Fields): boolean {
  const calling = callingOf(toolConfig)
  const isPlain = calling !== undefined && ['AUTO', 'ANY', 'NONE'].includes(calling.mode)
  return isPlain && Object.keys(toolConfig).length === 1 && calling.names.length <= (calling.mode === 'ANY' ? 1 : 0)
}

function readExtra(fields: Fields, toolConfig: Fields | undefined, config: Fields): Extra | undefined {
  let extra = extraOf('google', fields, REQUEST)
  const hasOtherTools = toolList(fields['tools'])?.some((entry) => declarationsOf(entry, 'tools') === undefined)
  if (hasOtherTools) extra = addToExtra('google', extra, 'tools', fields['tools'])
  if (toolConfig && !isWholeChoice(toolConfig)) extra = addToExtra('google', extra, 'toolConfig', toolConfig)
  const rest = configExtra(config)
  return rest ? addToExtra('google', extra, 'generationConfig', rest) : extra
}
