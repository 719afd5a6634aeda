/** A refused request, over HTTP: a client of the upstream's own protocol finds the codes by which it decides. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'

const MODEL = 'm'
const ASKED: { readonly [D in DialectId]: { readonly path: string; readonly body: object } } = {
  openai: { path: '/v1/chat/completions', body: { model: MODEL, messages: [{ role: 'user', content: 'Hi' }] } },
  'openai-responses': { path: '/v1/responses', body: { model: MODEL, input: 'Hi' } },
  anthropic: {
    path: '/v1/messages',
    body: { model: MODEL, max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
  },
  google: {
    path: `/v1beta/models/${MODEL}:generateContent`,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
  },
}

interface Refused {
  readonly dialect: DialectId
  readonly status: number
  readonly error: object
  /** Default: the upstream's dialect. */
  readonly client?: DialectId
}

/** What a client gets where its upstream refuses like this. */
async function refused({ dialect, status, error, client = dialect }: Refused) {
  await using world = await openGateway({ providers: { own: { dialect, models: { [MODEL]: {} } } } })
  world.fakes.refuseIf(() => ({ status, body: dialect === 'anthropic' ? { type: 'error', error } : { error } }))
  const { path, body } = ASKED[client]
  const response = await world.ask(path, body)
  const said = (await response.json()) as { readonly error: Readonly<Record<string, unknown>> }
  return { status: response.status, word: response.headers.get('x-keywise-error'), error: said.error }
}

const INVALID = 'invalid_request_error'
const openai = (code: unknown, param: unknown = null, type = INVALID, message = 'Refused: it is not valid.') => ({
  message,
  type,
  param,
  code,
})

describe('a client of OpenAI’s protocols gets code, param and type', () => {
  test.each([
    [400, openai('invalid_value', 'messages[0].content[1].image_url.detail'), 'bad_request'],
    [400, openai('invalid_image_url', null, INVALID, 'The image URL is not valid.'), 'bad_request'],
    [400, openai('string_above_max_length', 'user', INVALID, "Invalid 'user': string too long."), 'bad_request'],
    [
      400,
      openai('unsupported_parameter', 'logprobs', INVALID, "Unsupported parameter: 'logprobs' is not supported."),
      'unsupported',
    ],
    [
      400,
      openai(
        'content_policy_violation',
        null,
        'image_generation_user_error',
        'Your request was rejected as a result of our safety system.',
      ),
      'content_filter',
    ],
    [409, openai('conversation_locked', null, INVALID, 'Another process is working on it.'), 'bad_request'],
  ] as const)('%i %o', async (status, error, word) => {
    for (const dialect of ['openai', 'openai-responses'] as const) {
      const { message, ...codes } = error
      const answer = await refused({ dialect, status, error })
      expect(answer).toMatchObject({ status, word, error: { ...codes, metadata: { failure: word } } })
      expect(answer.error['message']).toContain(message)
    }
  })

  test('of a response that is not stored', async () => {
    const error = openai(
      'previous_response_not_found',
      'previous_response_id',
      INVALID,
      "Previous response with id 'resp_1' not found.",
    )
    const { message: _, ...codes } = error
    expect(await refused({ dialect: 'openai-responses', status: 400, error })).toMatchObject({ error: codes })
  })

  test.each([
    ['is prose', openai('This is not valid'), 'bad_request'],
    ['is none', openai(null), 'bad_request'],
    ['is a number', openai(400), 'bad_request'],
    ['is a status', openai('400'), 'bad_request'],
    ['is long', openai('x'.repeat(200)), 'bad_request'],
    ['is shaped like a key', openai(`sk-${'proj-'.repeat(2)}${'a1B2'.repeat(12)}`), 'bad_request'],
  ])('but keywise’s own word where the code %s', async (_, error, code) => {
    const answer = await refused({ dialect: 'openai', status: 400, error })
    expect(answer.error).toMatchObject({ code, param: null, type: INVALID })
    expect(answer.error).not.toHaveProperty('metadata')
  })

  test('without a param that is a sentence, and without a type that is not documented', async () => {
    const error = openai('invalid_value', 'the first of the messages', 'some_other_error')
    const answer = await refused({ dialect: 'openai', status: 400, error })
    expect(answer.error).toMatchObject({ code: 'invalid_value', param: null, type: INVALID })
  })

  test('not where a limit was reached', async () => {
    const answer = await refused({ dialect: 'openai', status: 429, error: openai('rate_limit_exceeded') })
    expect(answer).toMatchObject({ status: 429, error: { code: 'rate_minute' } })
  })
})

describe('a client of Anthropic gets the type', () => {
  test.each([
    [409, 'conflict_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
  ])('%i %s', async (status, type) => {
    const answer = await refused({ dialect: 'anthropic', status, error: { type, message: 'The request is refused.' } })
    expect(answer).toMatchObject({ status, error: { type } })
  })

  test('that is documented', async () => {
    const error = { type: 'strange_error', message: 'messages.0: Field required' }
    expect(await refused({ dialect: 'anthropic', status: 400, error })).toMatchObject({ error: { type: INVALID } })
  })
})

describe('a client of Gemini gets status and details', () => {
  const violation = {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations: [{ field: 'contents[0].parts', description: 'Must hold one part at least' }],
  }

  test('with the names that they give, and without their prose', async () => {
    const error = {
      code: 400,
      message: '* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.',
      status: 'OUT_OF_RANGE',
      details: [violation],
    }
    const answer = await refused({ dialect: 'google', status: 400, error })
    expect(answer).toMatchObject({ status: 400, word: 'bad_request' })
    expect(answer.error).toMatchObject({
      code: 400,
      status: 'OUT_OF_RANGE',
      details: [{ '@type': violation['@type'], fieldViolations: [{ field: 'contents[0].parts' }] }],
    })
    expect(JSON.stringify(answer)).not.toContain('one part')
  })

  test('of the documented ones', async () => {
    const error = { code: 400, message: 'Invalid value at contents[0].role', status: 'SOMETHING', details: [] }
    const answer = await refused({ dialect: 'google', status: 400, error })
    expect(answer.error).toEqual({ code: 400, message: expect.any(String), status: 'INVALID_ARGUMENT' })
  })
})

test.each([
  'openai-responses',
  'anthropic',
  'google',
] as const)('a client of %s gets no words of another protocol', async (client) => {
  const error = openai('invalid_value', 'messages[0].content', 'image_generation_user_error')
  const answer = await refused({ dialect: 'openai', status: 400, error, client })
  expect(answer).toMatchObject({ status: 400, word: 'bad_request' })
  expect(JSON.stringify(answer)).not.toMatch(/invalid_value|messages\[0\]|user_error/)
})

describe('what is passed through', () => {
  test('keeps the codes of the service', async () => {
    await using world = await openGateway({ providers: { own: { models: { pic: { kind: 'image' } } } } })
    const error = openai('moderation_blocked', null, 'image_generation_user_error', 'Rejected by the safety system.')
    world.fakes.refuseIf(() => ({ status: 400, body: { error } }))
    const response = await world.ask('/v1/images/generations', { model: 'pic', prompt: 'a cat' })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: 'moderation_blocked', type: 'image_generation_user_error' } },
    ])
  })

  test('embeddings too', async () => {
    await using world = await openGateway({ providers: { own: { models: { v: { kind: 'embedding' } } } } })
    world.fakes.refuseIf(() => ({ status: 400, body: { error: openai('invalid_value', 'dimensions') } }))
    const response = await world.ask('/v1/embeddings', { model: 'v', input: 'Hi' })
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_value', param: 'dimensions' } })
  })
})

describe('a stream that the upstream refuses after its beginning', () => {
  type Event = readonly [name: string, data: object]
  const written = ([name, data]: Event) => `${name && `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`

  /** What the client's stream says behind the answer's beginning, where the upstream's ends with its last event. */
  async function broken(dialect: DialectId, ...events: readonly Event[]): Promise<unknown> {
    const begun = Promise.withResolvers<void>()
    const { endpoint } = await httpUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(events.slice(0, -1).map(written).join(''))
      void begun.promise.then(() => response.end(events.slice(-1).map(written).join('')))
      return null
    })
    const own = { dialect, endpoint, api_keys: ['none'], models: [MODEL] }
    await using world = await openGateway({ providers: { spare: { models: { x: {} } } } }, { providers: { own } })
    const { path, body } = ASKED[dialect]
    let text = ''
    for await (const piece of (await world.ask(path, { ...body, stream: true })).body!) {
      text += Buffer.from(piece).toString()
      if (text.includes('Well')) begun.resolve()
    }
    const data = text.split('\n').filter((line) => line.startsWith('data: ') && /"error":\{|"type":"error"/.test(line))
    return JSON.parse(data[0]!.slice(6))
  }

  const error = openai('content_policy_violation', 'messages', INVALID, 'Your request was rejected.')

  test('says the code in chat chunks, and keywise’s own beside it', async () => {
    const delta = { choices: [{ index: 0, delta: { role: 'assistant', content: 'Well' } }] }
    const chunk = { id: 'x', object: 'chat.completion.chunk', created: 1, model: MODEL, ...delta }
    expect(await broken('openai', ['', chunk], ['', { error }])).toMatchObject({
      error: { code: 'content_policy_violation', type: INVALID, metadata: { failure: 'content_filter' } },
    })
  })

  test('says it in Responses', async () => {
    const response = {
      id: 'resp_1',
      object: 'response',
      created_at: 1,
      status: 'in_progress',
      model: MODEL,
      output: [],
    }
    const item = { type: 'message', id: 'msg_1', status: 'in_progress', role: 'assistant', content: [] }
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
    const said = await broken(
      'openai-responses',
      ['response.created', { type: 'response.created', sequence_number: 0, response }],
      ['response.output_item.added', { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item }],
      ['response.output_text.delta', { type: 'response.output_text.delta', sequence_number: 2, ...at, delta: 'Well' }],
      ['error', { type: 'error', sequence_number: 3, code: error.code, message: error.message, param: error.param }],
    )
    expect(said).toMatchObject({ type: 'error', code: 'content_policy_violation', param: 'messages' })
  })

  test('says the type to Anthropic’s clients', async () => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: MODEL, content: [], usage: {} }
    const delta = { type: 'text_delta', text: 'Well' }
    const said = await broken(
      'anthropic',
      ['message_start', { type: 'message_start', message }],
      ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
      ['content_block_delta', { type: 'content_block_delta', index: 0, delta }],
      ['error', { type: 'error', error: { type: 'conflict_error', message: 'The request is refused.' } }],
    )
    expect(said).toMatchObject({ type: 'error', error: { type: 'conflict_error' } })
  })
})
