/** Pictures as Mistral's clients say them: by an address without an object around it. */

import { expect, test } from 'vitest'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { openGateway } from './support/gatewayWorld.ts'

const PNG = Buffer.from('.PNG a picture '.repeat(5000)).toString('base64')
const URLS = ['https://example.test/a.png', `data:image/png;base64,${PNG}`]
/** With a field that is none of ours and that the service takes. */
const SERVICES = [
  ['openai', 'gpt-4.1', { prompt_cache_key: 'odd' }],
  ['openai', 'gpt-6-sol', { prompt_cache_key: 'odd' }],
  ['mistral', 'mistral-large-2512', { metadata: { odd: '1' } }],
] as const

const scenario = (provider: string, model: string): FakeScenario => ({
  providers: { [provider]: { models: { [model]: { reply: 'Good.' } } } },
})

const talk = (url: string) => [
  {
    role: 'user',
    content: [
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: url },
    ],
  },
]

test.each(
  SERVICES.flatMap((service) => URLS.flatMap((url) => [0, 1].map((space) => [...service, url, space] as const))),
)('%s takes it (%s)', async (provider, model, other, url, space) => {
  await using world = await openGateway(scenario(provider, model))
  const body = JSON.stringify({ model, messages: talk(url), ...other }, null, space)
  const response = await world.ask('/v1/chat/completions', body)
  expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, null])
  const sent = world.fakes.calls.at(-1)?.body
  expect(JSON.stringify(sent)).toContain(url)
  expect(sent).toMatchObject(other)
})
