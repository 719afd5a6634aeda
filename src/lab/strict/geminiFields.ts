/**
 * The messages of the API, field by field (https://ai.google.dev/api/generate-content, …/caching, …/embeddings and the
 * types of https://github.com/googleapis/js-genai), and what becomes of a body that is none of them: the gateway of
 * Google's APIs refuses it before the service sees it.
 */

import { asRecord } from '../../domain/json.ts'
import { geminiRule, operationOf, snakeCase } from './geminiWire.ts'
import { lookUp } from './lookUp.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

const API = 'https://ai.google.dev/api/generate-content'
const CACHING = 'https://ai.google.dev/api/caching#Schema'

/**
 * A kind of field: the name of a message, with `[]` when repeated and `{}` when a map; or a scalar (`text`, `bytes`,
 * `struct`, `int32`, `enum:…`, `scalar`); or `any`, which is taken as it is.
 */
type Kind = string

const TYPE_NAMES = 'TYPE_UNSPECIFIED|STRING|NUMBER|INTEGER|BOOLEAN|ARRAY|OBJECT|NULL'
const MODES = 'MODE_UNSPECIFIED|AUTO|ANY|NONE|VALIDATED'
const LEVELS = 'THINKING_LEVEL_UNSPECIFIED|MINIMAL|LOW|MEDIUM|HIGH|XHIGH'

/** https://ai.google.dev/api/generate-content#harmcategory and #harmblockthreshold, read 2026-11-30. */
const CATEGORIES =
  'HARM_CATEGORY_UNSPECIFIED|HARM_CATEGORY_DEROGATORY|HARM_CATEGORY_TOXICITY|HARM_CATEGORY_VIOLENCE|HARM_CATEGORY_SEXUAL|HARM_CATEGORY_MEDICAL|HARM_CATEGORY_DANGEROUS|HARM_CATEGORY_HARASSMENT|HARM_CATEGORY_HATE_SPEECH|HARM_CATEGORY_SEXUALLY_EXPLICIT|HARM_CATEGORY_DANGEROUS_CONTENT|HARM_CATEGORY_CIVIC_INTEGRITY'
const THRESHOLDS =
  'HARM_BLOCK_THRESHOLD_UNSPECIFIED|BLOCK_LOW_AND_ABOVE|BLOCK_MEDIUM_AND_ABOVE|BLOCK_ONLY_HIGH|BLOCK_NONE|OFF'

const MESSAGES: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  GenerateContentRequest: {
    ...{ model: 'text', contents: 'Content[]', systemInstruction: 'Content', tools: 'Tool[]' },
    ...{ toolConfig: 'ToolConfig', safetySettings: 'SafetySetting[]', generationConfig: 'GenerationConfig' },
    ...{ cachedContent: 'text', serviceTier: 'scalar', store: 'scalar' },
  },
  CountTokensRequest: { model: 'text', contents: 'Content[]', generateContentRequest: 'GenerateContentRequest' },
  EmbedContentRequest: {
    ...{ model: 'text', content: 'Content', taskType: 'scalar', title: 'text', outputDimensionality: 'int32' },
    ...{ embedContentConfig: 'any' },
  },
  BatchEmbedContentsRequest: { model: 'text', requests: 'EmbedContentRequest[]' },
  Content: { role: 'text', parts: 'Part[]' },
  Part: {
    ...{ text: 'text', inlineData: 'Blob', fileData: 'FileData', functionCall: 'FunctionCall' },
    ...{ functionResponse: 'FunctionResponse', executableCode: 'any', codeExecutionResult: 'any', thought: 'scalar' },
    ...{ thoughtSignature: 'bytes', videoMetadata: 'any', mediaResolution: 'any', partMetadata: 'struct' },
    ...{ toolCall: 'any', toolResponse: 'any', audioTranscription: 'any', mediaProcessing: 'any' },
    ...{ speechMetadata: 'any' },
  },
  Blob: { mimeType: 'text', data: 'bytes' },
  FileData: { mimeType: 'text', fileUri: 'text' },
  FunctionCall: { id: 'text', name: 'text', args: 'struct' },
  FunctionResponse: {
    ...{ id: 'text', name: 'text', response: 'struct', parts: 'FunctionResponsePart[]' },
    ...{ scheduling: 'scalar', willContinue: 'scalar' },
  },
  // `fileData` "is not supported in Gemini API": https://googleapis.github.io/kotlin-genai (2026-11-30)
  FunctionResponsePart: { inlineData: 'FunctionResponseBlob', mediaProcessing: 'any' },
  FunctionResponseBlob: { mimeType: 'text', data: 'bytes', displayName: 'text' },
  Tool: {
    ...{ functionDeclarations: 'FunctionDeclaration[]', googleSearch: 'any', googleSearchRetrieval: 'any' },
    ...{ codeExecution: 'any', urlContext: 'any', fileSearch: 'any', googleMaps: 'any', computerUse: 'any' },
    ...{ mcpServers: 'any' },
  },
  FunctionDeclaration: {
    ...{ name: 'text', description: 'text', parameters: 'Schema', parametersJsonSchema: 'any', response: 'Schema' },
    ...{ responseJsonSchema: 'any', behavior: 'scalar' },
  },
  Schema: {
    ...{ type: `enum:Type:${TYPE_NAMES}`, format: 'text', title: 'text', description: 'text', nullable: 'scalar' },
    ...{ enum: 'text[]', items: 'Schema', minItems: 'scalar', maxItems: 'scalar', properties: 'Schema{}' },
    ...{ required: 'text[]', minProperties: 'scalar', maxProperties: 'scalar', minLength: 'scalar' },
    ...{ maxLength: 'scalar', pattern: 'text', example: 'any', anyOf: 'Schema[]', propertyOrdering: 'text[]' },
    ...{ default: 'any', minimum: 'scalar', maximum: 'scalar' },
  },
  ToolConfig: {
    ...{ functionCallingConfig: 'FunctionCallingConfig', retrievalConfig: 'any' },
    ...{ includeServerSideToolInvocations: 'scalar' },
  },
  FunctionCallingConfig: { mode: `enum:FunctionCallingConfig.Mode:${MODES}`, allowedFunctionNames: 'text[]' },
  SafetySetting: {
    category: `enum:HarmCategory:${CATEGORIES}`,
    threshold: `enum:SafetySetting.HarmBlockThreshold:${THRESHOLDS}`,
  },
  GenerationConfig: {
    ...{ stopSequences: 'text[]', responseMimeType: 'text', responseSchema: 'Schema', responseJsonSchema: 'any' },
    ...{ _responseJsonSchema: 'any', responseFormat: 'any', responseModalities: 'text[]', candidateCount: 'int32' },
    ...{ maxOutputTokens: 'int32', temperature: 'scalar', topP: 'scalar', topK: 'int32', seed: 'int32' },
    ...{ presencePenalty: 'scalar', frequencyPenalty: 'scalar', responseLogprobs: 'scalar', logprobs: 'int32' },
    ...{ speechConfig: 'any', imageConfig: 'any', thinkingConfig: 'ThinkingConfig', mediaResolution: 'scalar' },
    ...{ enableEnhancedCivicAnswers: 'scalar', translationConfig: 'any', audioTranscriptionConfig: 'any' },
  },
  ThinkingConfig: {
    ...{ includeThoughts: 'scalar', thinkingBudget: 'int32' },
    thinkingLevel: `enum:ThinkingConfig.ThinkingLevel:${LEVELS}`,
  },
}

const ROOTS: Readonly<Record<string, string>> = {
  generateContent: 'GenerateContentRequest',
  streamGenerateContent: 'GenerateContentRequest',
  countTokens: 'CountTokensRequest',
  embedContent: 'EmbedContentRequest',
  batchEmbedContents: 'BatchEmbedContentsRequest',
}

interface Findings {
  readonly unknown: string[]
  readonly invalid: string[]
}

function findingsOf(request: StrictRequest): Findings {
  const findings: Findings = { unknown: [], invalid: [] }
  const root = lookUp(ROOTS, operationOf(request))
  if (root !== undefined) walkMessage(request.body, root, '', findings)
  return findings
}

function walkMessage(value: unknown, message: string, path: string, findings: Findings): void {
  const kinds = lookUp(MESSAGES, message)
  for (const [name, child] of Object.entries(asRecord(value) ?? {})) {
    const kind = lookUp(kinds, name) ?? lookUp(kinds, camelCase(name))
    if (kind === undefined) findings.unknown.push(`${unknownName(name, path)}: Cannot find field.`)
    else if (child !== null) walkField(child, kind, { name, path }, findings)
  }
}

const camelCase = (name: string) => name.replace(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const unknownName = (name: string, path: string) =>
  `Invalid JSON payload received. Unknown name "${name}"${path === '' ? '' : ` at '${path}'`}`

interface Place {
  readonly name: string
  readonly path: string
}

function walkField(value: unknown, kind: Kind, { name, path }: Place, findings: Findings): void {
  const here = `${path === '' ? '' : `${path}.`}${snakeCase(name)}`
  if (kind.endsWith('[]')) {
    for (const [index, item] of (Array.isArray(value) ? value : [value]).entries())
      walkValue(item, kind.slice(0, -2), `${here}[${index}]`, findings)
  } else if (Array.isArray(value) && kind !== 'any') {
    findings.unknown.push(`${unknownName(name, path)}: Proto field is not repeating, cannot start list.`)
  } else if (kind.endsWith('{}')) {
    for (const [index, item] of Object.values(asRecord(value) ?? {}).entries())
      walkValue(item, kind.slice(0, -2), `${here}[${index}].value`, findings)
  } else walkValue(value, kind, here, findings)
}

function walkValue(value: unknown, kind: Kind, path: string, findings: Findings): void {
  if (lookUp(MESSAGES, kind)) {
    if (asRecord(value) === undefined)
      findings.invalid.push(`Invalid value at '${path}' (${API_TYPE}.${kind}), ${JSON.stringify(value)}`)
    else walkMessage(value, kind, path, findings)
  }
  const problem = problemOfScalar(value, kind)
  if (problem !== null) findings.invalid.push(`Invalid value at '${path}' (${problem}`)
}

const API_TYPE = 'type.googleapis.com/google.ai.generativelanguage.v1beta'

/** A whole number of 32 bits, or such a text: https://protobuf.dev/programming-guides/json/ */
function isInt32(value: unknown): boolean {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value))
  return isNumeric && (Number(value) | 0) === Number(value)
}

function problemOfScalar(value: unknown, kind: Kind): string | null {
  if (kind === 'text' && typeof value !== 'string') return `TYPE_STRING), ${JSON.stringify(value)}`
  if (kind === 'bytes' && !(typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value)))
    return `TYPE_BYTES), Base64 decoding failed for ${JSON.stringify(value)}`
  if (kind === 'struct' && !asRecord(value))
    return `type.googleapis.com/google.protobuf.Struct), ${JSON.stringify(value)}`
  if (kind === 'int32' && !isInt32(value)) return `TYPE_INT32), ${JSON.stringify(value)}`
  if (!kind.startsWith('enum:')) return null
  const [, type, names = ''] = kind.split(':')
  // JSON of protocol buffers may have the number of a name: https://protobuf.dev/programming-guides/json/
  if (Number.isInteger(value) || names.split('|').includes(sentText(value).toUpperCase())) return null
  return `${API_TYPE}.${type}), ${JSON.stringify(value)}`
}

const lines = (found: readonly string[]) => (found.length === 0 ? null : found.join('\n'))

export const geminiFieldRules: readonly Rule[] = [
  geminiRule('unknown-name', CACHING, (request) => lines(findingsOf(request).unknown)),
  geminiRule('invalid-value', API, (request) => lines(findingsOf(request).invalid)),
]
