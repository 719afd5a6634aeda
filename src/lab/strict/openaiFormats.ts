/** What OpenAI refuses in the form of an answer and in images, files and audio. */

import { asRecord } from '../../domain/json.ts'
import { allWords, isSet, messagesOf, type Placed, partsOf, within, word } from './chatBody.ts'
import { wrongFile, wrongImage } from './openaiMedia.ts'
import { schemaComplaint } from './openaiSchema.ts'
import {
  badRequest,
  longer,
  MEASURED,
  missingParameter,
  NAME_PATTERN,
  otherPattern,
  wrongType,
  wrongValue,
} from './openaiWords.ts'
import type { StrictRefusal, StrictRequest } from './rule.ts'
import { first, ruleTable } from './ruleTable.ts'

export const openaiFormatRules = ruleTable('2026-11-29', {
  'response-format': {
    source: MEASURED,
    refuse: ({ body }) => wrongFormat(body['response_format']),
  },
  'json-word': {
    source: 'https://platform.openai.com/docs/guides/structured-outputs#json-mode',
    refuse: jsonWord,
  },
  'response-schema': {
    source: 'https://platform.openai.com/docs/guides/structured-outputs#supported-schemas',
    refuse: ({ body }) => wrongResponseSchema(asRecord(asRecord(body['response_format'])?.['json_schema'])),
  },
  image: {
    source: 'https://platform.openai.com/docs/guides/images-vision#image-input-requirements',
    refuse: ({ body }) => eachPart(body, wrongImagePart),
  },
  file: {
    source: 'https://developers.openai.com/api/docs/guides/file-inputs',
    refuse: ({ body }) =>
      eachPart(body, (part) => {
        const file = within(part, 'file')
        return file === null ? null : wrongFile(`${file.path}.file_data`, file.value['file_data'], PDF_ONLY)
      }),
  },
  'audio-format': {
    source: 'https://platform.openai.com/docs/guides/audio',
    refuse: ({ body }) =>
      eachPart(body, (part) => {
        const format = within(part, 'input_audio')?.value['format']
        const isTaken = format === undefined || format === 'wav' || format === 'mp3'
        return isTaken ? null : wrongValue(`${part.path}.input_audio.format`, format, ['wav', 'mp3'])
      }),
  },
})

const PDF_ONLY = { takes: (type: string) => type === 'application/pdf', words: 'an application/pdf MIME type' }

function wrongFormat(value: unknown): StrictRefusal | null {
  const format = asRecord(value)
  if (format === undefined) return null
  const { type } = format
  if (!isSet(type)) return missingParameter('response_format.type')
  if (!['text', 'json_object', 'json_schema'].includes(word(type)))
    return wrongValue('response_format.type', type, ['json_object', 'json_schema', 'text'])
  if (type !== 'json_schema') return null
  const schema = asRecord(format['json_schema'])
  if (schema === undefined) return missingParameter('response_format.json_schema')
  return wrongFormatName('response_format.json_schema.name', schema['name'])
}

/** The name of a schema, in Chat Completions and Responses. */
export function wrongFormatName(path: string, name: unknown): StrictRefusal | null {
  if (typeof name !== 'string') return missingParameter(path)
  return longer(path, name, 64) ?? (new RegExp(NAME_PATTERN).test(name) ? null : otherPattern(path, NAME_PATTERN))
}

/** JSON mode wants to be asked for in words too. */
export function jsonWord({ body }: StrictRequest): StrictRefusal | null {
  if (asRecord(body['response_format'])?.['type'] !== 'json_object' || /json/i.test(allWords(body['messages'])))
    return null
  return badRequest(
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    'messages',
    null,
  )
}

function wrongResponseSchema(format: Readonly<Record<string, unknown>> | undefined): StrictRefusal | null {
  const complaint = schemaComplaint(format?.['schema'], format?.['strict'] === true)
  if (complaint === null) return null
  return badRequest(
    `Invalid schema for response_format '${word(format?.['name'])}': ${complaint}`,
    'response_format',
    null,
  )
}

function eachPart(
  body: Readonly<Record<string, unknown>>,
  refuse: (part: Placed) => StrictRefusal | null,
): StrictRefusal | null {
  return first(messagesOf(body), (message) => first(partsOf(message), refuse))
}

function wrongImagePart({ path, value }: Placed): StrictRefusal | null {
  const image = value['image_url']
  if (value['type'] !== 'image_url') return null
  if (typeof image === 'string') return wrongType(`${path}.image_url`, 'an object', 'a string')
  return wrongImage(`${path}.image_url.url`, asRecord(image)?.['url'])
}
