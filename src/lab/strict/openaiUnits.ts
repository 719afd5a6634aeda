/**
 * What OpenAI refuses at its endpoints of images, speech, transcription and moderation: https://platform.openai.com/docs/api-reference
 * A form has words only, so that its numbers are read from them.
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { isSet, word } from './chatBody.ts'
import { openaiKindRules } from './openaiKinds.ts'
import { badRequest, longer, outOfRange, unknownParameter, wrongValue } from './openaiWords.ts'
import type { StrictRefusal, StrictRequest } from './rule.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'

const SPEECH = 'https://platform.openai.com/docs/api-reference/audio/createSpeech'
const IMAGES = 'https://platform.openai.com/docs/api-reference/images/create'

/** The older models of speech are checked by another program, whose findings the service shows as they are. */
const isOlderVoice = (model: string) => model.startsWith('tts-1')

const VOICES = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'fable', 'onyx', 'nova', 'sage', 'shimmer', 'verse']
const NEWER_VOICES = [...VOICES, 'marin', 'cedar']
const OLDER_VOICES = ['nova', 'shimmer', 'echo', 'onyx', 'fable', 'alloy', 'ash', 'sage', 'coral']
const SOUNDS = ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']
const LONGEST_SPEECH = 4096
const SPEEDS = { kind: 'decimal', min: 0.25, max: 4 } as const

const speechRules = onPath(
  '/audio/speech',
  ruleTable('2026-11-30', {
    'speech-voice': {
      source: 'https://platform.openai.com/docs/guides/text-to-speech#voice-options',
      refuse: ({ model, body: { voice } }) => {
        // A voice of the caller's own is an object.
        if (typeof voice !== 'string') return null
        if (!isOlderVoice(model)) return oneOf('voice', voice, NEWER_VOICES)
        return OLDER_VOICES.includes(voice)
          ? null
          : finding('voice', 'enum', `Input should be ${either(OLDER_VOICES)}`, voice)
      },
    },
    'speech-input-length': {
      source: 'https://github.com/metadist/synaplan/issues/1665',
      refuse: ({ model, body: { input } }) => {
        if (!isOlderVoice(model)) return longer('input', input, LONGEST_SPEECH)
        return typeof input === 'string' && input.length > LONGEST_SPEECH
          ? finding('input', 'string_too_long', `String should have at most ${LONGEST_SPEECH} characters`, input)
          : null
      },
    },
    // The bounds are documented; the sentences have the form of their neighbours, as do those of the format.
    'speech-speed': {
      source: `${SPEECH}#audio-createspeech-speed`,
      refuse: ({ model, body: { speed } }) => {
        if (typeof speed !== 'number' || (speed >= SPEEDS.min && speed <= SPEEDS.max)) return null
        if (!isOlderVoice(model)) return outOfRange('speed', speed, SPEEDS)
        return speed < SPEEDS.min
          ? finding('speed', 'greater_than_equal', `Input should be greater than or equal to ${SPEEDS.min}`, speed)
          : finding('speed', 'less_than_equal', `Input should be less than or equal to ${SPEEDS.max}`, speed)
      },
    },
    'speech-format': {
      source: `${SPEECH}#audio-createspeech-response_format`,
      refuse: ({ model, body: { response_format: format } }) => {
        if (!isSet(format) || SOUNDS.includes(word(format))) return null
        return isOlderVoice(model)
          ? finding('response_format', 'enum', `Input should be ${either(SOUNDS)}`, word(format))
          : wrongValue('response_format', format, SOUNDS)
      },
    },
  }),
)

const TRANSCRIPTS = ['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json']

const transcriptionRules = onPath(
  '/audio/transcriptions',
  ruleTable('2026-11-30', {
    // That a value is none at all is said in the form of its neighbours.
    'transcription-format': {
      source: 'https://github.com/openai/openai-dotnet/issues/401',
      refuse: ({ model, body: { response_format: format } }) => {
        const isPlain = model.includes('transcribe') && !model.includes('diarize')
        if (!isPlain || !isSet(format) || !TRANSCRIPTS.includes(word(format)))
          return oneOf('response_format', format, TRANSCRIPTS)
        if (format === 'json' || format === 'text') return null
        const says = `response_format '${word(format)}' is not compatible with model '${model}'. Use 'json' or 'text' instead.`
        return badRequest(says, 'response_format', 'unsupported_value')
      },
    },
  }),
)

interface Painter {
  /** Null: sizes are many, and not checked here. */
  readonly sizes: readonly string[] | null
  readonly qualities: readonly string[]
  readonly most: number
  readonly longestPrompt: number
}

const PAINTERS: readonly (readonly [models: RegExp, facts: Painter])[] = [
  [/^dall-e-2/, { sizes: ['256x256', '512x512', '1024x1024'], qualities: ['standard'], most: 10, longestPrompt: 1000 }],
  [
    /^dall-e-3/,
    { sizes: ['1024x1024', '1792x1024', '1024x1792'], qualities: ['standard', 'hd'], most: 1, longestPrompt: 4000 },
  ],
  [
    /^(?:gpt|chatgpt)-image/,
    {
      sizes: ['1024x1024', '1024x1536', '1536x1024', 'auto'],
      qualities: ['low', 'medium', 'high', 'auto'],
      most: 10,
      longestPrompt: 32_000,
    },
  ],
]

const isGpt = (model: string) => model.includes('gpt-image')
const isDallE = (model: string) => model.startsWith('dall-e')

/** What a form says in words. */
const numberIn = (value: unknown) => (typeof value === 'string' && value !== '' ? Number(value) : value)

const PERCENT = { kind: 'integer', min: 0, max: 100 } as const
const OUTPUTS = {
  background: ['transparent', 'opaque', 'auto'],
  output_format: ['png', 'jpeg', 'webp'],
  moderation: ['low', 'auto'],
}

/** From 2 on any size is taken whose sides are multiples of 16. */
function painterOf(model: string): Painter | null {
  const facts = PAINTERS.find(([models]) => models.test(model))?.[1] ?? null
  return facts !== null && /image-(?:[2-9]|latest)/.test(model) ? { ...facts, sizes: null } : facts
}

const imageTable = ruleTable('2026-11-30', {
  'image-size': {
    source: 'https://github.com/pollinations/pollinations/issues/5037',
    refuse: ({ model, body: { size } }) => {
      const sizes = painterOf(model)?.sizes
      if (!isSet(size) || !sizes || sizes.includes(word(size))) return null
      // https://github.com/redevrx/chat_gpt_sdk/issues/93
      return model.startsWith('dall-e-3')
        ? badRequest('The size is not supported by this model.', null, 'invalid_size')
        : wrongValue('size', size, sizes)
    },
  },
  'image-quality': {
    source: 'https://github.com/griptape-ai/griptape-nodes-engine/issues/1031',
    refuse: ({ model, path, body: { quality } }) => {
      // Documented as `standard`, and refused all the same: https://github.com/Code-with-Beto/snapai/issues/6
      const isStrange = model.startsWith('dall-e-2') && path.endsWith('/generations')
      if (isStrange && isSet(quality)) return unknownParameter('quality')
      return oneOf('quality', quality, painterOf(model)?.qualities)
    },
  },
  'image-style': {
    source: 'https://github.com/langchain4j/langchain4j/pull/3271',
    refuse: ({ model, body: { style } }) => {
      if (!isSet(style) || painterOf(model) === null) return null
      return model.startsWith('dall-e-3') ? oneOf('style', style, ['vivid', 'natural']) : unknownParameter('style')
    },
  },
  // Documented, and that they are for the GPT models only; the sentences have the form of their neighbours.
  'image-output': {
    source: `${IMAGES}#images-create-output_format`,
    refuse: ({ model, body }) =>
      first(Object.entries(OUTPUTS), ([name, values]) => {
        if (!isSet(body[name])) return null
        return isDallE(model) ? unknownParameter(name) : isGpt(model) ? oneOf(name, body[name], values) : null
      }),
  },
  'image-compression': {
    source: `${IMAGES}#images-create-output_compression`,
    refuse: ({ model, body: { output_compression: percent } }) => {
      if (!isSet(percent)) return null
      if (isDallE(model)) return unknownParameter('output_compression')
      return isGpt(model) ? outOfRange('output_compression', numberIn(percent), PERCENT) : null
    },
  },
  'image-response-format': {
    source: 'https://github.com/lofcz/LLMTornado/issues/155',
    refuse: ({ model, body: { response_format: format } }) => {
      if (!isSet(format)) return null
      return isGpt(model)
        ? unknownParameter('response_format')
        : oneOf('response_format', format, painterOf(model) && ['url', 'b64_json'])
    },
  },
  // Documented; the sentences have the form of their neighbours.
  'image-count': {
    source: `${IMAGES}#images-create-n`,
    refuse: ({ model, body: { n } }) => {
      const max = painterOf(model)?.most
      return max === undefined ? null : outOfRange('n', numberIn(n), { kind: 'integer', min: 1, max })
    },
  },
  'image-prompt-length': {
    source: `${IMAGES}#images-create-prompt`,
    refuse: ({ model, body: { prompt } }) =>
      longer('prompt', prompt, painterOf(model)?.longestPrompt ?? Number.POSITIVE_INFINITY),
  },
})

const imageRules = imageTable.map((rule) => ({
  ...rule,
  refuse: (request: StrictRequest) => (/\/images\/\w+$/.test(request.path) ? rule.refuse(request) : null),
}))

const moderationRules = onPath(
  '/moderations',
  ruleTable('2026-11-30', {
    // What is judged is documented; the sentence has the form of its neighbours.
    'moderation-input-type': {
      source: 'https://platform.openai.com/docs/api-reference/moderations/create#moderations-create-input',
      refuse: ({ body }) =>
        first(asArray(body['input']) ?? [], (item, index) =>
          asRecord(item) === undefined
            ? null
            : oneOf(`input[${index}].type`, asString(asRecord(item)?.['type']) ?? '', ['text', 'image_url']),
        ),
    },
    'moderation-images': {
      source: 'https://github.com/antiwork/gumroad/pull/4709',
      refuse: ({ body }) => {
        const parts = (asArray(body['input']) ?? []).map((item) => asRecord(item)?.['type'])
        const count = parts.filter((type) => type === 'image_url').length
        const says = `Number of images (${count}) exceeds maximum of 1`
        return count > 1 ? badRequest(says, 'input', 'too_many_images') : null
      },
    },
  }),
)

export const openaiUnitRules = [
  ...openaiKindRules,
  ...speechRules,
  ...transcriptionRules,
  ...imageRules,
  ...moderationRules,
]

function oneOf(path: string, value: unknown, values: readonly string[] | null | undefined): StrictRefusal | null {
  return !isSet(value) || !values || values.includes(word(value)) ? null : wrongValue(path, value, values)
}

/** `'a', 'b' or 'c'` */
function either(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`)
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

/** A list of one finding, written in Python: https://github.com/metadist/synaplan/issues/1665 */
function finding(field: string, type: string, says: string, input: string | number): StrictRefusal {
  const value = typeof input === 'string' ? `'${input}'` : input
  const sentence = says.includes("'") ? `"${says}"` : `'${says}'`
  return badRequest(
    `[{'type': '${type}', 'loc': ('body', '${field}'), 'msg': ${sentence}, 'input': ${value}}]`,
    null,
    null,
  )
}
