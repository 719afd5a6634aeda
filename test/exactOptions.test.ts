/**
 * The options of a request through a whole gateway, all sixteen pairs: a number arrives with the digits that were sent,
 * or it is named in `x-keywise-left-out`, or the request is refused by its name.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { DIALECTS } from './support/askGateway.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { type HttpUpstream, httpUpstream } from './support/httpUpstream.ts'
import { numbersIn } from './support/jsonTexts.ts'
import { fakeKey } from './support/labCall.ts'
import { WIRES } from './support/wires.ts'

const PATHS: { readonly [D in DialectId]: string } = {
  openai: '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  anthropic: '/v1/messages',
  google: '/v1beta/models/MODEL:generateContent',
}

type Option = 'maxTokens' | 'temperature' | 'topP' | 'topK' | 'seed' | 'frequencyPenalty'

/** How each dialect spells the options that it has. */
const NAMES: { readonly [D in DialectId]: { readonly [O in Option]?: string } } = {
  openai: {
    maxTokens: 'max_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    topK: 'top_k',
    seed: 'seed',
    frequencyPenalty: 'frequency_penalty',
  },
  'openai-responses': { maxTokens: 'max_output_tokens', temperature: 'temperature', topP: 'top_p' },
  anthropic: { maxTokens: 'max_tokens', temperature: 'temperature', topP: 'top_p', topK: 'top_k' },
  google: {
    maxTokens: 'maxOutputTokens',
    temperature: 'temperature',
    topP: 'topP',
    topK: 'topK',
    seed: 'seed',
    frequencyPenalty: 'frequencyPenalty',
  },
}
/** Names in `x-keywise-left-out`. */
const NAMED: { readonly [O in Option]: string } = {
  maxTokens: 'max_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
}

const wholes = fc.oneof(
  fc.constantFrom('9007199254740993', '2147483648', '2147483647', '64', '9223372036854775807'),
  fc.stringMatching(/^[1-9]\d{15,18}$/),
  fc.integer({ min: 16, max: 2 ** 31 - 1 }).map(String),
)
const shares = fc.oneof(
  fc.constantFrom('0.1000000000000000055', '1.0', '0.10', '1e-7', '0.0', '1'),
  fc.stringMatching(/^0\.\d{1,25}$/),
)
const options = fc.record(
  { maxTokens: wholes, temperature: shares, topP: shares, topK: wholes, seed: wholes, frequencyPenalty: shares },
  { requiredKeys: ['maxTokens'] },
) as fc.Arbitrary<Partial<Record<Option, string>>>

function requestText(client: DialectId, asked: Partial<Record<Option, string>>): string {
  const fields = Object.entries(NAMES[client]).flatMap(([option, name]) => {
    const text = asked[option as Option] // a key of NAMES
    return text === undefined ? [] : [`"${name}":${text}`]
  })
  const plain = WIRES[client].request({ args: '{}', result: '"x"', schema: '{"type":"object"}' })
  const said = client === 'google' ? `"generationConfig":{${fields.join(',')}}` : fields.join(',')
  return `{${said},${plain.slice(1).replace('"max_tokens":9,', '')}`
}

/** The number that stands behind the name; null for none. */
function sentNumber(body: string, name: string): string | null {
  return new RegExp(`"${name}":(-?[0-9][^,}\\]]*)`).exec(body)?.[1] ?? null
}

interface Answered {
  readonly status: number
  readonly text: string
  readonly leftOut: readonly string[]
}

interface Wired extends AsyncDisposable {
  readonly upstream: HttpUpstream
  ask(client: DialectId, body: string): Promise<Answered>
}

/** A gateway with one upstream of the dialect. */
async function open(dialect: DialectId): Promise<Wired> {
  const upstream = await httpUpstream(() => ({ body: WIRES[dialect].answer({ args: '{}', text: '"Hi"' }) }))
  const block = { dialect, endpoint: upstream.endpoint, api_key: fakeKey('only'), models: ['m'] }
  const world = await openGateway({ providers: {} }, { providers: { providers: { only: block } } })
  const ask = async (client: DialectId, body: string): Promise<Answered> => {
    const text = body.replace('"model":"m"', '"model":"only/m"')
    const response = await world.ask(PATHS[client].replace('MODEL', 'only/m'), text)
    const leftOut = (response.headers.get('x-keywise-left-out') ?? '').split(', ')
    return { status: response.status, text: await response.text(), leftOut }
  }
  return { upstream, ask, [Symbol.asyncDispose]: () => world.close() }
}

describe.each(DIALECTS)('an upstream of %s', (dialect) => {
  const isSame = (sent: string, asked: string) =>
    sent === asked || (Number.isSafeInteger(Number(asked)) && Number(sent) === Number(asked))

  test.each(DIALECTS)('is told every digit of the options of a client of %s', async (client) => {
    await using wired = await open(dialect)
    await fc.assert(
      fc.asyncProperty(options, async (asked) => {
        const { status, text, leftOut } = await wired.ask(client, requestText(client, asked))
        expect([status, text]).toEqual([200, text])
        const sent = wired.upstream.calls.at(-1)?.text ?? ''
        for (const option of Object.keys(NAMES[client]) as Option[]) {
          const spelled = asked[option]
          if (spelled === undefined) continue
          const name = NAMES[dialect][option]
          const arrived = name === undefined ? null : sentNumber(sent, name)
          // 1 is the vendors' own value of both.
          const isSilent = arrived === null && Number(spelled) === 1
          const isTold = arrived !== null && isSame(arrived, spelled)
          expect([option, spelled, arrived, isTold || isSilent || leftOut.includes(NAMED[option])]).toEqual([
            option,
            spelled,
            arrived,
            true,
          ])
        }
      }),
      { numRuns: 25 },
    )
  })

  test.each(DIALECTS)('is never told of a number that is none, by a client of %s', async (client) => {
    await using wired = await open(dialect)
    const { status, text } = await wired.ask(client, requestText(client, { maxTokens: '64', temperature: '1e400' }))
    expect([status, text]).toEqual([400, expect.stringContaining('temperature')])
    expect(wired.upstream.calls).toEqual([])
  })

  test('is told of the limits of a schema, or they are part of the words', async () => {
    await using wired = await open(dialect)
    const schema =
      '{"type":"object","properties":{"n":{"type":"integer","maximum":9007199254740993}},"required":["n"],"additionalProperties":false}'
    const plain = (client: DialectId, more: string) =>
      `{${more},${WIRES[client].request({ args: '{}', result: '"x"', schema: '{"type":"object"}' }).slice(1)}`
    const asked: { readonly [D in DialectId]: string } = {
      openai: `"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":${schema}}}`,
      'openai-responses': `"text":{"format":{"type":"json_schema","name":"a","schema":${schema}}}`,
      anthropic: `"output_config":{"format":{"type":"json_schema","schema":${schema}}}`,
      google: `"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":${schema}}`,
    }
    for (const client of DIALECTS) {
      await wired.ask(client, plain(client, asked[client]))
      expect([client, wired.upstream.calls.at(-1)?.text]).toEqual([client, expect.stringContaining('9007199254740993')])
    }
  })
})

test('the counts of a schema that a Gemini client writes as texts arrive with every digit', async () => {
  await using wired = await open('openai')
  const items = '{"type":"ARRAY","items":{"type":"STRING"},"maxItems":"9007199254740993","minItems":"2"}'
  const request = WIRES.google.request({ args: '{}', result: '"x"', schema: '{"type":"object"}' })
  const body = request.replace(
    '"parametersJsonSchema":{"type":"object"}',
    `"parameters":{"type":"OBJECT","properties":{"a":${items}}}`,
  )
  await wired.ask('google', body)
  expect(numbersIn(wired.upstream.calls.at(-1)?.text ?? '')).toEqual(['2', '9007199254740993'])
})

test('what a service refuses of its own dialect is changed without the loss of a digit', async () => {
  const upstream = await httpUpstream(() => ({ body: WIRES.openai.answer({ args: '{}', text: '"Hi"' }) }))
  const block = { endpoint: upstream.endpoint, api_key: fakeKey('only'), models: ['m'] }
  await using world = await openGateway({ providers: {} }, { providers: { providers: { groq: block } } })
  const history = '{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"c"}'
  const options = '"seed":9007199254740993,"temperature":0.1000000000000000055,"logit_bias":{"9007199254740993":1.0}'
  const messages = `[${history},{"role":"user","content":"d"}]`
  const response = await world.ask('/v1/chat/completions', `{"model":"groq/m",${options},"messages":${messages}}`)
  expect(await response.text()).toContain('Hi')
  const sent = upstream.calls.at(-1)?.text ?? ''
  expect(sent).not.toContain('reasoning_content')
  for (const option of options.split(/,(?=")/)) expect(sent).toContain(option)
})
