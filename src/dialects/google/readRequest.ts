/** A client's generateContent request: https://ai.google.dev/api/generate-content */

import type { ChatRequest, Extra, Message, Part, Tool, ToolChoice } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { addToExtra, extraBeyond } from '../fields/extra.ts'
import { bodyOf, type Fields, object, objectAt, requiredText, text, wrong } from '../fields/requestFields.ts'
import { CallIds } from './callIds.ts'
import { readParts } from './content.ts'
import { bothSpellings, field, spelling } from './field.ts'
import { configExtra, readConfig } from './readConfig.ts'
import { openApiToJsonSchema } from './schema.ts'

const REQUEST = bothSpellings(...['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig'])
const CONTENT = new Set(['role', 'parts'])
const DECLARATION = bothSpellings('name', 'description', 'parameters', 'parametersJsonSchema')

/** Throws InvalidRequestError that names the field. The model is the path's, which may begin with `models/`. */
export function readGoogleRequest(
  body: unknown,
  path?: { readonly model?: string; readonly stream?: boolean },
): ChatRequest {
  const fields = bodyOf(body)
  const toolConfig = object(fields, spelling(fields, 'toolConfig', 'tool_config'))
  const config = object(fields, spelling(fields, 'generationConfig', 'generation_config')) ?? {}
  return {
    model: requiredText(path?.model === undefined ? fields : path, 'model').replace(/^models\//, ''),
    messages: readMessages(fields),
    tools: readTools(fields['tools']),
    toolChoice: readToolChoice(toolConfig),
    allowedTools: readAllowed(toolConfig),
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
  if (!list) throw wrong('contents', 'must be an array of contents')
  list.forEach((raw, index) => {
    messages.push(...readContent(raw, `contents[${index}]`, ids))
  })
  return messages
}

function readContent(raw: unknown, path: string, ids: CallIds, fixed?: 'system'): readonly Message[] {
  const fields: Fields = typeof raw === 'string' ? { parts: [{ text: raw }] } : objectAt(raw, path)
  const role = fixed ?? readRole(fields['role'], `${path}.role`)
  const { parts, badIndex } = readParts(partsOf(fields['parts'], `${path}.parts`), ids)
  if (badIndex >= 0) throw wrong(`${path}.parts[${badIndex}]`, 'must be a complete part')
  const extra = extraBeyond('google', fields, CONTENT)
  return role === 'user' && parts.some(isResult) ? splitResults(parts, extra) : [{ role, content: parts, extra }]
}

/** A content that answers calls becomes a tool message, and what else it says a user message behind it. */
function splitResults(parts: readonly Part[], extra: Extra | undefined): readonly Message[] {
  const results: Message = { role: 'tool', content: parts.filter(isResult), extra }
  const said = parts.filter((part) => !isResult(part))
  return said.length === 0 ? [results] : [results, { role: 'user', content: said }]
}

function isResult(part: Part): boolean {
  return part.type === 'tool-result'
}

function readRole(raw: unknown, path: string): 'user' | 'assistant' | 'system' {
  if (raw == null || raw === 'user' || raw === 'function' || raw === 'tool') return 'user'
  if (raw === 'model') return 'assistant'
  if (raw === 'system') return 'system'
  throw wrong(path, 'must be "user" or "model"')
}

function partsOf(raw: unknown, path: string): readonly unknown[] {
  const parts = asArray(raw) ?? (asRecord(raw) ? [raw] : undefined)
  if (!parts) throw wrong(path, 'must be an array of parts')
  return parts
}

/** Undefined rather than empty, which other wires refuse. */
function readTools(raw: unknown): readonly Tool[] | undefined {
  const tools = toolList(raw)?.flatMap((entry, index) => {
    const declarations = declarationsOf(entry, `tools[${index}]`)
    return declarations?.map((raw, place) => readTool(raw, `tools[${index}].functionDeclarations[${place}]`)) ?? []
  })
  return tools && tools.length > 0 ? tools : undefined
}

function toolList(raw: unknown): readonly unknown[] | undefined {
  if (raw == null) return undefined
  const list = asArray(raw) ?? (asRecord(raw) ? [raw] : undefined)
  if (!list) throw wrong('tools', 'must be an array')
  return list
}

/** Undefined for tools that run at Google (search, code execution): no other provider could serve them. */
function declarationsOf(entry: unknown, path: string): readonly unknown[] | undefined {
  return asArray(field(objectAt(entry, path), 'functionDeclarations', 'function_declarations'))
}

function readTool(raw: unknown, path: string): Tool {
  const fields = objectAt(raw, path)
  const jsonSchema = spelling(fields, 'parametersJsonSchema', 'parameters_json_schema')
  const schema =
    object(fields, jsonSchema, `${path}.${jsonSchema}`) ?? object(fields, 'parameters', `${path}.parameters`)
  return {
    name: requiredText(fields, 'name', `${path}.name`),
    description: text(fields, 'description', `${path}.description`),
    parameters: schema && openApiToJsonSchema(schema),
    extra: extraBeyond('google', fields, DECLARATION),
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

/** Names say which tools may be called at all, whether one must be or not. */
function readAllowed(toolConfig: Fields | undefined): readonly string[] | undefined {
  const names = (callingOf(toolConfig)?.names ?? []).filter((name) => typeof name === 'string')
  return names.length > 1 ? names : undefined
}

/**
 * Whether `readToolChoice` says all of it: not of VALIDATED, of several allowed names, nor of what stands beside it.
 */
function isWholeChoice(toolConfig: Fields): boolean {
  const calling = callingOf(toolConfig)
  const isPlain = calling !== undefined && ['AUTO', 'ANY', 'NONE'].includes(calling.mode)
  return isPlain && Object.keys(toolConfig).length === 1 && calling.names.length <= (calling.mode === 'ANY' ? 1 : 0)
}

function readExtra(fields: Fields, toolConfig: Fields | undefined, config: Fields): Extra | undefined {
  let extra = extraBeyond('google', fields, REQUEST)
  const hasOtherTools = toolList(fields['tools'])?.some(
    (entry) => declarationsOf(entry, 'tools') === undefined || Object.keys(objectAt(entry, 'tools')).length > 1,
  )
  if (hasOtherTools) extra = addToExtra('google', extra, 'tools', fields['tools'])
  if (toolConfig && !isWholeChoice(toolConfig)) extra = addToExtra('google', extra, 'toolConfig', toolConfig)
  const rest = configExtra(config)
  return rest ? addToExtra('google', extra, 'generationConfig', rest) : extra
}
