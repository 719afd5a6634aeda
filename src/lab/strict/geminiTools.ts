/** Function declarations, the schemas in the old fields, and what tools go together. */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { fullName, geminiFacts, isPlainGemma } from './geminiModels.ts'
import {
  configOf,
  declarationsOf,
  type GeminiFields,
  geminiRule,
  isGeneration,
  read,
  readList,
  readRecord,
  violations,
} from './geminiWire.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

const DECLARATION = 'https://ai.google.dev/api/caching#FunctionDeclaration'
const CALLING = 'https://ai.google.dev/api/caching#FunctionCallingConfig'
const COMBINED = 'https://ai.google.dev/gemini-api/docs/tool-combination'

/** 64 until 2025, 128 in the types of the SDK since. */
const FUNCTION_NAME = /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/
const INVALID_NAME =
  'Invalid function name. Must start with a letter or an underscore. Must be a-z, A-Z, 0-9, or contain underscores ' +
  '(_), dots (.), colons (:), or dashes (-), with a maximum length of 128.'

function toolType({ body }: StrictRequest): string | null {
  const isEmpty = (tool: GeminiFields) =>
    Object.keys(tool).length === 0 || (asArray(read(tool, 'functionDeclarations')) ?? [1]).length === 0
  const empty = [...readList(body, 'tools').entries()].filter(([, tool]) => isEmpty(tool))
  return violations(
    empty.map(([index]) => {
      const place = `GenerateContentRequest.tools[${index}].tool_type`
      return `${place}: required one_of 'tool_type' must have one initialized field`
    }),
  )
}

function functionName(request: StrictRequest): string | null {
  const wrong = declarationsOf(request).filter(({ declaration: { name } }) => !FUNCTION_NAME.test(sentText(name)))
  return violations(wrong.map(({ place }) => `${place}.name: ${INVALID_NAME}`))
}

function doubleNames(request: StrictRequest): string | null {
  const seen = new Set<unknown>()
  for (const { declaration } of declarationsOf(request)) {
    if (seen.has(declaration['name'])) return `Duplicate function declaration found: ${declaration['name']}`
    seen.add(declaration['name'])
  }
  return null
}

/** The schemas of the old fields, which know OpenAPI alone. */
function openApiSchemas(request: StrictRequest): readonly string[] {
  const answer = readRecord(configOf(request), 'responseSchema')
  return [
    ...declarationsOf(request).flatMap(({ declaration, place }) =>
      ['parameters', 'response'].flatMap((name) => faultsOf(readRecord(declaration, name), `${place}.${name}`)),
    ),
    ...faultsOf(answer, 'GenerateContentRequest.generation_config.response_schema'),
  ]
}

function faultsOf(schema: GeminiFields | undefined, place: string): readonly string[] {
  if (!schema) return []
  const properties = Object.entries(readRecord(schema, 'properties') ?? {})
  const choices = readList(schema, 'anyOf')
  return [
    ...ownFaults(schema, place),
    ...properties.flatMap(([name, child]) => faultsOf(asRecord(child), `${place}.properties[${name}]`)),
    ...faultsOf(readRecord(schema, 'items'), `${place}.items`),
    ...choices.flatMap((child, index) => faultsOf(child, `${place}.any_of[${index}]`)),
  ]
}

function ownFaults(schema: GeminiFields, place: string): readonly string[] {
  const type = asString(schema['type'])?.toUpperCase()
  if (type === undefined) {
    if (read(schema, 'anyOf') != null) return []
    return [`${place}.type: must be specified when not using one_of, any_of or all_of fields`]
  }
  return [...faultsOfType(schema, type, place), ...faultsOfNames(schema, place)]
}

function faultsOfType(schema: GeminiFields, type: string, place: string): readonly string[] {
  const { format, items, enum: values } = schema
  const names = Object.keys(readRecord(schema, 'properties') ?? {})
  const faults: string[] = []
  if (type === 'OBJECT' && names.length === 0) faults.push(`${place}.properties: should be non-empty for OBJECT type`)
  if (type === 'ARRAY' && items == null) faults.push(`${place}.items: missing field.`)
  if (type === 'STRING' && format != null && format !== 'enum' && format !== 'date-time')
    faults.push(`${place}.format: only 'enum' and 'date-time' are supported for STRING type`)
  if (type !== 'STRING' && values != null) faults.push(`${place}.enum: only allowed for STRING type`)
  return faults
}

function faultsOfNames(schema: GeminiFields, place: string): readonly string[] {
  const properties = readRecord(schema, 'properties') ?? {}
  const values = asArray(schema['enum']) ?? []
  const required = asArray(schema['required']) ?? []
  return [
    ...values.flatMap((value, index) => (value === '' ? [`${place}.enum[${index}]: cannot be empty`] : [])),
    ...required.flatMap((name, index) =>
      Object.hasOwn(properties, sentText(name)) ? [] : [`${place}.required[${index}]: property is not defined`],
    ),
  ]
}

const BUILT_IN = ['googleSearch', 'googleSearchRetrieval', 'codeExecution', 'urlContext', 'googleMaps', 'fileSearch']

/** Together only from 3 on, and there only when the caller says that it can read what comes of it. */
function builtInBesideFunctions(request: StrictRequest): string | null {
  const version = geminiFacts(request.model)?.version
  const hasBuiltIn = readList(request.body, 'tools').some((tool) => BUILT_IN.some((name) => read(tool, name) != null))
  if (version === undefined || !hasBuiltIn || declarationsOf(request).length === 0) return null
  if (version < 3) return 'Tool use with function calling is unsupported'
  return read(readRecord(request.body, 'toolConfig'), 'includeServerSideToolInvocations') === true
    ? null
    : 'Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.'
}

const callingConfig = ({ body }: StrictRequest) => readRecord(readRecord(body, 'toolConfig'), 'functionCallingConfig')

function configWithoutFunctions(request: StrictRequest): string | null {
  if (!callingConfig(request) || declarationsOf(request).length > 0) return null
  return 'Function calling config is set without function_declarations.'
}

/** The words of this one are ours: the rule is documented, and nobody quoted its refusal. */
function allowedNames(request: StrictRequest): string | null {
  const config = callingConfig(request)
  const allowed = asArray(read(config, 'allowedFunctionNames')) ?? []
  const declared = declarationsOf(request).map(({ declaration }) => declaration['name'])
  const place = 'GenerateContentRequest.tool_config.function_calling_config.allowed_function_names'
  const mode = sentText(config?.['mode']).toUpperCase()
  if (allowed.length > 0 && mode !== 'ANY' && mode !== 'VALIDATED')
    return violations([`${place}: only allowed when mode is ANY or VALIDATED`])
  const unknown = [...allowed.entries()].filter(([, name]) => !declared.includes(name))
  return violations(unknown.map(([index]) => `${place}[${index}]: function is not declared`))
}

export const geminiToolRules: readonly Rule[] = [
  geminiRule('tool-type', 'https://ai.google.dev/api/caching#Tool', toolType),
  geminiRule('function-name', 'https://github.com/kaitranntt/ccs/issues/25', functionName),
  geminiRule('function-names-unique', DECLARATION, doubleNames),
  geminiRule('openapi-schema', 'https://github.com/agno-agi/agno/issues/2112', (request) =>
    isGeneration(request) ? violations(openApiSchemas(request)) : null,
  ),
  geminiRule('parameters-twice', DECLARATION, (request) => {
    const isTwice = ({ declaration }: { declaration: GeminiFields }) =>
      read(declaration, 'parameters') != null && read(declaration, 'parametersJsonSchema') != null
    // The words are ours: `parametersJsonSchema` is documented as mutually exclusive with `parameters`.
    const twice = declarationsOf(request).filter(isTwice)
    return violations(
      twice.map(({ place }) => `${place}: parameters and parameters_json_schema are mutually exclusive`),
    )
  }),
  geminiRule('functions-of-gemma', 'https://ai.google.dev/gemma/docs/core/gemma_on_gemini_api', (request) =>
    isPlainGemma(request.model) && declarationsOf(request).length > 0
      ? `Function calling is not enabled for ${fullName(request.model)}`
      : null,
  ),
  geminiRule('built-in-tools', COMBINED, builtInBesideFunctions),
  geminiRule('calling-config', CALLING, configWithoutFunctions),
  geminiRule('allowed-function-names', CALLING, allowedNames),
]
