/** Responses that an upstream stores, by the official client, and counting the tokens of one before it is asked for. */

import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'

let world: GatewayWorld
let client: OpenAI
beforeAll(async () => {
  const keys = { 'fake-own-one': {}, 'fake-own-two': {}, 'fake-own-three': {} }
  world = await openGateway({
    providers: {
      own: { dialect: 'openai-responses', keys, models: { m: {} } },
      chat: { dialect: 'openai', models: { c: {} } },
    },
  })
  client = new OpenAI({ apiKey: TOKEN, baseURL: `${world.origin}/v1`, maxRetries: 0 })
})
afterAll(() => world.close())

describe('a response', () => {
  test('is read from the account that answered, however many keys there are', async () => {
    const targets = new Set<string | null>()
    for (let time = 0; time < 6; time++) {
      const { data, response } = await client.responses.create({ model: 'own/m', input: `Hi ${time}` }).withResponse()
      targets.add(response.headers.get('x-keywise-target'))
      expect((await client.responses.retrieve(data.id)).output_text).toBe(data.output_text)
      expect((await client.responses.inputItems.list(data.id)).data).toMatchObject([
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: `Hi ${time}` }] },
      ])
    }
    expect(targets.size).toBeGreaterThan(1)
  })

  test('of a stream as well, and it can be cancelled and deleted', async () => {
    let id = ''
    for await (const event of await client.responses.create({ model: 'own/m', input: 'Hi', stream: true }))
      if (event.type === 'response.completed') id = event.response.id
    expect((await client.responses.cancel(id)).status).toBe('cancelled')
    await client.responses.delete(id)
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
  })

  test('that is unknown, not stored, or another token’s is not found, in the words of OpenAI', async () => {
    const { id } = await client.responses.create({ model: 'own/m', input: 'Hi' })
    const other = new OpenAI({
      apiKey: world.gateway.tokens.add('other', 'inference'),
      baseURL: `${world.origin}/v1`,
      maxRetries: 0,
    })
    const unstored = await client.responses.create({ model: 'own/m', input: 'Hi', store: false })
    const translated = await client.responses.create({ model: 'chat/c', input: 'Hi' })
    for (const ask of [
      () => other.responses.retrieve(id),
      () => other.responses.delete(id),
      () => client.responses.retrieve(unstored.id),
      () => client.responses.retrieve(translated.id),
      () => client.responses.retrieve('resp_unknown'),
      () => client.responses.cancel('resp_unknown'),
    ])
      await expect(ask()).rejects.toMatchObject({
        status: 404,
        message: expect.stringContaining("' not found."),
        type: 'invalid_request_error',
      })
    expect((await client.responses.retrieve(id)).id).toBe(id)
  })

  test.each([false, true])('that another token asked for is not continued (stream: %s)', async (stream) => {
    const body = { model: 'own/m', input: 'My secret is 7', stream }
    const said = await (await world.ask('/v1/responses', body)).text()
    const id = /"id": ?"(resp_[^"]+)"/.exec(said)?.[1] ?? ''
    const next = { model: 'own/m', input: 'What is it?', previous_response_id: id }
    const authorization = `Bearer ${world.gateway.tokens.add(`curious-${stream}`, 'inference')}`
    world.fakes.forget()
    const refused = await world.ask('/v1/responses', next, { authorization })
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: expect.objectContaining({ code: 'previous_response_not_found', param: 'previous_response_id' }) },
    ])
    expect(world.fakes.calls).toEqual([])
    expect((await world.ask('/v1/responses', next)).status).toBe(200)
  })

  test('whose key is refused by now is the fault of a server, not of the client', async () => {
    const { data, response } = await client.responses.create({ model: 'own/m', input: 'Hi' }).withResponse()
    const key = Number(response.headers.get('x-keywise-target')?.split('#')[1])
    world.fakes.revoke('own', key)
    await expect(client.responses.retrieve(data.id)).rejects.toMatchObject({ status: 502 })
    world.fakes.restore('own', key)
    expect((await client.responses.retrieve(data.id)).id).toBe(data.id)
  })

  test('is not streamed again, and is read and deleted only', async () => {
    const ask = (method: string, path: string) =>
      fetch(world.origin + path, { method, headers: { authorization: `Bearer ${TOKEN}` } })
    expect((await ask('GET', '/v1/responses/resp_1?stream=true')).status).toBe(400)
    const wrong = await ask('POST', '/v1/responses/resp_1')
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, DELETE'])
    expect((await ask('GET', '/v1/responses/resp_1/cancel')).headers.get('allow')).toBe('POST')
    for (const path of ['/responses/resp_1', '/openai/v1/responses/resp_1/', '/v1/v1/responses/resp_1'])
      expect(await (await ask('GET', path)).text()).toContain("Response with id 'resp_1' not found.")
  })
})

describe('the tokens of a request', () => {
  test('are counted without a call, with a model or without', async () => {
    world.fakes.forget()
    const count = await client.responses.inputTokens.count({ model: 'own/m', input: 'word '.repeat(400) })
    expect(count).toMatchObject({ object: 'response.input_tokens', input_tokens: expect.any(Number) })
    expect(count.input_tokens).toBeGreaterThan(400)
    const more = await client.responses.inputTokens.count({
      input: 'word '.repeat(400),
      instructions: 'Be brief. '.repeat(100),
      tools: [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {} }, strict: true }],
    })
    expect(more.input_tokens).toBeGreaterThan(count.input_tokens)
    expect(world.fakes.calls).toEqual([])
  })

  test('are not counted where an upstream has the rest of them', async () => {
    const counted = client.responses.inputTokens.count({ model: 'own/m', input: 'Hi', previous_response_id: 'resp_1' })
    await expect(counted).rejects.toMatchObject({ status: 400, param: 'previous_response_id' })
  })
})
