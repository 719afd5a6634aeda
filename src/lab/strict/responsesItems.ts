/** What OpenAI refuses in the input of the Responses API: kinds of items, their fields, ids, parts. */

import { asArray, asRecord } from '../../domain/json.ts'
import { isSet, type Placed, placed, typeName, unknownField, word } from './chatBody.ts'
import { lookUp } from './lookUp.ts'
import { wrongFile, wrongImage } from './openaiMedia.ts'
import { readsTextOnly } from './openaiModels.ts'
import {
  badRequest,
  emptyString,
  longer,
  MEASURED,
  missingParameter,
  unknownParameter,
  wrongType,
  wrongValue,
} from './openaiWords.ts'
import { repeated } from './repeated.ts'
import { INPUT_PART_FIELDS, ITEM_SHAPES, ITEM_TYPES, MESSAGE_SHAPES } from './responsesFields.ts'
import { missingOutput, orphanOutput, reasoningAlone } from './responsesPairing.ts'
import type { StrictRefusal } from './rule.ts'
import { first, ruleTable } from './ruleTable.ts'
import { isForeignSignature } from './signatures.ts'

const ROLES = ['assistant', 'system', 'developer', 'user']
const PARTS = [
  'input_text',
  'input_image',
  'output_text',
  'refusal',
  'input_file',
  'computer_screenshot',
  'summary_text',
]
const ASSISTANT_PARTS = ['output_text', 'refusal']
const OUTPUT_PARTS = ['input_text', 'input_image', 'input_file', 'scoped_content']
const LONGEST_ID = 64
const ID_PATTERN = /^[a-zA-Z0-9_-]+$/

export const responsesItemRules = ruleTable('2026-11-29', {
  'item-no-object': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(asArray(body['input']) ?? [], (item, index) =>
        asRecord(item) === undefined ? wrongType(`input[${index}]`, 'an input item', typeName(item)) : null,
      ),
  },
  'item-type-unknown': {
    source: MEASURED,
    refuse: ({ body }) =>
      eachItem(body, ({ path, value: { type } }) => {
        if (!isSet(type) || ITEM_TYPES.includes(word(type))) return null
        return wrongValue(path, typeof type === 'string' ? type : '', ITEM_TYPES)
      }),
  },
  'item-role': {
    source: MEASURED,
    refuse: ({ body }) =>
      eachMessage(body, ({ path, value: { role } }) =>
        ROLES.includes(word(role)) ? null : wrongValue(path, role ?? '', ROLES),
      ),
  },
  'item-content-missing': {
    source: MEASURED,
    refuse: ({ body }) =>
      eachMessage(body, ({ path, value }) => (isSet(value['content']) ? null : missingParameter(`${path}.content`))),
  },
  'item-field-missing': {
    source: 'https://github.com/craft-ai-agents/craft-agents-oss/issues/613',
    refuse: ({ body }) =>
      eachItem(body, ({ path, value }) => {
        const missing = shapeOf(value)?.required.find((name) => !isSet(value[name]))
        return missing === undefined ? null : missingParameter(`${path}.${missing}`)
      }),
  },
  'item-field-unknown': {
    source: 'https://github.com/decolua/9router/issues/2497',
    refuse: ({ body }) =>
      eachItem(body, ({ path, value }) => {
        const known = isMessage(value) ? lookUp(MESSAGE_SHAPES, word(value['role'])) : shapeOf(value)?.fields
        const name = known === undefined ? null : unknownField(value, known)
        return name === null ? null : unknownParameter(`${path}.${name}`)
      }),
  },
  'part-type': {
    source: 'https://github.com/linanwx/nagobot/issues/27',
    refuse: ({ body }) => eachPart(body, wrongPartType),
  },
  'part-field-unknown': {
    source: 'https://github.com/decolua/9router/issues/2497',
    refuse: ({ body }) =>
      eachPart(body, ({ path, value }) => {
        const known = lookUp(INPUT_PART_FIELDS, word(value['type']))
        const name = known === undefined ? null : unknownField(value, known)
        return name === null ? null : unknownParameter(`${path}.${name}`)
      }),
  },
  // The sentence was told of a model that others made, which the same API serves.
  'image-without-eyes': {
    source: 'https://platform.openai.com/docs/models',
    refuse: ({ body, model }) =>
      readsTextOnly(model)
        ? eachPart(body, ({ value }) =>
            value['type'] === 'input_image'
              ? badRequest(
                  `Model '${model}' does not support image inputs. Try again with a vision model. To find out which models are vision-enabled, visit our our models documentation: https://platform.openai.com/docs/models`,
                  'input',
                  null,
                )
              : null,
          )
        : null,
  },
  image: {
    source: 'https://platform.openai.com/docs/guides/images-vision#image-input-requirements',
    refuse: ({ body }) =>
      eachPart(body, ({ path, value }) => {
        const image = value['image_url']
        if (value['type'] !== 'input_image' || !isSet(image)) return null
        if (typeof image !== 'string') return wrongType(`${path}.image_url`, 'a string', typeName(image))
        return wrongImage(`${path}.image_url`, image)
      }),
  },
  file: {
    source: 'https://developers.openai.com/api/docs/guides/file-inputs',
    refuse: ({ body }) =>
      eachPart(body, ({ path, value }) =>
        value['type'] === 'input_file' ? wrongFile(`${path}.file_data`, value['file_data'], DOCUMENTS) : null,
      ),
  },
  'call-id-empty': {
    source: 'https://github.com/AnswerDotAI/fastllm/issues/45',
    refuse: ({ body }) =>
      eachItem(body, ({ path, value }) => (value['call_id'] === '' ? emptyString(`${path}.call_id`) : null)),
  },
  'call-id-length': {
    source: 'https://github.com/AnswerDotAI/fastllm/issues/45',
    refuse: ({ body }) => eachItem(body, ({ path, value }) => longer(`${path}.call_id`, value['call_id'], LONGEST_ID)),
  },
  'item-id': {
    source: 'https://github.com/jlcodes99/cockpit-tools/issues/2090',
    refuse: ({ body }) => eachItem(body, wrongId),
  },
  'item-duplicate': {
    source: 'https://github.com/earendil-works/pi/issues/5148',
    refuse: ({ body }) => {
      const ids = itemsOf(body).flatMap(({ value: { id } }) => (typeof id === 'string' ? [id] : []))
      const id = repeated(ids)
      if (id === null) return null
      const advice = 'Remove duplicate items from your input and try again.'
      return badRequest(`Duplicate item found with id ${id}. ${advice}`, 'input', null)
    },
  },
  'item-not-kept': {
    source: 'https://github.com/can1357/oh-my-pi/issues/41',
    refuse: ({ body }) => (body['store'] === false ? eachItem(body, notKept) : null),
  },
  'encrypted-content-foreign': {
    source: 'https://github.com/openai/codex/issues/8145',
    refuse: ({ body }) => eachItem(body, unverified),
  },
  'output-without-call': {
    source: 'https://github.com/microsoft/vscode/issues/320060',
    refuse: ({ body }) => (continues(body) ? null : orphanOutput(itemsOf(body))),
  },
  'call-without-output': {
    source: 'https://github.com/router-for-me/CLIProxyAPI/issues/2368',
    refuse: ({ body }) => missingOutput(itemsOf(body)),
  },
  'reasoning-alone': {
    source: 'https://github.com/continuedev/continue/issues/8933',
    refuse: ({ body }) => reasoningAlone(itemsOf(body)),
  },
})

type Body = Readonly<Record<string, unknown>>

const DOCUMENTS = {
  takes: (type: string) =>
    /^(?:application\/[\w.+-]+|text\/[\w.+-]+)$/.test(type) && type !== 'application/octet-stream',
  words: 'a valid file MIME type',
}

const itemsOf = (body: Body) => placed(body['input'], 'input')
const isMessage = ({ type }: Body) => !isSet(type) || type === 'message'
const shapeOf = (item: Body) => lookUp(ITEM_SHAPES, word(item['type']))
/** The calls may be in what the service kept. */
const continues = (body: Body) => isSet(body['previous_response_id']) || isSet(body['conversation'])

function eachItem(body: Body, refuse: (item: Placed) => StrictRefusal | null): StrictRefusal | null {
  return first(itemsOf(body), refuse)
}

function eachMessage(body: Body, refuse: (item: Placed) => StrictRefusal | null): StrictRefusal | null {
  return eachItem(body, (item) => (isMessage(item.value) ? refuse(item) : null))
}

function eachPart(body: Body, refuse: (part: Placed, item: Placed) => StrictRefusal | null): StrictRefusal | null {
  return eachItem(body, (item) => {
    const name = isMessage(item.value) ? 'content' : 'output'
    return first(placed(item.value[name], `${item.path}.${name}`), (part) => refuse(part, item))
  })
}

/** A kind that exists but not here is refused at the part, one that exists nowhere at its type. */
function wrongPartType({ path, value: { type } }: Placed, item: Placed): StrictRefusal | null {
  const kind = word(type)
  if (!isMessage(item.value)) return OUTPUT_PARTS.includes(kind) ? null : wrongValue(path, kind, OUTPUT_PARTS)
  if (!PARTS.includes(kind) && kind !== 'input_audio') return wrongValue(`${path}.type`, kind, PARTS)
  const isSaid = ASSISTANT_PARTS.includes(kind)
  if (item.value['role'] === 'assistant') return isSaid ? null : wrongValue(path, kind, ASSISTANT_PARTS)
  return isSaid ? wrongValue(path, kind, OUTPUT_PARTS) : null
}

function wrongId({ path, value }: Placed): StrictRefusal | null {
  const { id } = value
  if (typeof id !== 'string') return null
  const begins = (words: string) => badRequest(`Invalid '${path}.id': '${id}'. ${words}`, `${path}.id`, 'invalid_value')
  if (!ID_PATTERN.test(id))
    return begins(
      'Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.',
    )
  const prefix = isMessage(value) ? 'msg' : shapeOf(value)?.prefix
  if (typeof prefix === 'string' && !id.startsWith(prefix))
    return begins(`Expected an ID that begins with '${prefix}'.`)
  return longer(`${path}.id`, id, LONGEST_ID)
}

/** Cut in the middle as the service cuts it. */
function unverified({ value }: Placed): StrictRefusal | null {
  const content = value['encrypted_content']
  if (typeof content !== 'string' || !isForeignSignature(content, 'openai-responses')) return null
  const shown = `${content.slice(0, 4)}...${content.slice(-4)}`
  return badRequest(`The encrypted content ${shown} could not be verified.`, null, 'invalid_encrypted_content')
}

/** What the service would have to remember. */
function notKept({ value }: Placed): StrictRefusal | null {
  const { id } = value
  const isWhole =
    value['type'] !== 'item_reference' && (value['type'] !== 'reasoning' || isSet(value['encrypted_content']))
  if (typeof id !== 'string' || isWhole) return null
  return {
    status: 404,
    body: {
      error: {
        message: `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
        type: 'invalid_request_error',
        param: 'input',
        code: null,
      },
    },
  }
}
