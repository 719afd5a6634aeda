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
  // https://platform.openai.com/docs/api-reference/audio/createTranscription (2026-11-29)
  transcription: '/audio/transcriptions',
  // https://platform.openai.com/docs/api-reference/audio/createSpeech (2026-11-29)
  speech: '/audio/speech',
}
