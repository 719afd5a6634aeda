/**
 * Paths that are not served: in whose protocol the client is told, and what it is told. Most who end here have a base
 * URL that is nearly right, or want something that only the account that holds it can serve.
 */

import type { IncomingHttpHeaders } from 'node:http'
import { dialectOf } from '../dialects/dialects.ts'
import type { DialectId } from '../domain/chat.ts'
import type { ErrorWriter } from './sendFailure.ts'

interface ForeignAnswer {
  readonly message: string
  readonly writer: ErrorWriter
}

interface ForeignPath {
  readonly pattern: RegExp
  /** `base`: the gateway's own address, without a path. */
  readonly say: (base: string) => string
  /** For clients that speak none of our protocols. */
  readonly writer?: ErrorWriter
}

/** https://github.com/ollama/ollama/blob/main/docs/api.md (2026-11-29): `{"error":"model not found"}` */
const OLLAMA: ErrorWriter = { client: { writeError: ({ message }) => ({ error: message }) } }
/** https://docs.cohere.com/reference/errors (2026-11-29): `message` at the top. */
const COHERE: ErrorWriter = { client: { writeError: ({ message }) => ({ message }) } }

const IN_ONE_ACCOUNT =
  "such things belong to one account of one provider, while keywise may take another key for every request; use the provider's own address for them"

const held = (what: string) => () => `keywise does not serve ${what}: ${IN_ONE_ACCOUNT}`

const FOREIGN: readonly ForeignPath[] = [
  {
    // https://github.com/ollama/ollama/blob/main/docs/api.md (2026-11-29)
    pattern:
      /^\/api\/(?:chat|generate|tags|show|embed|embeddings|version|ps|pull|push|create|copy|delete|me|blobs\/.*)$/,
    say: (base) =>
      `Ollama's own protocol is not spoken here; with a client for OpenAI's, which Ollama speaks too, use the base URL ${base}/v1`,
    writer: OLLAMA,
  },
  {
    // https://docs.cohere.com/reference/chat (2026-11-29)
    pattern: /^\/(?:v2\/(?:chat|embed|classify|tokenize|detokenize)|v1\/(?:chat|embed|generate|classify|summarize))$/,
    say: (base) =>
      `Cohere's own protocol is not spoken here, but for rerank; with a client for OpenAI's use the base URL ${base}/v1`,
    writer: COHERE,
  },
  {
    pattern: /\/(?:messages\/)?batches(?:\/|$)|:(?:async)?batch(?:GenerateContent|EmbedContent)$/i,
    say: held('batches'),
  },
  // https://platform.openai.com/docs/api-reference/chat/list (2026-11-30): those that were asked for with `store`.
  { pattern: /\/chat\/completions\/[^/]+(?:\/messages)?$/, say: held('stored chat completions') },
  {
    pattern:
      /\/(?:audio\/translations|images\/(?:edits|variations)|responses\/compact|fim\/completions|ocr|videos\/generations)$/,
    say: (base) =>
      `keywise does not serve this endpoint; use the provider's own address for it (what it serves is at ${base}/v1)`,
  },
  { pattern: /\/(?:files|uploads)(?:\/|$)/, say: held('files and uploads') },
  { pattern: /\/vector_stores(?:\/|$)|\/(?:corpora|fileSearchStores|ragStores)(?:\/|$)/, say: held('vector stores') },
  { pattern: /\/(?:assistants|threads)(?:\/|$)/, say: held('assistants and threads') },
  { pattern: /\/fine[_-]tun(?:ing|es)(?:\/|$)|\/tunedModels(?:\/|$)/, say: held('fine-tuning') },
  { pattern: /\/cachedContents(?:\/|$)/, say: held('cached contents') },
  { pattern: /\/interactions(?:\/|$)/, say: held('interactions') },
  { pattern: /\/conversations(?:\/|$)/, say: held('conversations') },
  {
    pattern: /\/(?:containers|skills|evals|agents|videos)(?:\/|$)/,
    say: held('containers, skills, evals, agents and videos'),
  },
  {
    pattern: /\/realtime(?:\/|$)|:bidiGenerateContent$|\/auth_tokens(?:\/|$)/i,
    say: held('realtime sessions'),
  },
  {
    pattern: /^\/(?:v1|v1beta1)\/(?:publishers|projects)\//,
    say: (base) =>
      `Vertex AI's paths are not served; give a Gemini client an API key (a token of keywise) and the base URL ${base}`,
  },
  {
    pattern: /\/models\/.+:[a-zA-Z]+$/,
    say: (base) => `this method of Gemini's models is not served; ${addresses(base)}`,
  },
  {
    pattern: /\/(?:messages|messages\/count_tokens)$/,
    say: (base) => `there is nothing at this path: for Anthropic clients the base URL is ${base}, without a path`,
  },
  {
    pattern:
      /\/(?:chat\/completions|completions|responses|embeddings|moderations|rerank|images\/(?:generations|edits|variations)|audio\/(?:speech|transcriptions|translations)|models)$/,
    say: (base) => `there is nothing at this path: for OpenAI clients the base URL is ${base}/v1`,
  },
]

/** What a client is told that asked for a path we do not serve. `host`: the one it addressed. */
export function foreignAnswer(path: string, headers: IncomingHttpHeaders): ForeignAnswer {
  const base = `http://${headers.host ?? 'localhost'}`
  const row = FOREIGN.find(({ pattern }) => pattern.test(path))
  const message = row?.say(base) ?? `there is nothing at ${path.slice(0, 120)}; ${addresses(base)}`
  return { message, writer: row?.writer ?? dialectOf(dialectOfPath(path, headers)) }
}

const addresses = (base: string) =>
  `the base URL is ${base}/v1 for OpenAI clients, ${base} for Anthropic and Gemini clients`

/** The protocol that a client most likely understands: by a path that is one's alone, then by headers that are. */
export function dialectOfPath(path: string, headers: IncomingHttpHeaders): DialectId {
  if (/^\/(?:anthropic\/|(?:v1\/)?messages(?:\/|$))/.test(path)) return 'anthropic'
  if (/^\/(?:v1(?:beta)?\/)?openai\//.test(path)) return 'openai'
  if (/^\/(?:upload\/)?v1(?:beta|alpha)\/(?!openai\/)|\/models\/.+:[a-zA-Z]+$/.test(path)) return 'google'
  return dialectOfHeaders(headers)
}

/** By headers that only one kind of client sends. */
export function dialectOfHeaders(headers: IncomingHttpHeaders): DialectId {
  if (headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined) return 'google'
  const isAnthropic = headers['anthropic-version'] !== undefined || headers['anthropic-beta'] !== undefined
  return isAnthropic ? 'anthropic' : 'openai'
}
