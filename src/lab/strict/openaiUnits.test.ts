/** What the simulated images, speech and moderation of OpenAI refuse and take, row by row. */

import { describe, expect, test } from 'vitest'
import { firstRefusal, type StrictCase, testTable } from '../../../test/support/strictTable.ts'
import { openaiUnitRules } from './openaiUnits.ts'
import type { StrictRequest } from './rule.ts'

type Body = Readonly<Record<string, unknown>>
type Row = readonly [rule: string, says: string, path: string, refused: Body, taken: Body, status?: number]

const ask = (path: string, fields: Body): StrictRequest => {
  const body = { model: USUAL[path], ...fields }
  return { service: 'openai', model: String(body.model), path, headers: {}, body }
}

const SPEAK = '/audio/speech'
const HEAR = '/audio/transcriptions'
const DRAW = '/images/generations'
const EDIT = '/images/edits'
const JUDGE = '/moderations'
const CHAT = '/chat/completions'
const COMPLETE = '/completions'
const EMBED = '/embeddings'
const VARY = '/images/variations'
const USUAL: Readonly<Record<string, string>> = {
  [SPEAK]: 'gpt-4o-mini-tts',
  [HEAR]: 'whisper-1',
  [DRAW]: 'gpt-image-1',
  [EDIT]: 'gpt-image-1',
  [JUDGE]: 'omni-moderation-latest',
  [CHAT]: 'gpt-4.1',
  [COMPLETE]: 'gpt-3.5-turbo-instruct',
  [EMBED]: 'text-embedding-3-small',
  [VARY]: 'dall-e-2',
}
const OLD = { model: 'tts-1' }
const DALL_E_2 = { model: 'dall-e-2' }
const DALL_E_3 = { model: 'dall-e-3' }
const VOICES = "'nova', 'shimmer', 'echo', 'onyx', 'fable', 'alloy', 'ash', 'sage' or 'coral'"
const NO_CHAT =
  'This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?'
const PICTURE = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
const long = (length: number) => 'x'.repeat(length)

const ROWS: readonly Row[] = [
  ['model-of-other-kind', 'Invalid URL (POST /v1/audio/speech)', SPEAK, { model: 'whisper-1' }, OLD, 404],
  ['model-of-other-kind', 'Invalid URL (POST /v1/audio/speech)', SPEAK, { model: 'gpt-4' }, { model: 'own' }, 404],
  [
    'model-of-other-kind',
    'Invalid URL (POST /v1/audio/transcriptions)',
    HEAR,
    OLD,
    { model: 'gpt-4o-transcribe' },
    404,
  ],
  [
    'model-of-other-kind',
    "Invalid value: 'gpt-4o'. Supported values are: 'gpt-image-1', 'gpt-image-1-mini', 'gpt-image-1.5', 'gpt-image-2', 'chatgpt-image-latest', 'dall-e-2', and 'dall-e-3'.",
    DRAW,
    { model: 'gpt-4o' },
    DALL_E_3,
  ],
  ['model-of-other-kind', "Invalid value: 'gpt-4o'. Value must be 'dall-e-2'.", EDIT, { model: 'gpt-4o' }, DALL_E_2],
  ['model-of-other-kind', 'please request omni-moderation-latest', JUDGE, { model: 'gpt-4o' }, {}],
  ['model-of-other-kind', 'please request omni-moderation-latest', JUDGE, { model: 'text-moderation-latest' }, {}],
  ['model-of-other-kind', "Invalid value: 'dall-e-3'. Value must be 'dall-e-2'.", EDIT, DALL_E_3, {}],
  [
    'model-of-other-kind',
    "Invalid value: 'gpt-image-1'. Value must be 'dall-e-2'.",
    VARY,
    { model: 'gpt-image-1' },
    {},
  ],
  ['model-of-other-kind', NO_CHAT, CHAT, { model: 'text-embedding-3-small' }, { model: 'gpt-4o-audio-preview' }, 404],
  ['model-of-other-kind', NO_CHAT, CHAT, { model: 'gpt-3.5-turbo-instruct' }, { model: 'gpt-3.5-turbo' }, 404],
  ['model-of-other-kind', NO_CHAT, CHAT, { model: 'gpt-4o-realtime-preview' }, { model: 'gpt-4o' }, 404],
  [
    'model-of-other-kind',
    'This model is only supported in v1/responses and not in v1/chat/completions.',
    CHAT,
    { model: 'gpt-5-codex' },
    { model: 'gpt-5' },
    404,
  ],
  [
    'model-of-other-kind',
    'This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?',
    COMPLETE,
    { model: 'gpt-3.5-turbo' },
    { model: 'davinci-002' },
    404,
  ],
  [
    'model-of-other-kind',
    'You are not allowed to generate embeddings from this model',
    EMBED,
    { model: 'gpt-4o' },
    { model: 'text-embedding-ada-002' },
    403,
  ],
  [
    'transcription-format',
    "response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'. Use 'json' or 'text' instead.",
    HEAR,
    { model: 'gpt-4o-transcribe', response_format: 'verbose_json' },
    { response_format: 'verbose_json' },
  ],
  [
    'transcription-format',
    "Invalid value: 'xml'. Supported values are: 'json', 'text', 'srt', 'verbose_json', 'vtt', and 'diarized_json'.",
    HEAR,
    { response_format: 'xml' },
    { model: 'gpt-4o-transcribe-diarize', response_format: 'diarized_json' },
  ],
  [
    'speech-voice',
    `[{'type': 'enum', 'loc': ('body', 'voice'), 'msg': "Input should be ${VOICES}", 'input': 'cedar'}]`,
    SPEAK,
    { ...OLD, voice: 'cedar' },
    { ...OLD, voice: 'nova' },
  ],
  [
    'speech-voice',
    "Invalid value: 'nobody'. Supported values are: 'alloy', 'ash', 'ballad', 'coral', 'echo', 'fable', 'onyx', 'nova', 'sage', 'shimmer', 'verse', 'marin', and 'cedar'.",
    SPEAK,
    { voice: 'nobody' },
    { voice: { id: 'voice_1' } },
  ],
  [
    'speech-input-length',
    `[{'type': 'string_too_long', 'loc': ('body', 'input'), 'msg': 'String should have at most 4096 characters', 'input': '${long(4097)}'}]`,
    SPEAK,
    { ...OLD, input: long(4097) },
    { ...OLD, input: long(4096) },
  ],
  [
    'speech-input-length',
    "Invalid 'input': string too long. Expected a string with maximum length 4096, but got a string with length 4097 instead.",
    SPEAK,
    { input: long(4097) },
    { input: long(4096) },
  ],
  [
    'speech-speed',
    "[{'type': 'less_than_equal', 'loc': ('body', 'speed'), 'msg': 'Input should be less than or equal to 4', 'input': 4.5}]",
    SPEAK,
    { ...OLD, speed: 4.5 },
    { ...OLD, speed: 4 },
  ],
  [
    'speech-speed',
    "[{'type': 'greater_than_equal', 'loc': ('body', 'speed'), 'msg': 'Input should be greater than or equal to 0.25', 'input': 0.2}]",
    SPEAK,
    { ...OLD, speed: 0.2 },
    { ...OLD, speed: 0.25 },
  ],
  [
    'speech-speed',
    "Invalid 'speed': decimal above maximum value. Expected a value <= 4, but got 5 instead.",
    SPEAK,
    { speed: 5 },
    { speed: 1 },
  ],
  [
    'speech-format',
    "[{'type': 'enum', 'loc': ('body', 'response_format'), 'msg': \"Input should be 'mp3', 'opus', 'aac', 'flac', 'wav' or 'pcm'\", 'input': 'ogg'}]",
    SPEAK,
    { ...OLD, response_format: 'ogg' },
    { ...OLD, response_format: 'opus' },
  ],
  [
    'speech-format',
    "Invalid value: 'ogg'. Supported values are: 'mp3', 'opus', 'aac', 'flac', 'wav', and 'pcm'.",
    SPEAK,
    { response_format: 'ogg' },
    { response_format: 'wav' },
  ],
  [
    'image-size',
    "Invalid value: '1792x1024'. Supported values are: '1024x1024', '1024x1536', '1536x1024', and 'auto'.",
    DRAW,
    { size: '1792x1024' },
    { size: 'auto' },
  ],
  [
    'image-size',
    'The size is not supported by this model.',
    DRAW,
    { ...DALL_E_3, size: '256x256' },
    { ...DALL_E_3, size: '1792x1024' },
  ],
  [
    'image-size',
    "Invalid value: '1536x1024'. Supported values are: '256x256', '512x512', and '1024x1024'.",
    EDIT,
    { ...DALL_E_2, size: '1536x1024' },
    { model: 'gpt-image-2', size: '1536x864' },
  ],
  [
    'image-quality',
    "Invalid value: 'standard'. Supported values are: 'low', 'medium', 'high', and 'auto'.",
    DRAW,
    { quality: 'standard' },
    { ...DALL_E_3, quality: 'standard' },
  ],
  [
    'image-quality',
    "Unknown parameter: 'quality'.",
    DRAW,
    { ...DALL_E_2, quality: 'standard' },
    { ...DALL_E_3, quality: 'hd' },
  ],
  ['image-style', "Unknown parameter: 'style'.", DRAW, { style: 'vivid' }, { ...DALL_E_3, style: 'vivid' }],
  [
    'image-style',
    "Invalid value: 'odd'. Supported values are: 'vivid' and 'natural'.",
    DRAW,
    { ...DALL_E_3, style: 'odd' },
    { ...DALL_E_3, style: 'natural' },
  ],
  [
    'image-output',
    "Invalid value: 'gif'. Supported values are: 'png', 'jpeg', and 'webp'.",
    DRAW,
    { output_format: 'gif' },
    { output_format: 'webp', background: 'transparent', moderation: 'low' },
  ],
  [
    'image-output',
    "Unknown parameter: 'background'.",
    DRAW,
    { ...DALL_E_3, background: 'opaque' },
    { background: 'opaque' },
  ],
  [
    'image-compression',
    "Invalid 'output_compression': integer above maximum value. Expected a value <= 100, but got 101 instead.",
    EDIT,
    { output_compression: '101' },
    { output_compression: '100' },
  ],
  [
    'image-response-format',
    "Unknown parameter: 'response_format'.",
    DRAW,
    { response_format: 'b64_json' },
    { ...DALL_E_3, response_format: 'b64_json' },
  ],
  [
    'image-response-format',
    "Invalid value: 'png'. Supported values are: 'url' and 'b64_json'.",
    DRAW,
    { ...DALL_E_2, response_format: 'png' },
    { ...DALL_E_2, response_format: 'url' },
  ],
  [
    'image-count',
    "Invalid 'n': integer above maximum value. Expected a value <= 10, but got 11 instead.",
    EDIT,
    { n: '11' },
    { n: '10' },
  ],
  [
    'image-count',
    "Invalid 'n': integer above maximum value. Expected a value <= 1, but got 2 instead.",
    DRAW,
    { ...DALL_E_3, n: 2 },
    { ...DALL_E_3, n: 1 },
  ],
  [
    'image-prompt-length',
    "Invalid 'prompt': string too long. Expected a string with maximum length 1000, but got a string with length 1001 instead.",
    DRAW,
    { ...DALL_E_2, prompt: long(1001) },
    { ...DALL_E_3, prompt: long(1001) },
  ],
  [
    'moderation-input-type',
    "Invalid value: 'image'. Supported values are: 'text' and 'image_url'.",
    JUDGE,
    { input: ['Hi', { type: 'image' }] },
    { input: ['Hi', { type: 'text', text: 'Hi' }] },
  ],
  [
    'moderation-images',
    'Number of images (2) exceeds maximum of 1',
    JUDGE,
    { input: [PICTURE, PICTURE] },
    { input: [{ type: 'text', text: 'Hi' }, PICTURE] },
  ],
]

describe('images, speech and moderation', () => {
  testTable(
    openaiUnitRules,
    ROWS.map(([rule, says, path, refused, taken, status]): StrictCase => {
      const both = { refused: ask(path, refused), taken: ask(path, taken) }
      return { rule, says, ...both, ...(status !== undefined && { status }) }
    }),
  )

  test.each([
    'llama-3.3-70b-instruct',
    'my-codex',
    'any-realtime',
    'mini-deep-research',
  ])('nothing is known of %s, which is not of OpenAI', (model) =>
    expect(firstRefusal(openaiUnitRules, ask(CHAT, { model }))).toBeNull())

  test('are not asked about other paths', () => {
    expect(firstRefusal(openaiUnitRules, { ...ask(DRAW, { n: 99 }), path: '/responses' })).toBeNull()
  })
})
