/** The length of vectors, what they are for and how they are written, in the words of each client and service. */

import { describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { fakeKey } from './support/labCall.ts'

type Body = Record<string, unknown>

const SERVICES = {
  openai: 'text-embedding-3-small',
  mistral: 'codestral-embed',
  google: 'gemini-embedding-001',
  cohere: 'embed-v4.0',
  nvidia: 'nv-embedqa-e5-v5',
} as const
type Service = keyof typeof SERVICES

/** A gateway whose alias `vectors` is that model of that provider. */
function open(provider: string, model: string): Promise<GatewayWorld> {
  return openGateway(
    { providers: { [provider]: { models: { [model]: { kind: 'embedding' } } } } },
    {
      reconfigure: (config) => ({
        [provider]: { ...config[provider], models: [{ id: model, abilities: { embeddings: true, chat: false } }] },
      }),
    },
  )
}

interface Asked {
  readonly status: number
  readonly answer: Body
  readonly leftOut: string | null
  readonly sent: Body | undefined
}

async function ask(provider: string, model: string, fields: Body, isGoogle = false): Promise<Asked> {
  await using world = await open(provider, model)
  const named = `${provider}/${model}`
  const body = isGoogle
    ? { content: { parts: [{ text: 'Hi' }] }, ...fields }
    : { model: named, input: ['Hi'], ...fields }
  const path = isGoogle ? `/v1beta/models/${named}:embedContent` : '/v1/embeddings'
  const response = await world.ask(path, body)
  return {
    status: response.status,
    answer: (await response.json()) as Body,
    leftOut: response.headers.get('x-keywise-left-out'),
    sent: world.fakes.calls.at(-1)?.body as Body | undefined,
  }
}

const ofService = (service: Service, fields: Body, isGoogle = false) =>
  ask(service, SERVICES[service], fields, isGoogle)

/** What the service is told besides the text and the model. */
function told({ sent = {} }: Asked): Body {
  const { input: _, model: __, requests, ...fields } = sent
  if (!Array.isArray(requests)) return fields
  const { content: ___, model: ____, ...more } = requests[0] as Body
  return more
}

describe('the length of vectors', () => {
  test.each<[Service, Body]>([
    ['openai', { dimensions: 256 }],
    ['mistral', { output_dimension: 256 }],
    ['google', { outputDimensionality: 256 }],
  ])('is told %s in its own word, whatever the client’s is', async (service, expected) => {
    for (const [fields, isGoogle] of [
      [{ dimensions: 256 }, false],
      [{ output_dimension: 256 }, false],
      [{ outputDimensionality: 256 }, true],
      [{ output_dimensionality: 256 }, true],
    ] as const) {
      const asked = await ofService(service, fields, isGoogle)
      const own = service === 'google' && isGoogle ? fields : expected
      expect([fields, asked.status, told(asked), asked.leftOut]).toEqual([fields, 200, own, null])
    }
  })

  test.each([
    ['mistral', 'mistral-embed', 1024],
    ['openai', 'text-embedding-ada-002', 1536],
  ])('of %s/%s is its own, or the client is told', async (provider, model, own) => {
    for (const isGoogle of [false, true]) {
      const name = isGoogle ? 'outputDimensionality' : 'dimensions'
      const same = await ask(provider, model, { [name]: own }, isGoogle)
      expect([same.status, told(same)]).toEqual([200, {}])
      const other = await ask(provider, model, { [name]: 256 }, isGoogle)
      expect([other.status, other.sent, JSON.stringify(other.answer)]).toEqual([
        400,
        undefined,
        expect.stringContaining(`\\"${name}\\" must be ${own}`),
      ])
    }
  })

  test('keeps its digits', async () => {
    const upstream = await httpUpstream(() => ({ body: { object: 'list', data: [{ index: 0, embedding: [0.5] }] } }))
    const models = [{ id: 'vectors', abilities: { embeddings: true } }]
    const block = { dialect: 'openai', endpoint: upstream.endpoint, api_key: fakeKey('own'), models }
    await using world = await openGateway({ providers: {} }, { providers: { providers: { own: block } } })
    for (const [path, body] of [
      ['/v1/embeddings', '{"model":"own/vectors","input":"Hi","dimensions":9007199254740993}'],
      [
        '/v1beta/models/own/vectors:embedContent',
        '{"content":{"parts":[{"text":"Hi"}]},"outputDimensionality":9007199254740993}',
      ],
    ] as const) {
      expect([path, (await world.ask(path, body)).status]).toEqual([path, 200])
      expect(upstream.calls.at(-1)?.text).toContain('"dimensions":9007199254740993')
    }
  })
})

describe('what vectors are for', () => {
  const CASES: readonly (readonly [Service, Body])[] = [
    ['google', { taskType: 'RETRIEVAL_QUERY' }],
    ['cohere', { input_type: 'search_query' }],
    ['nvidia', { input_type: 'query' }],
  ]
  test.each(CASES)('is told %s in its own word, whatever the client’s is', async (service, expected) => {
    for (const [fields, isGoogle] of [
      [{ input_type: 'search_query' }, false],
      [{ input_type: 'query' }, false],
      [{ task_type: 'RETRIEVAL_QUERY' }, false],
      [{ taskType: 'RETRIEVAL_QUERY' }, true],
    ] as const) {
      const asked = await ofService(service, fields, isGoogle)
      expect([fields, asked.status, told(asked), asked.leftOut]).toEqual([fields, 200, expected, null])
    }
  })

  test('is a document as well', async () => {
    expect(told(await ofService('nvidia', { taskType: 'RETRIEVAL_DOCUMENT' }, true))).toEqual({ input_type: 'passage' })
    expect(told(await ofService('google', { input_type: 'passage' }))).toEqual({ taskType: 'RETRIEVAL_DOCUMENT' })
    expect(told(await ofService('cohere', { taskType: 'CODE_RETRIEVAL_QUERY' }, true))).toEqual({
      input_type: 'search_query',
    })
  })

  test.each<[provider: string, model: string, fields: Body, isGoogle: boolean, name: string]>([
    ['openai', 'text-embedding-3-small', { input_type: 'query' }, false, 'input_type'],
    ['openai', 'text-embedding-3-small', { taskType: 'RETRIEVAL_QUERY' }, true, 'taskType'],
    ['mistral', 'codestral-embed', { input_type: 'search_query' }, false, 'input_type'],
    ['nvidia', 'nv-embedqa-e5-v5', { input_type: 'clustering' }, false, 'input_type'],
    ['cohere', 'embed-v4.0', { taskType: 'SEMANTIC_SIMILARITY' }, true, 'taskType'],
    ['google', 'gemini-embedding-001', { input_type: 'hologram' }, false, 'input_type'],
    ['google', 'gemini-embedding-2', { input_type: 'query' }, false, 'input_type'],
  ])('is left out and named where %s (%s) has no word for %j', async (provider, model, fields, isGoogle, name) => {
    const asked = await ask(provider, model, fields, isGoogle)
    expect([asked.status, told(asked), asked.leftOut]).toEqual([200, {}, name])
  })

  test('passes to a server of which nothing is known', async () => {
    const fields = { input_type: 'query', task: 'odd', dimensions: 8, output_dimension: 9 }
    const asked = await ask('own', 'vectors', fields)
    expect([told(asked), asked.leftOut]).toEqual([fields, null])
  })
})

test.each(
  Object.keys(SERVICES) as Service[],
)('vectors of %s are base64 where the client wants that', async (service) => {
  const { answer } = await ofService(service, { encoding_format: 'base64' })
  const [row] = answer['data'] as readonly { embedding: unknown }[]
  const bytes = Buffer.from(String(row?.embedding), 'base64')
  expect([0, 4, 8].map((at) => Math.fround(bytes.readFloatLE(at)))).toEqual([0.1, 0.2, 0.002].map(Math.fround))
})

test('the end user, for whom Gemini has no field, is named as left out', async () => {
  const asked = await ofService('google', { user: 'ada', encoding_format: 'float' })
  expect([asked.status, told(asked), asked.leftOut]).toEqual([200, {}, 'user'])
})
