/** Every cell of the table of features in docs/gateway.md, tried through a whole gateway. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Feature, Treatment } from '../src/dialects/features/feature.ts'
import { FEATURES } from '../src/dialects/features/table.ts'
import type { DialectId } from '../src/domain/chat.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'

type Body = Record<string, unknown>
type Samples = { readonly [D in DialectId]?: Body }

const UPSTREAMS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']
const modelOf = (dialect: DialectId) => `model-of-${dialect}`
const SCENARIO: FakeScenario = {
  providers: Object.fromEntries(
    UPSTREAMS.map((dialect) => [`server-${dialect}`, { dialect, models: { [modelOf(dialect)]: { reply: '{}' } } }]),
  ),
}

let world: GatewayWorld
beforeAll(async () => {
  world = await openGateway(SCENARIO)
})
afterAll(() => world.close())

const PATHS: { readonly [D in DialectId]: (model: string) => string } = {
  openai: () => '/v1/chat/completions',
  'openai-responses': () => '/v1/responses',
  anthropic: () => '/v1/messages',
  google: (model) => `/v1beta/models/${model}:generateContent`,
}

const user = (...parts: object[]) => ({
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }, ...parts] }],
})
const input = (...parts: object[]) => ({
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }, ...parts] }],
})
const contents = (...parts: object[]) => ({ contents: [{ role: 'user', parts: [{ text: 'Hi' }, ...parts] }] })
const chat = (more: Body) => ({ ...user(), ...more })
const responses = (more: Body) => ({ ...input(), ...more })
const claude = (more: Body) => ({ ...user(), max_tokens: 2048, ...more })
const gemini = (more: Body) => ({ ...contents(), ...more })
const config = (generationConfig: Body) => gemini({ generationConfig })
const SOUND = Buffer.from('RIFF....sound').toString('base64')
const VIDEO = Buffer.from('....video').toString('base64')
const TEXT = Buffer.from('a note of the sea').toString('base64')
const ZIP = Buffer.from('PK..zipped').toString('base64')
const GIF = Buffer.from('GIF89a..').toString('base64')
const HEIC = Buffer.from('....ftypheic').toString('base64')
const BMP = Buffer.from('BM..bitmap').toString('base64')
const PDF_URL = 'https://example.test/a.pdf'
const object = { type: 'object', properties: { a: { type: 'string' } } }

interface Trial {
  readonly samples: Samples
  /** What stands for it in the body of an upstream that is told of it. */
  readonly sign: RegExp
  /** Its name in `x-keywise-left-out`. */
  readonly leftOut?: string
}

const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } })
const image = (mediaType: string, data: string): Samples => ({
  openai: user({ type: 'image_url', image_url: { url: `data:${mediaType};base64,${data}` } }),
  'openai-responses': input({ type: 'input_image', image_url: `data:${mediaType};base64,${data}` }),
  anthropic: claude(user({ type: 'image', source: { type: 'base64', media_type: mediaType, data } })),
  google: contents(inline(mediaType, data)),
})
const file = (mediaType: string, data: string, filename: string): Samples => ({
  openai: user({ type: 'file', file: { filename, file_data: `data:${mediaType};base64,${data}` } }),
  'openai-responses': input({ type: 'input_file', filename, file_data: `data:${mediaType};base64,${data}` }),
  anthropic: claude(user({ type: 'document', source: { type: 'base64', media_type: mediaType, data } })),
  google: contents(inline(mediaType, data)),
})

const TRIALS: { readonly [F in keyof typeof FEATURES]: Trial } = {
  fileById: {
    samples: {
      openai: user({ type: 'file', file: { file_id: 'file-abc' } }),
      'openai-responses': input({ type: 'input_file', file_id: 'file-abc' }),
      anthropic: claude(user({ type: 'document', source: { type: 'file', file_id: 'file-abc' } })),
      google: contents({ fileData: { fileUri: 'gs://bucket/file-abc', mimeType: 'application/pdf' } }),
    },
    sign: /file-abc/,
  },
  unknownPart: {
    samples: {
      openai: user({ type: 'hologram', hologram: 'odd-part' }),
      'openai-responses': input({ type: 'hologram', hologram: 'odd-part' }),
      anthropic: claude(user({ type: 'hologram', hologram: 'odd-part' })),
      google: contents({ hologram: { of: 'odd-part' } }),
    },
    sign: /odd-part/,
  },
  emptyConversation: {
    samples: {
      openai: { messages: [{ role: 'user', content: '' }] },
      'openai-responses': { input: [{ role: 'user', content: '' }] },
      anthropic: { max_tokens: 99, messages: [{ role: 'user', content: '' }] },
      google: { contents: [{ role: 'user', parts: [{ text: '' }] }] },
    },
    sign: /messages|input|contents/,
  },
  audioInput: {
    samples: {
      openai: user({ type: 'input_audio', input_audio: { data: SOUND, format: 'wav' } }),
      google: contents(inline('audio/wav', SOUND)),
    },
    sign: new RegExp(SOUND),
  },
  videoInput: { samples: { google: contents(inline('video/mp4', VIDEO)) }, sign: new RegExp(VIDEO) },
  rareImage: { samples: image('image/bmp', BMP), sign: new RegExp(BMP) },
  heicImage: { samples: image('image/heic', HEIC), sign: new RegExp(HEIC) },
  gifImage: { samples: image('image/gif', GIF), sign: new RegExp(GIF) },
  plainHttpImage: {
    samples: {
      openai: user({ type: 'image_url', image_url: { url: 'http://example.test/a.png' } }),
      'openai-responses': input({ type: 'input_image', image_url: 'http://example.test/a.png' }),
      anthropic: claude(user({ type: 'image', source: { type: 'url', url: 'http://example.test/a.png' } })),
      google: contents({ fileData: { fileUri: 'http://example.test/a.png', mimeType: 'image/png' } }),
    },
    sign: /example\.test\/a\.png/,
  },
  otherFile: { samples: file('application/zip', ZIP, 'a.zip'), sign: new RegExp(ZIP) },
  fileByUrl: {
    samples: {
      'openai-responses': input({ type: 'input_file', file_url: PDF_URL }),
      anthropic: claude(user({ type: 'document', source: { type: 'url', url: PDF_URL } })),
      google: contents({ fileData: { fileUri: PDF_URL, mimeType: 'application/pdf' } }),
    },
    sign: /example\.test\/a\.pdf/,
  },
  document: { samples: file('application/pdf', Buffer.from('%PDF-1.7 a').toString('base64'), 'a.pdf'), sign: /JVBERi/ },
  textDocument: {
    samples: {
      ...file('text/plain', TEXT, 'note.txt'),
      anthropic: claude(
        user({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a note of the sea' } }),
      ),
    },
    sign: new RegExp(`a note of the sea|${TEXT}`),
  },
  searchResult: {
    samples: {
      anthropic: claude(
        user({ type: 'search_result', title: 'T', source: 's', content: [{ type: 'text', text: 'found text' }] }),
      ),
    },
    sign: /found text/,
  },
  customTool: {
    samples: {
      openai: chat({ tools: [{ type: 'custom', custom: { name: 'patch_it' } }] }),
      'openai-responses': responses({ tools: [{ type: 'custom', name: 'patch_it' }] }),
    },
    sign: /patch_it/,
  },
  allowedTools: {
    samples: {
      openai: chat({
        tools: ['keep', 'drop'].map((name) => ({ type: 'function', function: { name, parameters: object } })),
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'keep' } }] },
        },
      }),
      'openai-responses': responses({
        tools: ['keep', 'drop'].map((name) => ({ type: 'function', name, parameters: object })),
        tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'keep' }] },
      }),
      google: gemini({
        tools: [{ functionDeclarations: ['keep', 'also', 'drop'].map((name) => ({ name })) }],
        toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['keep', 'also'] } },
      }),
    },
    sign: /keep(?!.*"drop")|allowed/,
  },
  clientTool: {
    samples: { anthropic: claude({ tools: [{ type: 'bash_20250124', name: 'bash' }] }) },
    sign: /"restart"|"bash_20250124"/,
  },
  clientSearch: {
    samples: {
      'openai-responses': responses({ tools: [{ type: 'tool_search', execution: 'client', parameters: object }] }),
    },
    sign: /tool_search/,
  },
  demandedHostedTool: {
    samples: {
      openai: chat({ web_search_options: {} }),
      'openai-responses': responses({ tools: [{ type: 'web_search' }], tool_choice: 'required' }),
      anthropic: claude({
        tools: [{ type: 'web_search_20250305', name: 'web_search' }],
        tool_choice: { type: 'tool', name: 'web_search' },
      }),
      google: gemini({ tools: [{ googleSearch: {} }] }),
    },
    sign: /search/i,
  },
  offeredHostedTool: {
    samples: {
      openai: chat({ tools: [{ type: 'function', function: { name: 'f' } }, { type: 'web_finder' }] }),
      'openai-responses': responses({ tools: [{ type: 'function', name: 'f' }, { type: 'web_finder' }] }),
      anthropic: claude({
        tools: [
          { name: 'f', input_schema: { type: 'object' } },
          { type: 'finder_1', name: 'web_finder' },
        ],
      }),
      google: gemini({ tools: [{ functionDeclarations: [{ name: 'f' }] }, { web_finder: {} }] }),
    },
    sign: /web_finder/,
    leftOut: 'web_finder',
  },
  deferredTool: {
    samples: {
      'openai-responses': responses({
        tools: [
          { type: 'function', name: 'f', parameters: object },
          { type: 'function', name: 'later', parameters: object, defer_loading: true },
        ],
      }),
      anthropic: claude({
        tools: [
          { name: 'f', input_schema: object },
          { name: 'later', input_schema: object, defer_loading: true },
        ],
      }),
    },
    sign: /"later"/,
    leftOut: 'later',
  },
  toolReference: {
    samples: {
      anthropic: claude({
        tools: [
          { name: 'find', input_schema: object },
          { name: 'later', input_schema: object, defer_loading: true },
        ],
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'find', input: {} }] },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'tool_reference', tool_name: 'later' }] },
            ],
          },
        ],
      }),
    },
    // The definition too, behind the reference.
    sign: /"name":"later"/,
  },
  severalAnswers: {
    samples: { openai: chat({ n: 2 }), google: config({ candidateCount: 2 }) },
    sign: /"n":2|candidateCount/,
  },
  logprobs: {
    samples: {
      openai: chat({ logprobs: true, top_logprobs: 2 }),
      'openai-responses': responses({ top_logprobs: 2 }),
      google: config({ responseLogprobs: true }),
    },
    sign: /log_?probs/i,
  },
  audioOutput: {
    samples: {
      openai: chat({ modalities: ['text', 'audio'], audio: { voice: 'a', format: 'wav' } }),
      google: config({ responseModalities: ['AUDIO'] }),
    },
    sign: /audio/i,
  },
  imageOutput: {
    samples: {
      openai: chat({ modalities: ['image', 'text'] }),
      google: config({ responseModalities: ['IMAGE', 'TEXT'] }),
    },
    sign: /image/i,
  },
  enumFormat: {
    samples: {
      google: config({ responseMimeType: 'text/x.enum', responseSchema: { type: 'STRING', enum: ['sea', 'land'] } }),
    },
    sign: /"sea".{0,2}"land"|sea.{1,6}land/,
  },
  unknownFormat: {
    samples: {
      openai: chat({ response_format: { type: 'grammar', grammar: 'odd' } }),
      'openai-responses': responses({ text: { format: { type: 'grammar', grammar: 'odd' } } }),
      anthropic: claude({ output_config: { format: { type: 'odd' } } }),
      google: config({ responseMimeType: 'application/odd' }),
    },
    sign: /odd/,
  },
  storedState: {
    samples: {
      'openai-responses': responses({
        input: [
          { role: 'user', content: 'Hi' },
          { type: 'item_reference', id: 'kept_1' },
        ],
      }),
      anthropic: claude({ container: 'kept_1' }),
      google: gemini({ cachedContent: 'kept_1' }),
    },
    sign: /kept_1/,
  },
  legacyFunctions: { samples: { openai: chat({ functions: [{ name: 'old', parameters: object }] }) }, sign: /"old"/ },
  stopSequences: {
    samples: {
      openai: chat({ stop: ['HALT'] }),
      anthropic: claude({ stop_sequences: ['HALT'] }),
      google: config({ stopSequences: ['HALT'] }),
    },
    // Responses has no field for it: keywise itself ends the answer there.
    sign: /HALT|"store":false/,
  },
  thinkingBudget: {
    samples: {
      anthropic: claude({ max_tokens: 9000, thinking: { type: 'enabled', budget_tokens: 2000 } }),
      google: config({ thinkingConfig: { thinkingBudget: 2000 } }),
    },
    sign: /2000|effort/,
  },
  cacheControl: {
    samples: {
      openai: user({ type: 'text', text: 'long', cache_control: { type: 'ephemeral' } }),
      anthropic: claude(user({ type: 'text', text: 'long', cache_control: { type: 'ephemeral' } })),
    },
    sign: /cache_control/,
    leftOut: 'cache_control',
  },
  topK: {
    samples: { openai: chat({ top_k: 7 }), anthropic: claude({ top_k: 7 }), google: config({ topK: 7 }) },
    sign: /"top_?k":7/i,
    leftOut: 'top_k',
  },
  seed: {
    samples: { openai: chat({ seed: 7 }), google: config({ seed: 7 }) },
    sign: /"seed":7/,
    leftOut: 'seed',
  },
  user: {
    samples: {
      openai: chat({ user: 'u-1' }),
      'openai-responses': responses({ user: 'u-1' }),
      anthropic: claude({ metadata: { user_id: 'u-1' } }),
    },
    sign: /u-1/,
    leftOut: 'user',
  },
  unknownField: {
    samples: {
      openai: chat({ odd_field: 1 }),
      'openai-responses': responses({ odd_field: 1 }),
      anthropic: claude({ odd_field: 1 }),
      google: gemini({ odd_field: 1 }),
    },
    sign: /odd_field/,
    leftOut: 'odd_field',
  },
}

interface Outcome {
  readonly status: number
  readonly error: string
  readonly leftOut: string
  /** The body that the upstream got; null when it got none. */
  readonly sent: string | null
}

async function tryOut(client: DialectId, upstream: DialectId, sample: Body): Promise<Outcome> {
  const model = modelOf(upstream)
  world.fakes.forget()
  const body = client === 'google' ? sample : { ...sample, model }
  const response = await world.ask(PATHS[client](model), body, { 'anthropic-version': '2023-06-01' })
  const answer = (await response.json()) as { error?: { message?: string } }
  const [call] = world.fakes.calls
  return {
    status: response.status,
    error: answer.error?.message ?? '',
    leftOut: response.headers.get('x-keywise-left-out') ?? '',
    sent: call === undefined ? null : JSON.stringify(call.body),
  }
}

const cells = Object.entries(FEATURES).flatMap(([key, feature]: [string, Feature]) => {
  const { samples, sign, leftOut } = TRIALS[key as keyof typeof FEATURES] // a key of FEATURES
  return feature.clients.flatMap((client) =>
    UPSTREAMS.map((upstream) => ({
      feature: feature.id,
      client,
      upstream,
      treatment: client === upstream ? ('passed' as const) : feature.upstreams[upstream],
      sample: samples[client] ?? {},
      sign,
      leftOut,
    })),
  )
})

const HOLDS: { readonly [T in Treatment]: (outcome: Outcome, cell: (typeof cells)[number]) => void } = {
  passed: ({ status, sent }, { sign }) => expect([status, sent]).toEqual([200, expect.stringMatching(sign)]),
  rewritten: ({ status, sent }, { sign }) => expect([status, sent]).toEqual([200, expect.stringMatching(sign)]),
  refused: ({ status, sent, error }) =>
    expect([status, sent, error]).toEqual([400, null, expect.stringContaining('cannot take')]),
  'left out': ({ status, sent, leftOut }, cell) => {
    expect([status, leftOut.split(', ')]).toEqual([200, expect.arrayContaining([cell.leftOut])])
    expect(sent).not.toMatch(cell.sign)
  },
}

describe('a client’s request', () => {
  test.each(cells)('$feature of $client to $upstream is $treatment', async (cell) => {
    HOLDS[cell.treatment](await tryOut(cell.client, cell.upstream, cell.sample), cell)
  })

  test('of every feature has a sample for every client that can say it', () => {
    const missing = Object.entries(FEATURES).flatMap(([key, { clients }]: [string, Feature]) =>
      clients.filter((client) => TRIALS[key as keyof typeof FEATURES].samples[client] === undefined),
    )
    expect(missing).toEqual([])
  })
})
