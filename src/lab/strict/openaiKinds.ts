/** What OpenAI's models are for, and how a model is refused at an endpoint that is for another kind. */

import { badRequest, wrongValue } from './openaiWords.ts'
import type { StrictRefusal, StrictRequest } from './rule.ts'
import { ruleTable } from './ruleTable.ts'

type Kind =
  | 'realtime'
  | 'speech'
  | 'transcription'
  | 'image'
  | 'moderation'
  | 'embedding'
  | 'completion'
  | 'responses'
  | 'chat'

/** The first that matches; of a name that is in none of them nothing is known. */
const KINDS: readonly (readonly [models: RegExp, kind: Kind])[] = [
  [/^gpt-(?:.*-)?realtime/, 'realtime'],
  [/^tts-|-tts/, 'speech'],
  [/^whisper|transcribe/, 'transcription'],
  [/^dall-e|^(?:gpt|chatgpt)-image/, 'image'],
  [/^(?:omni|text)-moderation/, 'moderation'],
  [/^text-embedding/, 'embedding'],
  [/^gpt-3\.5-turbo-instruct|^(?:babbage|davinci)-002/, 'completion'],
  [/^codex-|^gpt-.*-codex|^(?:o\d|gpt-).*deep-research|^(?:o\d|gpt-5(?:\.\d)?)-pro/, 'responses'],
  [/^(?:gpt-|o\d|chatgpt-)/, 'chat'],
]

/** The first whose end matches. */
const PATHS: readonly (readonly [end: string, kind: Kind])[] = [
  ['/chat/completions', 'chat'],
  ['/completions', 'completion'],
  ['/embeddings', 'embedding'],
  ['/audio/speech', 'speech'],
  ['/audio/transcriptions', 'transcription'],
  ['/audio/translations', 'transcription'],
  ['/images/generations', 'image'],
  ['/images/edits', 'image'],
  ['/images/variations', 'image'],
  ['/moderations', 'moderation'],
]

const IMAGE_MODELS = [
  'gpt-image-1',
  'gpt-image-1-mini',
  'gpt-image-1.5',
  'gpt-image-2',
  'chatgpt-image-latest',
  'dall-e-2',
  'dall-e-3',
]

const NOT_CHAT =
  'This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?'
const ONLY_CHAT =
  'This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?'
const ONLY_RESPONSES = 'This model is only supported in v1/responses and not in v1/chat/completions.'

/**
 * Told to be no chat models: https://github.com/egoist/chatwise-releases/issues/1256 and
 * https://github.com/aaif-goose/goose/issues/2564 (2026-11-30)
 */
const isToldNoChat = (model: string) => /^gpt-5\.3-codex|^o3-pro/.test(model)

/**
 * A model of another kind than the path is for. Null for a path that is none of these. Seen at
 * https://github.com/SciSharp/BotSharp/pull/959 (chats of a realtime model; taken to be said of every other kind),
 * https://github.com/alvinunreal/tmuxai/issues/82 (chats of a model that only the Responses API has),
 * https://github.com/hegelai/prompttools/issues/115 (completions), https://github.com/infiniflow/ragflow/issues/1835
 * (embeddings), https://github.com/openai/openai-go/issues/85 (speech; for transcriptions callers were told the same),
 * https://github.com/maruel/genai, client_test.go of its providers (images, whose list grows),
 * https://github.com/langgenius/dify/issues/28117 (moderation; told of a model that is gone). Read 2026-11-30.
 */
export function refusalOfModel(path: string, model: string): StrictRefusal | null {
  if (path === '/chat/completions') {
    const isElsewhere = kindOf(model) === 'responses' && !isToldNoChat(model)
    return refused(404, isElsewhere ? ONLY_RESPONSES : NOT_CHAT, 'model')
  }
  if (path === '/completions') return refused(404, ONLY_CHAT, 'model')
  if (path === '/embeddings') return refused(403, 'You are not allowed to generate embeddings from this model', null)
  if (path.startsWith('/audio/')) return refused(404, `Invalid URL (POST /v1${path})`, null)
  if (path === '/images/generations') return wrongValue('model', model, IMAGE_MODELS)
  if (path.startsWith('/images/'))
    return badRequest(`Invalid value: '${model}'. Value must be 'dall-e-2'.`, 'model', 'invalid_value')
  return path === '/moderations' ? badRequest('please request omni-moderation-latest', 'model', null) : null
}

export const openaiKindRules = ruleTable('2026-11-30', {
  'model-of-other-kind': { source: 'https://github.com/openai/openai-go/issues/85', refuse: modelOfOtherKind },
})

function modelOfOtherKind({ path, model }: StrictRequest): StrictRefusal | null {
  const [end, wanted] = PATHS.find(([place]) => path.endsWith(place)) ?? []
  const kind = kindOf(model)
  if (end === undefined || kind === null || (kind === wanted && !isUnfit(end, model))) return null
  // Of other kinds than chats nobody has told what is said at completions.
  return end === '/completions' && kind !== 'chat' ? null : refusalOfModel(end, model)
}

/** Of the right kind, but retired or not made for that; https://platform.openai.com/docs/api-reference/images */
function isUnfit(end: string, model: string): boolean {
  if (end === '/moderations') return model.startsWith('text-')
  if (end === '/images/edits') return model.startsWith('dall-e-3')
  return end === '/images/variations' && !model.startsWith('dall-e-2')
}

const kindOf = (model: string): Kind | null =>
  KINDS.find(([models]) => models.test(model.replace(/^ft:/, '')))?.[1] ?? null

function refused(status: number, message: string, param: string | null): StrictRefusal {
  return { status, body: badRequest(message, param, null).body }
}
