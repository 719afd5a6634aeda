/** Numbers through a whole gateway: every digit arrives, in both directions, and where numbers are only read 1.0 is 1. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { parseJson } from '../src/domain/parseJson.ts'
import { DIALECTS } from './support/askGateway.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { type HttpUpstream, httpUpstream } from './support/httpUpstream.ts'
import { normalText, numbersIn } from './support/jsonTexts.ts'
import { fakeKey } from './support/labCall.ts'
import { type Body, WIRES } from './support/wires.ts'

const ARGS = '{"id":2512292042121000001,"share":0.1234567890123456789,"rate":1.0,"tiny":1e-7,"zero":-0}'
const SCHEMA =
  '{"type":"object","properties":{"id":{"type":"integer","minimum":-9223372036854775808,"default":2512292042121000001}}}'
const RESULT = '"2512292042121000001"'

const PATHS: { readonly [D in DialectId]: string } = {
  openai: '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  anthropic: '/v1/messages',
  google: '/v1beta/models/MODEL:generateContent',
}

interface Wired extends AsyncDisposable {
  readonly world: GatewayWorld
  readonly upstream: HttpUpstream
}

/** A gateway with one upstream of the dialect, which calls the tool with `ARGS`. */
async function open(dialect: DialectId): Promise<Wired> {
  const upstream = await httpUpstream(() => ({ body: WIRES[dialect].answer({ args: ARGS, text: '"Hi"' }) }))
  const block = { dialect, endpoint: upstream.endpoint, api_key: fakeKey('only'), models: ['m'] }
  const world = await openGateway({ providers: {} }, { providers: { providers: { only: block } } })
  return { world, upstream, [Symbol.asyncDispose]: () => world.close() }
}

async function ask(world: GatewayWorld, client: DialectId, request: string): Promise<Body> {
  const body = request.replace('"model":"m"', '"model":"only/m"')
  const response = await world.ask(PATHS[client].replace('MODEL', 'only/m'), body)
  const text = await response.text()
  expect([response.status, text]).toEqual([200, text])
  return parseJson(text) as Body // answers are objects
}

describe.each(DIALECTS)('an upstream of %s', (dialect) => {
  test('gets the numbers of clients of every dialect and they get its own', async () => {
    await using wired = await open(dialect)
    for (const client of DIALECTS) {
      const request = WIRES[client].request({ args: ARGS, result: RESULT, schema: SCHEMA })
      const answer = await ask(wired.world, client, request)
      expect([client, normalText(WIRES[client].gotArguments(answer))]).toEqual([client, ARGS])
      const sent = parseJson(wired.upstream.calls.at(-1)?.text ?? '') as Body // requests are objects
      expect([client, normalText(WIRES[dialect].sentArguments(sent))]).toEqual([client, ARGS])
      expect(numbersIn(JSON.stringify(WIRES[dialect].sentSchema(sent)))).toEqual(numbersIn(SCHEMA))
    }
  })

  test('gets those of a body so long that only its outline is read at first', async () => {
    await using wired = await open(dialect)
    for (const client of DIALECTS) {
      const result = JSON.stringify('1.0 '.repeat(20_000))
      await ask(wired.world, client, WIRES[client].request({ args: ARGS, result, schema: SCHEMA }))
      const sent = parseJson(wired.upstream.calls.at(-1)?.text ?? '') as Body // requests are objects
      expect([client, normalText(WIRES[dialect].sentArguments(sent))]).toEqual([client, ARGS])
    }
  })
})

test('feedback may spell its score with a point', async () => {
  await using wired = await open('openai')
  const request = WIRES.openai.request({ args: '{}', result: '"x"', schema: SCHEMA }).replace('"m"', '"only/m"')
  const response = await wired.world.ask(PATHS.openai, request)
  const id = response.headers.get('x-keywise-request-id')
  const rated = await wired.world.ask('/v1/feedback', `{"request_id":"${id}","score":1.0,"metrics":{"speed":0.50}}`)
  expect([rated.status, await rated.text()]).toEqual([200, expect.any(String)])
})
