/** The features that not every dialect has. `docs/gateway.md` shows this table, and a test tries each of its cells. */

import type { DialectId } from '../../domain/chat.ts'
import type { Feature, Treatment } from './feature.ts'

const ALL: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']
const CHAT_AND_RESPONSES: readonly DialectId[] = ['openai', 'openai-responses']

type Upstreams = Feature['upstreams']

/** The same for every dialect, but for those in `but`. */
function everywhere(treatment: Treatment, but: Partial<Upstreams> = {}): Upstreams {
  return { openai: treatment, 'openai-responses': treatment, anthropic: treatment, google: treatment, ...but }
}

const refused = everywhere('refused')
const leftOut = everywhere('left out')
const rewritten = everywhere('rewritten')

function feature(id: string, title: string, clients: readonly DialectId[], upstreams: Upstreams): Feature {
  return { id, title, clients, upstreams }
}

export const FEATURES = {
  fileById: feature('file-by-id', 'a file or image by its id', ALL, refused),
  unknownPart: feature('unknown-part', 'a content part that only its dialect has', ALL, refused),
  emptyConversation: feature(
    'empty-conversation',
    'messages without any content',
    ALL,
    everywhere('refused', { openai: 'passed' }),
  ),
  audioInput: feature(
    'audio-input',
    'audio in a message',
    ['openai', 'google'],
    everywhere('refused', { openai: 'passed', google: 'passed' }),
  ),
  videoInput: feature('video-input', 'video in a message', ['google'], everywhere('refused', { google: 'passed' })),
  rareImage: feature('rare-image', 'an image that is not PNG, JPEG, GIF, WebP, HEIC or HEIF', ALL, refused),
  // https://ai.google.dev/gemini-api/docs/image-understanding (2026-11-30)
  heicImage: feature('heic-image', 'an HEIC or HEIF image', ALL, everywhere('refused', { google: 'passed' })),
  gifImage: feature('gif-image', 'a GIF image', ALL, everywhere('passed', { google: 'refused' })),
  plainHttpImage: feature(
    'plain-http-image',
    'an image by an http (not https) URL',
    ALL,
    everywhere('passed', { anthropic: 'refused', google: 'refused' }),
  ),
  otherFile: feature(
    'other-file',
    'a file that is neither PDF nor text',
    ALL,
    everywhere('refused', { 'openai-responses': 'passed' }),
  ),
  fileByUrl: feature(
    'file-by-url',
    'a document by its URL',
    ['openai-responses', 'anthropic', 'google'],
    everywhere('passed', { openai: 'refused' }),
  ),
  document: feature('document', 'a PDF document (services that take none are not asked)', ALL, everywhere('passed')),
  textDocument: feature(
    'text-document',
    'a document made of text',
    ALL,
    everywhere('passed', { openai: 'rewritten', 'openai-responses': 'rewritten' }),
  ),
  searchResult: feature('search-result', 'a search result, a document of blocks', ['anthropic'], rewritten),
  customTool: feature(
    'custom-tool',
    'a custom tool',
    CHAT_AND_RESPONSES,
    everywhere('rewritten', { 'openai-responses': 'passed' }),
  ),
  allowedTools: feature(
    'allowed-tools',
    'a choice among some of the tools',
    [...CHAT_AND_RESPONSES, 'google'],
    rewritten,
  ),
  clientTool: feature(
    'client-tool',
    'a tool of Anthropic’s that the client runs (bash, text editor, memory)',
    ['anthropic'],
    everywhere('rewritten', { anthropic: 'passed' }),
  ),
  clientSearch: feature(
    'client-search',
    'a search for tools that the client runs (tool_search with parameters)',
    ['openai-responses'],
    everywhere('rewritten', { 'openai-responses': 'passed' }),
  ),
  demandedHostedTool: feature(
    'demanded-hosted-tool',
    'a tool that runs at the provider, when it is forced or the only one',
    ALL,
    refused,
  ),
  offeredHostedTool: feature('offered-hosted-tool', 'a tool that runs at the provider, beside others', ALL, leftOut),
  deferredTool: feature(
    'deferred-tool',
    'a tool with defer_loading that nothing refers to yet (all are passed where the search for them runs at the provider)',
    ['openai-responses', 'anthropic'],
    leftOut,
  ),
  toolReference: feature('tool-reference', 'a reference to a tool, in the result of another', ['anthropic'], rewritten),
  severalAnswers: feature(
    'several-answers',
    'more than one answer (n, candidateCount)',
    ['openai', 'google'],
    everywhere('refused', { openai: 'passed', google: 'passed' }),
  ),
  logprobs: feature(
    'logprobs',
    'log probabilities',
    ['openai', 'openai-responses', 'google'],
    everywhere('passed', { anthropic: 'refused' }),
  ),
  audioOutput: feature('audio-output', 'an answer in audio', ['openai', 'google'], refused),
  imageOutput: feature(
    'image-output',
    'an answer with images (modalities)',
    ['openai', 'google'],
    everywhere('refused', { openai: 'rewritten', google: 'rewritten' }),
  ),
  enumFormat: feature('enum-format', 'an answer out of a list (text/x.enum)', ['google'], rewritten),
  unknownFormat: feature('unknown-format', 'a response format that only its dialect has', ALL, refused),
  storedState: feature(
    'stored-state',
    'state kept at the provider (container, cached content, stored items)',
    ['openai-responses', 'anthropic', 'google'],
    refused,
  ),
  legacyFunctions: feature('legacy-functions', 'functions and function_call', ['openai'], refused),
  stopSequences: feature(
    'stop-sequences',
    'stop sequences',
    ['openai', 'anthropic', 'google'],
    everywhere('passed', { 'openai-responses': 'rewritten' }),
  ),
  thinkingBudget: feature(
    'thinking-budget',
    'a thinking budget',
    ['anthropic', 'google'],
    everywhere('passed', { openai: 'rewritten', 'openai-responses': 'rewritten' }),
  ),
  cacheControl: feature(
    'cache-control',
    'cache_control',
    ['openai', 'anthropic'],
    everywhere('left out', { anthropic: 'passed' }),
  ),
  topK: feature(
    'top-k',
    'top_k',
    ['openai', 'anthropic', 'google'],
    everywhere('passed', { 'openai-responses': 'left out' }),
  ),
  seed: feature(
    'seed',
    'seed, frequency and presence penalty',
    ['openai', 'google'],
    everywhere('passed', { 'openai-responses': 'left out', anthropic: 'left out' }),
  ),
  user: feature(
    'user',
    'the end user',
    ['openai', 'openai-responses', 'anthropic'],
    everywhere('passed', { google: 'left out' }),
  ),
  unknownField: feature('unknown-field', 'any other field of its own', ALL, leftOut),
} as const satisfies Readonly<Record<string, Feature>>
