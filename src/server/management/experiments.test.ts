import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayWorld, openGateway } from '../../../test/support/gatewayWorld.ts'
import { own } from '../../../test/support/lab.ts'
import type { ExperimentsView } from '../../views/experiments.ts'

const metric = { name: 'clicks', minimum_effect: 1 }
const race = {
  name: 'race',
  metric,
  variants: [
    { name: 'now', share: 0.5, model: 'alpha/m' },
    { name: 'new', share: 0.5, model: 'beta/n' },
  ],
}
const greeting = {
  name: 'greeting',
  variables: ['who'],
  variants: [
    { name: 'a', share: 0.5, template: '{{who}}, {{prompt}}', parameters: { max_tokens: 9 } },
    { name: 'b', share: 0.5, template: '{{prompt}} said {{who}}', parameters: { max_tokens: 8 } },
  ],
}

let world: GatewayWorld
beforeAll(async () => {
  const scenario = { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['n'], { dialect: 'anthropic' }) } }
  world = await openGateway(scenario, { settings: { experiments: [race, greeting] } })
})
afterAll(() => world.close())

const chat = (model: string, headers = {}, more = {}) =>
  world.ask('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Say hi' }], ...more }, headers)

const experimentsNow = async () => {
  const headers = { authorization: `Bearer ${world.adminToken}` }
  return (await world.ask('/api/experiments', undefined, headers)).json() as Promise<ExperimentsView>
}

test('any client can join with the model experiment:NAME, in any protocol, streamed or not', async () => {
  for (let call = 0; call < 8; call++) {
    const answer = await chat('experiment:race', {}, { stream: call % 2 === 0 })
    await answer.text()
    const place = answer.headers.get('x-keywise-experiment')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-keywise-target')).toBe(place === 'race@1/now' ? 'alpha/m#1' : 'beta/n#1')
  }
  const body = { model: 'experiment:race', max_tokens: 50, messages: [{ role: 'user', content: 'Say hi' }] }
  const anthropic = await world.ask('/v1/messages', body)
  expect(anthropic.headers.get('x-keywise-experiment')).toMatch(/^race@1\/(?:now|new)$/)
  const gemini = await world.ask('/v1beta/models/experiment:race:generateContent', {
    contents: [{ role: 'user', parts: [{ text: 'Say hi' }] }],
  })
  expect(gemini.headers.get('x-keywise-experiment')).toMatch(/^race@1\//)
})

test('templates are filled from the prompt and the header, and the body is rewritten accordingly', async () => {
  const headers = { 'x-keywise-labels': 'experiment=greeting', 'x-keywise-variables': '{"who":"\\u00c1na"}' }
  const answer = await chat('alpha/m', headers, { temperature: 0.3, metadata: { kept: 'yes' } })
  const isA = answer.headers.get('x-keywise-experiment') === 'greeting@1/a'
  expect(world.fakes.calls.at(-1)?.body).toMatchObject({
    model: 'm',
    messages: [{ role: 'user', content: isA ? 'Ána, Say hi' : 'Say hi said Ána' }],
    temperature: 0.3,
    metadata: { kept: 'yes' },
  })
  expect(JSON.stringify(world.fakes.calls.at(-1)?.body)).toMatch(isA ? /tokens":9/ : /tokens":8/)
})

for (const { headers, model, status, says } of [
  { headers: {}, model: 'experiment:rase', status: 404, says: 'nearest: experiment:race' },
  { headers: { 'x-keywise-labels': 'experiment=greeting' }, model: 'm', status: 400, says: 'needs {{who}}' },
  {
    headers: { 'x-keywise-variables': 'who' },
    model: 'm',
    status: 400,
    says: 'x-keywise-variables takes a JSON object',
  },
])
  test(`the error of an invalid request says: ${says}`, async () => {
    const answer = await chat(model, headers)
    expect(answer.status).toBe(status)
    expect(await answer.text()).toContain(says)
  })

test('feedback carries a score, numbers, or both; each counts once', async () => {
  const id = (await chat('experiment:race')).headers.get('x-keywise-request-id')
  const send = async (body: object) => {
    const answer = await world.ask('/v1/feedback', { request_id: id, ...body })
    return [answer.status, await answer.text()] as const
  }
  const clicksBefore = await observed('clicks')
  expect((await send({ metrics: { clicks: 3 } }))[0]).toBe(200)
  expect((await send({ score: 0.4, metrics: { clicks: 5 } }))[0]).toBe(200)
  expect(await observed('clicks')).toBe(clicksBefore + 1)
  expect(await send({})).toEqual([400, expect.stringContaining('\\"metrics\\": { name: number }')])
  expect(await send({ metrics: { clicks: 'many' } })).toEqual([400, expect.stringContaining('must be a number')])
  expect(await send({ metrics: { latency: 5 } })).toEqual([400, expect.stringContaining('has no metric')])
  expect(await send({ score: 2 })).toEqual([400, expect.stringContaining('0 to 1')])
})

async function observed(metric: string): Promise<number> {
  const { experiments } = await experimentsNow()
  const { variants = [] } = experiments.find(({ name }) => name === 'race') ?? {}
  return variants.reduce((sum, { metrics }) => sum + (metrics[metric]?.observations ?? 0), 0)
}

test('running experiments are listed among the models', async () => {
  const { data } = (await (await world.ask('/v1/models')).json()) as { data: { id: string }[] }
  expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['experiment:greeting', 'experiment:race']))
})
