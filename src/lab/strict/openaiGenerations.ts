/** What OpenAI refuses by the generation of the model: sampling, efforts, stop sequences beside reasoning. */

import { asArray } from '../../domain/json.ts'
import { firstPart, isSet, word } from './chatBody.ts'
import { chatEfforts, isPlain, openaiModel, reasons, takesSampling } from './openaiModels.ts'
import {
  badRequest,
  listed,
  MEASURED,
  missingParameter,
  unrecognized,
  unsupportedParameter,
  wrongValue,
} from './openaiWords.ts'
import type { StrictRefusal, StrictRequest } from './rule.ts'
import { first, ruleTable } from './ruleTable.ts'

/** What a model that reasons does not take, and one that is told not to reason does. */
const SAMPLING = ['top_p', 'presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs']

export const openaiGenerationRules = ruleTable('2026-11-29', {
  'stop-on-reasoning': {
    source: 'https://github.com/huggingface/smolagents/issues/1671',
    refuse: ({ body, model }) =>
      reasons(openaiModel(model))
        ? first(['stop', 'logit_bias', 'prediction'], (name) => (isSet(body[name]) ? unsupportedParameter(name) : null))
        : null,
  },
  'max-tokens-on-reasoning': {
    source: MEASURED,
    refuse: ({ body, model }) =>
      isSet(body['max_tokens']) && reasons(openaiModel(model)) ? useCompletionTokens() : null,
  },
  'temperature-on-reasoning': {
    source: MEASURED,
    refuse: ({ body, model }) => {
      const { temperature } = body
      if (!isSet(temperature) || temperature === 1 || takesSampling(openaiModel(model), body['reasoning_effort']))
        return null
      return unsupportedValue('temperature', temperature, 'Only the default (1) value is supported.')
    },
  },
  'sampling-on-reasoning': {
    source: MEASURED,
    refuse: ({ body, model }) => {
      if (takesSampling(openaiModel(model), body['reasoning_effort'])) return null
      return first(SAMPLING, (name) =>
        isSet(body[name]) && !isUsual(name, body[name]) ? unsupportedParameter(name) : null,
      )
    },
  },
  'modality-unknown': {
    source: 'https://github.com/Anionex/banana-slides/issues/140',
    refuse: ({ body }) =>
      first(asArray(body['modalities']) ?? [], (modality, index) =>
        MODALITIES.includes(word(modality)) ? null : wrongValue(`modalities[${index}]`, modality, MODALITIES),
      ),
  },
  // Which models speak is documented, and that they must be told how; the sentences are those of other fields.
  'audio-output': {
    source: 'https://platform.openai.com/docs/guides/audio',
    refuse: ({ body, model }) =>
      wantsAudio(body) && openaiModel(model).isKnown && !speaks(model)
        ? unsupportedValue('modalities', 'audio', "Supported values are: 'text'.")
        : null,
  },
  'audio-unspecified': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-audio',
    refuse: ({ body }) => (wantsAudio(body) && !isSet(body['audio']) ? missingParameter('audio') : null),
  },
  'audio-absent': {
    source: 'https://github.com/CherryHQ/cherry-studio/issues/1179',
    refuse: ({ body, model }) =>
      speaks(model) && !wantsAudio(body) && firstPart(body, 'input_audio') === null
        ? badRequest(
            'This model requires that either input content or output modality contain audio.',
            'model',
            'invalid_value',
          )
        : null,
  },
  'verbosity-before-5': {
    source: 'https://github.com/google-deepmind/concordia/issues/164',
    refuse: ({ body, model }) => wrongVerbosity('verbosity', body['verbosity'], model),
  },
  'effort-without-reasoning': {
    source: 'https://github.com/coroot/coroot/issues/698',
    refuse: ({ body, model }) =>
      isSet(body['reasoning_effort']) && isPlain(openaiModel(model)) ? unrecognized('reasoning_effort') : null,
  },
  'effort-value': {
    source: 'https://github.com/pydantic/pydantic-ai/issues/7081',
    refuse: ({ body, model }) => {
      const efforts = chatEfforts(openaiModel(model))
      const effort = body['reasoning_effort']
      if (!isSet(effort) || efforts.length === 0 || efforts.includes(word(effort))) return null
      return unsupportedValue('reasoning_effort', effort, `Supported values are: ${listed(efforts)}.`)
    },
  },
})

const MODALITIES = ['text', 'audio']
const wantsAudio = (body: StrictRequest['body']) => asArray(body['modalities'])?.includes('audio') === true
const speaks = (model: string) => /^gpt-audio|-audio/.test(model)

/** Before GPT-5 it cannot be chosen. */
export function wrongVerbosity(param: string, value: unknown, model: string): StrictRefusal | null {
  const isChosen = isSet(value) && value !== 'medium' && /^(?:gpt-[34]|o\d|chatgpt-4o)/.test(model)
  return isChosen ? unsupportedValue(param, value, "Supported values are: 'medium'.") : null
}

function unsupportedValue(param: string, value: unknown, advice: string): StrictRefusal {
  return badRequest(
    `Unsupported value: '${param}' does not support ${typeof value === 'string' ? `'${value}'` : word(value)} with this model. ${advice}`,
    param,
    'unsupported_value',
  )
}

function useCompletionTokens(): StrictRefusal {
  return badRequest(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    'max_tokens',
    'unsupported_parameter',
  )
}

/** The value that is meant when nothing is said is taken everywhere. */
const isUsual = (name: string, value: unknown) =>
  value === false || value === (name === 'top_p' ? 1 : name.endsWith('penalty') ? 0 : undefined)
