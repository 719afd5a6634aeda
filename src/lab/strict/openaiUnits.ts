/**
 * What OpenAI refuses at its endpoints of images, speech and moderation: https://platform.openai.com/docs/api-reference
 * A form has words only, so that its numbers are read from them.
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { isSet, word } from './chatBody.ts'
import { badRequest, longer, outOfRange, unknownParameter, wrongValue } from './openaiWords.ts'
import type { StrictRefusal, StrictRequest } from './rule.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'

const SPEECH = 'https://platform.openai.com/docs/api-reference/audio/createSpeech'
const IMAGES = 'https://platform.openai.com/docs/api-reference/images/create'

/** Models of the service by what they are for; of a name that is in none of them nothing is known. */
const KINDS: readonly (readonly [models: RegExp, kind: Kind])[] = [
  [/^tts-|-tts/, 'speech'],
  [/^whisper|transcribe/, 'transcription'],
  [/^dall-e|^(?:gpt|chatgpt)-image/, 'image'],
  [/^(?:omni|text)-moderation/, 'moderation'],
  [/^text-embedding/, 'embedding'],
  [/^(?:gpt-|o\d|chatgpt-)/, 'chat'],
]
type Kind = 'speech' | 'transcription' | 'image' | 'moderation' | 'embedding' | 'chat'

const PATHS: Readonly<Record<string, Kind>> = {
  '/audio/speech': 'speech',
  '/audio/transcriptions': 'transcription',
  '/audio/translations': 'transcription',
  '/images/generations': 'image',
  '/images/edits': 'image',
  '/images/variations': 'image',
  '/moderations': 'moderation',
}

const IMAGE_MODELS = [
  ...[
    'gpt-image-1',
    'gpt-image-1-mini',
    'gpt-image-1.5',
    'gpt-image-2',
    'chatgpt-image-latest',
    'dall-e-2',
    'dall-e-3',
  ],
]

/**
 * A model of another kind than the path is for: https://github.com/openai/openai-go/issues/85 (speech; for
 * transcriptions callers were told the same), https://github.com/maruel/genai, client_test.go of its
 * providers (images, whose list grows), https://github.com/langgenius/dify/issues/28117 (moderation; told of a model that is
 * gone). Null for a path that is none of these. Read 2026-11-30.
 */
export function refusalOfModel(path: string, model: string): StrictRefusal | null {
  if (path.startsWith('/audio/')) {
    const { body } = badRequest(`Invalid URL (POST /v1${path})`, null, null)
    return { status: 404, body }
  }
  if (path === '/images/generations') return { ...wrongValue('model', model, IMAGE_MODELS) }
  if (path.startsWith('/images/'))
    return badRequest(`Invalid value: '${model}'. Value must be 'dall-e-2'.`, 'model', 'invalid_value')
  return path === '/moderations' ? badRequest('please request omni-moderation-latest', 'model', null) : null
}

function modelOfOtherKind({ path, model }: StrictRequest): StrictRefusal | null {
  const place = Object.keys(PATHS).find((end) => path.endsWith(end))
  const kind = KINDS.find(([models]) => models.test(model))?.[1]
  const isRetired = kind === 'moderation' && model.startsWith('text-')
  if (place === undefined || kind === undefined || (kind === PATHS[place] && !isRetired)) return null
  return refusalOfModel(place, model)
}

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
    refuse: ({ model, body: { quality } }) => oneOf('quality', quality, painterOf(model)?.qualities),
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
      const count = typeof n === 'string' && n !== '' ? Number(n) : n
      return max === undefined ? null : outOfRange('n', count, { kind: 'integer', min: 1, max })
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
  }),
)

const kindRules = ruleTable('2026-11-30', {
  'model-of-other-kind': { source: 'https://github.com/openai/openai-go/issues/85', refuse: modelOfOtherKind },
})

export const openaiUnitRules = [...kindRules, ...speechRules, ...imageRules, ...moderationRules]

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
