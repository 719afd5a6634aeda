/** Contents: roles, parts, media, and how calls and their responses follow each other. */

import { asString } from '../../domain/json.ts'
import { fullName, geminiFacts, isPlainGemma } from './geminiModels.ts'
import {
  contentsOf,
  type GeminiContent,
  type GeminiFields,
  geminiRule,
  isGeneration,
  operationOf,
  read,
  readList,
  readRecord,
  violations,
} from './geminiWire.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'
import { isForeignSignature } from './signatures.ts'

const API = 'https://ai.google.dev/api/caching#Part'
const FILES = 'https://ai.google.dev/gemini-api/docs/file-input-methods'
const SIGNATURES = 'https://ai.google.dev/gemini-api/docs/thought-signatures'

/** Each part has one of these. */
const DATA = [
  ...['text', 'inlineData', 'functionCall', 'functionResponse', 'fileData', 'executableCode'],
  ...['codeExecutionResult', 'toolCall', 'toolResponse'],
]
const MISSING_DATA = "data: required oneof field 'data' must have one initialized field"

function contentsMissing(request: StrictRequest): string | null {
  const isOtherCount = operationOf(request) === 'countTokens' && read(request.body, 'generateContentRequest') != null
  if (isOtherCount || (!isGeneration(request) && operationOf(request) !== 'countTokens')) return null
  const message = isGeneration(request) ? 'GenerateContentRequest' : 'CountTokensRequest'
  return contentsOf(request).length > 0 ? null : violations([`${message}.contents: contents is not specified`])
}

function partsEmpty(request: StrictRequest): string | null {
  const empty = contentsOf(request).filter(({ parts }) => parts.length === 0)
  return violations(empty.map(({ place }) => `${place}.parts: contents.parts must not be empty.`))
}

function partWithoutData(request: StrictRequest): string | null {
  const system = readList(readRecord(request.body, 'systemInstruction'), 'parts')
  const placed = [
    ...contentsOf(request).flatMap(({ parts, place }) => parts.map((part, index) => ({ part, place, index }))),
    ...system.map((part, index) => ({ part, place: 'GenerateContentRequest.system_instruction', index })),
  ]
  const bare = placed.filter(({ part }) => DATA.every((name) => read(part, name) == null))
  return violations(bare.map(({ place, index }) => `${place}.parts[${index}].${MISSING_DATA}`))
}

/** Without a role it is the user's. */
function wrongRole(request: StrictRequest): string | null {
  const isWrong = ({ role }: GeminiContent) => role != null && role !== 'user' && role !== 'model'
  return contentsOf(request).some(isWrong) ? 'Please use a valid role: user, model.' : null
}

const countOf = (content: GeminiContent | undefined, name: string) =>
  (content?.parts ?? []).filter((part) => read(part, name) != null).length

const CALLS = 'functionCall'
const RESPONSES = 'functionResponse'

function callTurn(request: StrictRequest): string | null {
  const contents = contentsOf(request)
  const isMisplaced = contents.some(
    (content, at) => countOf(content, CALLS) > 0 && (at === 0 || contents[at - 1]?.role === 'model'),
  )
  return isMisplaced
    ? 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.'
    : null
}

function responseTurn(request: StrictRequest): string | null {
  const contents = contentsOf(request)
  const isMisplaced = contents.some(
    (content, at) => countOf(content, RESPONSES) > 0 && countOf(contents[at - 1], CALLS) === 0,
  )
  return isMisplaced ? 'Please ensure that function response turn comes immediately after a function call turn.' : null
}

function responseCount(request: StrictRequest): string | null {
  const contents = contentsOf(request)
  const isUnequal = contents.some((content, at) => {
    const calls = countOf(content, CALLS)
    return calls > 0 && at + 1 < contents.length && countOf(contents[at + 1], RESPONSES) !== calls
  })
  return isUnequal
    ? 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.'
    : null
}

/** In the turn that is under way the first call of each step is signed: by 3 and later, no placeholder aside. */
function unsignedCall(request: StrictRequest): string | null {
  if ((geminiFacts(request.model)?.version ?? 0) < 3) return null
  const contents = contentsOf(request)
  const beginning = contents.findLastIndex(({ role, parts }) => {
    return role !== 'model' && parts.some((part) => read(part, RESPONSES) == null)
  })
  for (const [at, { parts }] of contents.entries()) {
    const first = at > beginning ? parts.find((part) => read(part, CALLS) != null) : undefined
    if (first && !read(first, 'thoughtSignature')) return unsigned(first, at + 1)
  }
  return null
}

function unsigned(part: GeminiFields, position: number): string {
  return (
    'Function call is missing a thought_signature in functionCall parts. This is required for tools to work ' +
    'correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call ' +
    `\`default_api:${read(readRecord(part, CALLS), 'name')}\` , position ${position}. Please refer to ${SIGNATURES} ` +
    'for more details.'
  )
}

function corruptedSignature(request: StrictRequest): string | null {
  const signatures = contentsOf(request).flatMap(({ parts }) => parts.map((part) => read(part, 'thoughtSignature')))
  const isCorrupted = signatures.some((text) => typeof text === 'string' && isForeignSignature(text, 'google'))
  return isCorrupted ? 'Corrupted thought signature.' : null
}

function responseParts(request: StrictRequest): string | null {
  if ((geminiFacts(request.model)?.version ?? 3) >= 3) return null
  const hasParts = contentsOf(request).some(({ parts }) =>
    parts.some((part) => readList(readRecord(part, RESPONSES), 'parts').length > 0),
  )
  return hasParts ? 'Unable to submit request because `function_response.parts` is not supported for this model.' : null
}

function namelessResponse(request: StrictRequest): string | null {
  const nameless = contentsOf(request).flatMap(({ parts, place }) =>
    parts.flatMap((part, index) => {
      const response = readRecord(part, RESPONSES)
      return response && !response['name'] ? [`${place}.parts[${index}].function_response.name`] : []
    }),
  )
  return violations(nameless.map((place) => `${place}: Name cannot be empty.`))
}

/** https://ai.google.dev/gemini-api/docs/image-understanding, …/audio, …/video-understanding, …/document-processing */
const MEDIA_TYPES =
  /^(?:image\/(?:png|jpeg|jpg|webp|heic|heif)|audio\/.+|video\/.+|application\/(?:pdf|json)|text\/(?:plain|html|css|csv|markdown|md|xml|rtf|javascript|x-typescript))$/

function* mediaOf(request: StrictRequest, name: string): Generator<GeminiFields> {
  for (const { parts } of contentsOf(request)) {
    for (const part of parts) {
      const response = readRecord(part, RESPONSES)
      for (const holder of [part, ...readList(response, 'parts')]) {
        const media = readRecord(holder, name)
        if (media) yield media
      }
    }
  }
}

function mediaType(request: StrictRequest): string | null {
  for (const media of [...mediaOf(request, 'inlineData'), ...mediaOf(request, 'fileData')]) {
    const type = asString(read(media, 'mimeType'))
    if (type !== undefined && !MEDIA_TYPES.test(type)) return `Unsupported MIME type: ${type}`
  }
  return null
}

/** Files of the Files API, YouTube, buckets and public pages; data travels as `inlineData`. */
function fileUri(request: StrictRequest): string | null {
  for (const media of mediaOf(request, 'fileData')) {
    const uri = sentText(read(media, 'fileUri'))
    if (!/^(?:https|gs):\/\//.test(uri)) return `Unsupported file URI type: ${uri}`
  }
  return null
}

function systemInstruction({ model, body }: StrictRequest): string | null {
  if (!isPlainGemma(model) || read(body, 'systemInstruction') == null) return null
  return `Developer instruction is not enabled for ${fullName(model)}`
}

const TURNS = 'https://github.com/google-gemini/gemini-cli/issues/26486'

export const geminiContentRules: readonly Rule[] = [
  geminiRule('contents-missing', 'https://github.com/BerriAI/litellm/issues/3019', contentsMissing),
  geminiRule('parts-empty', API, partsEmpty),
  geminiRule('part-without-data', API, partWithoutData),
  geminiRule('role', 'https://ai.google.dev/api/caching#Content', wrongRole),
  geminiRule('response-name', 'https://ai.google.dev/api/caching#FunctionResponse', namelessResponse),
  geminiRule('response-parts', 'https://github.com/google-gemini/gemini-cli/issues/19436', responseParts),
  geminiRule('function-call-turn', TURNS, callTurn),
  geminiRule('function-response-turn', 'https://github.com/langchain-ai/langchain/issues/27799', responseTurn),
  geminiRule('function-response-count', 'https://ai.google.dev/gemini-api/docs/function-calling', responseCount),
  geminiRule('thought-signature', SIGNATURES, unsignedCall),
  geminiRule(
    'thought-signature-foreign',
    'https://github.com/lbjlaq/Antigravity-Manager/issues/970',
    corruptedSignature,
  ),
  geminiRule('media-type', 'https://github.com/googleapis/python-genai/issues/829', mediaType),
  geminiRule('file-uri', FILES, fileUri),
  geminiRule('system-instruction', 'https://ai.google.dev/gemma/docs/core/gemma_on_gemini_api', systemInstruction),
]
