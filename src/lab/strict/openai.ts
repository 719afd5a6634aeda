/** OpenAI's Chat Completions, Responses and embeddings: every rule, in the order in which the service looks. */

import { asArray } from '../../domain/json.ts'
import { isSet, unknownField } from './chatBody.ts'
import { openaiMessageRules } from './openaiChatMessages.ts'
import { openaiToolRules } from './openaiChatTools.ts'
import { LONGEST_IDENTIFIER, openaiFieldRules, wrongField } from './openaiFields.ts'
import { openaiFormatRules } from './openaiFormats.ts'
import { openaiGenerationRules } from './openaiGenerations.ts'
import {
  badRequest,
  longArray,
  longer,
  missingParameter,
  outOfRange,
  unknownParameter,
  wrongValue,
} from './openaiWords.ts'
import { responsesItemRules } from './responsesItems.ts'
import { responsesFieldRules, responsesModelRules, responsesToolRules } from './responsesSettings.ts'
import { onPath, ruleTable } from './ruleTable.ts'

const MOST_TEXTS = 2048
const EMBEDDING_FIELDS = new Set(['input', 'model', 'dimensions', 'encoding_format', 'user'])
const LONGEST_VECTORS: readonly (readonly [models: RegExp, length: number])[] = [
  [/^text-embedding-3-small/, 1536],
  [/^text-embedding-3-large/, 3072],
]
const EMBEDDINGS = 'https://platform.openai.com/docs/api-reference/embeddings/create'

export const openaiChatRules = onPath('/chat/completions', [
  ...openaiFieldRules,
  ...openaiMessageRules,
  ...openaiToolRules,
  ...openaiFormatRules,
  ...openaiGenerationRules,
])

export const openaiResponsesRules = onPath('/responses', [
  ...responsesFieldRules,
  ...responsesItemRules,
  ...responsesToolRules,
  ...responsesModelRules,
])

export const openaiEmbeddingRules = onPath(
  '/embeddings',
  ruleTable('2026-11-30', {
    'embedding-input-missing': {
      source: EMBEDDINGS,
      refuse: ({ body }) => (isSet(body['input']) ? null : missingParameter('input')),
    },
    'embedding-input-empty': {
      source: EMBEDDINGS,
      refuse: ({ body: { input } }) =>
        input === '' || asArray(input)?.some((text) => text === '') || asArray(input)?.length === 0
          ? badRequest(
              "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
              null,
              null,
            )
          : null,
    },
    'embedding-batch': {
      source: EMBEDDINGS,
      refuse: ({ body }) => {
        const count = asArray(body['input'])?.length ?? 0
        return count > MOST_TEXTS ? longArray('input', MOST_TEXTS, count) : null
      },
    },
    'embedding-field-unknown': {
      source: EMBEDDINGS,
      refuse: ({ body }) => {
        const name = unknownField(body, EMBEDDING_FIELDS)
        return name === null ? null : unknownParameter(name)
      },
    },
    'embedding-format': {
      source: EMBEDDINGS,
      refuse: ({ body: { encoding_format: format } }) =>
        !isSet(format) || format === 'float' || format === 'base64'
          ? null
          : wrongValue('encoding_format', format, ['float', 'base64']),
    },
    'embedding-dimensions': {
      source: 'https://github.com/plastic-labs/honcho/pull/772',
      refuse: ({ model, body }) =>
        isSet(body['dimensions']) && model === 'text-embedding-ada-002'
          ? badRequest('This model does not support specifying dimensions.', null, null)
          : null,
    },
    // How long the vectors of a model can be is documented; the sentence has the form of its neighbours.
    'embedding-dimensions-range': {
      source: 'https://platform.openai.com/docs/guides/embeddings#embedding-models',
      refuse: ({ model, body: { dimensions } }) => {
        const max = LONGEST_VECTORS.find(([models]) => models.test(model))?.[1]
        return (
          wrongField('dimensions', dimensions, 'an integer') ??
          outOfRange('dimensions', dimensions, { kind: 'integer', min: 1, ...(max !== undefined && { max }) })
        )
      },
    },
    'embedding-user-length': {
      source: 'https://github.com/maximhq/bifrost/pull/1000',
      refuse: ({ body }) => longer('user', body['user'], LONGEST_IDENTIFIER),
    },
  }),
)
