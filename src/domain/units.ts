/** What is served in units of its own kind (searches, pictures, minutes) at a path of its own, and passed through. */

import type { UnitAbility } from './target.ts'

/** Where servers of OpenAI's protocol serve it, below their base URL. */
export const USUAL_UNIT_PATHS: { readonly [A in UnitAbility]: string } = {
  // https://platform.openai.com/docs/api-reference/moderations/create (2026-11-29)
  moderation: '/moderations',
  // https://docs.cohere.com/reference/rerank (2026-11-29), which others imitate below their own base URL
  rerank: '/rerank',
  // https://platform.openai.com/docs/api-reference/images/create (2026-11-29)
  imageGeneration: '/images/generations',
  // https://platform.openai.com/docs/api-reference/images/createEdit (2026-11-29)
  imageEdit: '/images/edits',
  // https://platform.openai.com/docs/api-reference/images/createVariation (2026-11-29)
  imageVariation: '/images/variations',
  // https://platform.openai.com/docs/api-reference/audio/createTranscription (2026-11-29)
  transcription: '/audio/transcriptions',
  // https://platform.openai.com/docs/api-reference/audio/createTranslation (2026-11-29)
  translation: '/audio/translations',
  // https://platform.openai.com/docs/api-reference/audio/createSpeech (2026-11-29)
  speech: '/audio/speech',
}

/** What is read of a form before it is passed on. */
export interface UnitForm {
  /** What the form is about, for people. */
  readonly what: string
  /** Of these fields one is there; the first is the usual one. */
  readonly fields: readonly [string, ...string[]]
}

// Mistral takes `file_url`, Together a URL: https://docs.mistral.ai/api/#tag/audio.transcriptions,
// https://docs.together.ai/reference/audio-transcriptions (2026-11-29)
const AUDIO: UnitForm = { what: 'an audio file', fields: ['file', 'file_url', 'url'] }
// Several pictures are `image[]`: https://github.com/lzell/AIProxySwift/pull/235 (2026-11-29)
const IMAGE: UnitForm = { what: 'a picture', fields: ['image', 'image[]'] }

/** What is asked for in a form, where everything else is JSON. */
export const UNIT_FORMS: { readonly [A in UnitAbility]?: UnitForm } = {
  imageEdit: IMAGE,
  imageVariation: IMAGE,
  transcription: AUDIO,
  translation: AUDIO,
}
