/** Settings of the generation, by generation of the model; and embeddings. */

import { asArray, asNumber, asString } from '../../domain/json.ts'
import { fullName, geminiFacts, isPlainGemma } from './geminiModels.ts'
import {
  configOf,
  declarationsOf,
  type GeminiFields,
  geminiRule,
  operationOf,
  read,
  readList,
  readRecord,
  violations,
} from './geminiWire.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

const CONFIG = 'https://ai.google.dev/api/generate-content#GenerationConfig'
const THINKING = 'https://ai.google.dev/gemini-api/docs/thinking'
const GEMMA = 'https://ai.google.dev/gemma/docs/core/gemma_on_gemini_api'

const PLACE = 'GenerateContentRequest.generation_config'
const MIME_TYPES = ['text/plain', 'application/json', 'application/xml', 'application/yaml', 'text/x.enum']

const mimeTypeOf = (config: GeminiFields) => asString(read(config, 'responseMimeType'))

function mimeType(request: StrictRequest): string | null {
  const type = mimeTypeOf(configOf(request))
  if (type === undefined || MIME_TYPES.includes(type)) return null
  const allowed = 'allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and'
  return violations([`${PLACE}.response_mime_type: ${allowed} \`text/x.enum\`.`])
}

/** The words are ours: that a schema needs a compatible type, and stands in one field, is documented. */
function answerSchema(request: StrictRequest): string | null {
  const config = configOf(request)
  const type = mimeTypeOf(config)
  const given = ['responseSchema', 'responseJsonSchema'].filter((name) => read(config, name) != null)
  if (given.length > 1) return violations([`${PLACE}: response_schema and response_json_schema are mutually exclusive`])
  if (given.length === 0 || type === 'application/json' || type === 'text/x.enum') return null
  const place = given[0] === 'responseSchema' ? 'response_schema' : 'response_json_schema'
  return violations([`${PLACE}.${place}: only allowed with response_mime_type application/json or text/x.enum`])
}

function jsonBesideFunctions(request: StrictRequest): string | null {
  const type = mimeTypeOf(configOf(request))
  const isOld = (geminiFacts(request.model)?.version ?? 3) < 3
  if (type !== 'application/json' || !isOld || declarationsOf(request).length === 0) return null
  const calling = readRecord(readRecord(request.body, 'toolConfig'), 'functionCallingConfig')
  const isForced = sentText(calling?.['mode']).toUpperCase() === 'ANY'
  const what = isForced ? 'Forced function calling (ANY mode)' : 'Function calling'
  return `${what} with a response mime type: 'application/json' is unsupported`
}

function thinkingOf(request: StrictRequest) {
  const thinking = readRecord(configOf(request), 'thinkingConfig')
  const level = asString(read(thinking, 'thinkingLevel'))?.toUpperCase()
  return { thinking, budget: asNumber(read(thinking, 'thinkingBudget')), level }
}

function thinkingAtAll(request: StrictRequest): string | null {
  const isOld = (geminiFacts(request.model)?.version ?? 3) < 2.5 || isPlainGemma(request.model)
  return isOld && thinkingOf(request).thinking ? `Thinking is not enabled for ${fullName(request.model)}` : null
}

/** Least and most; 0 and -1 apart. */
const BUDGETS = { pro: [128, 32_768], flash: [0, 24_576], lite: [512, 24_576] } as const

function thinkingBudget(request: StrictRequest): string | null {
  const { budget } = thinkingOf(request)
  const facts = geminiFacts(request.model)
  if (budget === undefined || budget === -1 || !facts || facts.version < 2.5) return null
  if (budget === 0 && facts.kind === 'pro') return 'Budget 0 is invalid. This model only works in thinking mode.'
  const [least, most] = BUDGETS[facts.kind]
  if (facts.version >= 3 || budget === 0 || (budget >= least && budget <= most)) return null
  return `The thinking budget ${budget} is invalid. Please choose a value between ${least} and ${most}.`
}

function thinkingLevel(request: StrictRequest): string | null {
  const { level } = thinkingOf(request)
  const facts = geminiFacts(request.model)
  if (level === undefined || !facts) return null
  if (facts.version < 3) return 'Thinking level is not supported for this model.'
  // The catalogue of the AI SDK: https://github.com/vercel/ai/blob/main/packages/google/src/google-model-catalog.ts
  const lacksMinimal = facts.kind === 'pro' || (facts.kind === 'flash' && facts.version >= 3.7)
  const isMissing = (level === 'MINIMAL' && lacksMinimal) || (level === 'MEDIUM' && isFirstPro(request.model))
  return isMissing
    ? `Thinking level ${level} is not supported for this model. Please retry with other thinking level.`
    : null
}

/** Gemini 3 Pro knows `low` and `high`: https://ai.google.dev/gemini-api/docs/gemini-3 */
const isFirstPro = (model: string) => /^(?:models\/)?gemini-3-pro(?!\d)/.test(model)

function levelAndBudget(request: StrictRequest): string | null {
  const { budget, level } = thinkingOf(request)
  return budget !== undefined && level !== undefined
    ? 'You can only set only one of thinking budget and thinking level.'
    : null
}

/** The words of the range are ours, those of the newer models theirs. */
function candidateCount(request: StrictRequest): string | null {
  const count = asNumber(read(configOf(request), 'candidateCount'))
  if (count === undefined || count === 1) return null
  if ((geminiFacts(request.model)?.version ?? 0) >= 3) return 'Multiple candidates is not enabled for this model'
  if (count >= 1 && count <= 8) return null
  return violations([`${PLACE}.candidate_count: candidate_count must be in the range [1, 8].`])
}

function ranges(request: StrictRequest): string | null {
  const config = configOf(request)
  const limits = [
    ['temperature', 'temperature', 2],
    ['topP', 'top_p', 1],
  ] as const
  return violations(
    limits.flatMap(([name, field, most]) => {
      const value = asNumber(read(config, name))
      const isWithin = value === undefined || (value >= 0 && value <= most)
      return isWithin ? [] : [`${PLACE}.${field}: ${field} must be in the range [0.0, ${most}.0].`]
    }),
  )
}

/** Five at most is documented; the words are ours. */
function stopSequences(request: StrictRequest): string | null {
  const count = (asArray(read(configOf(request), 'stopSequences')) ?? []).length
  return count > 5 ? violations([`${PLACE}.stop_sequences: at most 5 stop sequences can be specified`]) : null
}

function penalties(request: StrictRequest): string | null {
  const config = configOf(request)
  const hasPenalty = ['presencePenalty', 'frequencyPenalty'].some((name) => read(config, name))
  const isBarred = geminiFacts(request.model)?.version === 2.5
  return hasPenalty && isBarred ? `Penalty is not enabled for ${fullName(request.model)}` : null
}

function batchSize(request: StrictRequest): string | null {
  if (operationOf(request) !== 'batchEmbedContents') return null
  const count = readList(request.body, 'requests').length
  return count > 100
    ? violations(['BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch'])
    : null
}

function embeddedContent(request: StrictRequest): string | null {
  const operation = operationOf(request)
  if (operation === 'embedContent' && !readRecord(request.body, 'content'))
    return violations(['EmbedContentRequest.content: content is not specified'])
  if (operation !== 'batchEmbedContents') return null
  return violations(
    readList(request.body, 'requests').flatMap((item, index) => {
      const place = `BatchEmbedContentsRequest.requests[${index}]`
      if (!/^models\/./.test(sentText(item['model']))) return [`${place}.model: unexpected model name format`]
      return readRecord(item, 'content') ? [] : [`${place}.content: content is not specified`]
    }),
  )
}

/** How long vectors can be is documented; the words are ours. */
const LONGEST_VECTOR = 3072

function vectorLength(request: StrictRequest): string | null {
  const operation = operationOf(request)
  const [name, items] =
    operation === 'batchEmbedContents'
      ? ['BatchEmbedContentsRequest.requests', readList(request.body, 'requests')]
      : ['EmbedContentRequest', operation === 'embedContent' ? [request.body] : []]
  return violations(
    items.flatMap((item, index) => {
      const length = asNumber(read(item, 'outputDimensionality'))
      if (length === undefined || (length >= 1 && length <= LONGEST_VECTOR)) return []
      const place = items[0] === request.body ? name : `${name}[${index}]`
      return [`${place}.output_dimensionality: must be in the range [1, ${LONGEST_VECTOR}].`]
    }),
  )
}

export const geminiConfigRules: readonly Rule[] = [
  geminiRule('response-mime-type', CONFIG, mimeType),
  geminiRule('response-schema', CONFIG, answerSchema),
  geminiRule('json-beside-functions', 'https://github.com/googleapis/python-genai/issues/867', jsonBesideFunctions),
  geminiRule('json-of-gemma', GEMMA, (request) =>
    isPlainGemma(request.model) && mimeTypeOf(configOf(request)) === 'application/json'
      ? `JSON mode is not enabled for ${fullName(request.model)}`
      : null,
  ),
  geminiRule('thinking', THINKING, thinkingAtAll),
  geminiRule('thinking-budget', THINKING, thinkingBudget),
  geminiRule('thinking-level', THINKING, thinkingLevel),
  geminiRule('thinking-level-and-budget', 'https://ai.google.dev/gemini-api/docs/gemini-3', levelAndBudget),
  geminiRule('candidate-count', CONFIG, candidateCount),
  geminiRule('logprobs', 'https://github.com/mscraftsman/generative-ai/issues/135', (request) =>
    read(configOf(request), 'responseLogprobs') === true && (geminiFacts(request.model)?.version ?? 0) >= 3
      ? `Logprobs is not enabled for ${fullName(request.model)}`
      : null,
  ),
  geminiRule('ranges', CONFIG, ranges),
  geminiRule('stop-sequences', CONFIG, stopSequences),
  geminiRule(
    'penalties',
    'https://github.com/vercel/ai/blob/main/packages/google/src/google-model-catalog.ts',
    penalties,
  ),
  geminiRule('batch-size', 'https://github.com/geldata/gel/issues/9032', batchSize),
  geminiRule('embedded-content', 'https://ai.google.dev/api/embeddings', embeddedContent),
  geminiRule(
    'vector-length',
    'https://ai.google.dev/gemini-api/docs/embeddings#controlling-embedding-size',
    vectorLength,
  ),
]
