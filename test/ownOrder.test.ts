/** Chat clients of a service that speaks their dialect and is stricter than it about who speaks when. */

import { expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'

const MODEL = 'mistral-small-2603'
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64')
const call = (id: string) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })
const user = (content: unknown) => ({ role: 'user', content })
const system = (content: string) => ({ role: 'system', content })
const answer = (content: string | null, more: object = {}) => ({ role: 'assistant', content, ...more })
const result = (tool_call_id: string, content: unknown) => ({ role: 'tool', tool_call_id, content })
const shown = [
  { type: 'text', text: 'Seen' },
  { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
]

const said = (messages: readonly { readonly role: string }[]) => messages.map(({ role }) => role).join(' ')

test.each<[string, readonly object[], string, RegExp]>([
  [
    'a system message in the middle',
    [system('a'), user('b'), answer('c'), { role: 'developer', content: 'MIDDLE' }, user('d')],
    'system system user assistant user',
    /MIDDLE/,
  ],
  ['a turn without a word', [user('a'), answer(''), user('b')], 'user user', /"b"/],
  [
    'what the user says behind results',
    [user('a'), answer(null, { tool_calls: [call('call_1')] }), result('call_1', 'r'), user('MORE')],
    'user assistant tool assistant user',
    /MORE/,
  ],
  [
    'a picture in a result',
    [user('a'), answer(null, { tool_calls: [call('call_1')] }), result('call_1', shown)],
    'user assistant tool assistant user',
    new RegExp(PNG),
  ],
  [
    'a call that was interrupted',
    [user('a'), answer(null, { tool_calls: [call('call_1')] }), user('stop')],
    'user assistant tool assistant user',
    /stop/,
  ],
  ['a turn to continue', [user('a'), answer('one, two,')], 'user assistant user', /one, two,/],
  [
    'a turn that is marked to be continued',
    [user('a'), answer('one,', { prefix: true })],
    'user assistant',
    /"prefix":true/,
  ],
])('%s is told so that it is taken at once', async (_, messages, roles, kept) => {
  await using world = await openGateway({ providers: { mistral: { models: { [MODEL]: {} } } } })
  const response = await world.ask('/v1/chat/completions', { model: MODEL, messages })
  expect([response.status, world.fakes.calls.map(({ status, refusal }) => [status, refusal])]).toEqual([
    200,
    [[200, undefined]],
  ])
  const body = world.fakes.calls[0]?.body as { readonly messages: readonly { readonly role: string }[] } // JSON of ours
  expect(said(body.messages)).toBe(roles)
  expect(JSON.stringify(body)).toMatch(kept)
})
