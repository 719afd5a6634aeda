/** A simulated provider lists what a stored response was asked with. */

import { expect, test } from 'vitest'
import { openWorld } from '../../../test/support/labCall.ts'
import type { FakeWorld } from './fakeProviders.ts'

const MODEL = 'gpt-4.1'
const HEADERS = { authorization: 'Bearer any', 'content-type': 'application/json' }

const open = () =>
  openWorld({ providers: { openai: { dialect: 'openai-responses', models: { [MODEL]: { reply: 'Good.' } } } } })

async function stored(world: FakeWorld, input: unknown): Promise<string> {
  const body = JSON.stringify({ model: MODEL, input })
  const response = await fetch(`${world.endpoint('openai')}/responses`, { method: 'POST', headers: HEADERS, body })
  expect(response.status).toBe(200)
  return ((await response.json()) as { id: string }).id // as the API documents it
}

async function list(world: FakeWorld, id: string, query = '') {
  const url = `${world.endpoint('openai')}/responses/${id}/input_items${query}`
  const response = await fetch(url, { headers: HEADERS })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const said = (role: string, type: string, text: string) => ({
  type: 'message',
  role,
  status: 'completed',
  content: [expect.objectContaining({ type, text })],
})

test('a text is one message of the user', async () => {
  const world = await open()
  const { body } = await list(world, await stored(world, 'Hi'))
  expect(body).toMatchObject({ object: 'list', data: [said('user', 'input_text', 'Hi')], has_more: false })
  const [item] = body['data'] as readonly [{ id: string }]
  expect(body).toMatchObject({ first_id: item.id, last_id: item.id })
})

const TALK = [
  { role: 'user', content: 'Look' },
  { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'look', arguments: '{}' },
  { type: 'function_call_output', call_id: 'c1', output: 'found' },
  { role: 'assistant', content: 'I found it' },
  { role: 'user', content: [{ type: 'input_text', text: 'Where?' }] },
]

test('items come with their ids, the last first, page by page', async () => {
  const world = await open()
  const id = await stored(world, TALK)
  const inOrder = (await list(world, id, '?order=asc')).body['data']
  expect(inOrder).toMatchObject([
    said('user', 'input_text', 'Look'),
    TALK[1],
    TALK[2],
    said('assistant', 'output_text', 'I found it'),
    said('user', 'input_text', 'Where?'),
  ])
  const first = (await list(world, id, '?limit=3')).body
  expect(first).toMatchObject({ has_more: true })
  const second = (await list(world, id, `?limit=3&after=${first['last_id']}`)).body
  expect(second).toMatchObject({ has_more: false })
  const pages = [first, second].flatMap(({ data }) => data as readonly { id: string }[])
  expect(pages).toEqual((inOrder as readonly unknown[]).toReversed())
  expect(new Set(pages.map(({ id }) => id)).size).toBe(TALK.length)
})

test('a page of no size, or in no order, is refused', async () => {
  const world = await open()
  const id = await stored(world, 'Hi')
  for (const [query, message] of [
    ['?limit=101', "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead."],
    ['?order=up', "Invalid value: 'up'. Supported values are: 'asc' and 'desc'."],
  ])
    expect(await list(world, id, query)).toMatchObject({ status: 400, body: { error: { message } } })
})
