/** Files, containers and cached contents that one account holds: asked of it, and of the others at most once. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { openGateway } from './support/gatewayWorld.ts'

const COUNT = 3
const keys = Object.fromEntries(Array.from({ length: COUNT }, (_, index) => [`fake-own-${'0'.repeat(12)}${index}`, {}]))

interface Held {
  readonly name: string
  readonly dialect: DialectId
  readonly path: string
  readonly body: object
  readonly refusal: { readonly status: number; readonly body: unknown }
}

const anthropicLost = (message: string) => ({
  status: 404,
  body: { type: 'error', error: { type: 'not_found_error', message } },
})
const claude = (content: unknown, more: object = {}) => ({
  model: 'm',
  max_tokens: 50,
  messages: [{ role: 'user', content }],
  ...more,
})
const gemini = (parts: readonly object[], more: object = {}) => ({ contents: [{ role: 'user', parts }], ...more })
const GEMINI_PATH = '/v1beta/models/m:generateContent'
const FILE = 'https://generativelanguage.googleapis.com/v1beta/files/abc-123'

const HELD: readonly Held[] = [
  {
    name: 'a file of Anthropic',
    dialect: 'anthropic',
    path: '/v1/messages',
    body: claude([{ type: 'document', source: { type: 'file', file_id: 'file_011abc' } }]),
    refusal: anthropicLost('File not found: file_011abc'),
  },
  {
    name: 'a container',
    dialect: 'anthropic',
    path: '/v1/messages',
    body: claude('Hi', { container: 'container_011abc' }),
    refusal: anthropicLost('container container_011abc not found'),
  },
  {
    name: 'a cached content',
    dialect: 'google',
    path: GEMINI_PATH,
    body: gemini([{ text: 'Hi' }], { cachedContent: 'cachedContents/abc123' }),
    refusal: {
      status: 403,
      body: {
        error: { code: 403, message: 'CachedContent not found (or permission denied)', status: 'PERMISSION_DENIED' },
      },
    },
  },
  {
    name: 'a file of Gemini',
    dialect: 'google',
    path: GEMINI_PATH,
    body: gemini([{ fileData: { mimeType: 'application/pdf', fileUri: FILE } }, { text: 'Hi' }]),
    refusal: {
      status: 403,
      body: {
        error: {
          code: 403,
          message: 'You do not have permission to access the File abc-123 or it may not exist.',
          status: 'PERMISSION_DENIED',
        },
      },
    },
  },
  {
    name: 'a file of Responses',
    dialect: 'openai-responses',
    path: '/v1/responses',
    body: { model: 'm', input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-abc123' }] }] },
    refusal: {
      status: 404,
      body: {
        error: { message: 'File file-abc123 not found.', type: 'invalid_request_error', param: null, code: null },
      },
    },
  },
]

describe.each(HELD)('$name', ({ dialect, path, body, refusal }) => {
  /** Only the last key's account has it. */
  const open = () =>
    openGateway(
      { providers: { own: { dialect, strict: false, keys, models: { m: {} } } } },
      {
        settings: { routing: { strategy: 'priority', exploration: { rate: 0 } } },
        instead: ({ key }, response) => {
          if (key === COUNT || !isLost) return false
          response.writeHead(refusal.status, { 'content-type': 'application/json' })
          response.end(JSON.stringify(refusal.body))
          return true
        },
      },
    )
  let isLost = true
  const trail = (count: number, last: string) =>
    Array.from(
      { length: count },
      (_, index) => `own/m#${index + 1}=${index === count - 1 ? last : 'bad_request'}`,
    ).join('; ')

  test('is looked for at each account once, and found at once the next time', async () => {
    isLost = true
    await using world = await open()
    const first = await world.ask(path, body)
    expect([first.status, first.headers.get('x-keywise-trail')]).toEqual([200, trail(COUNT, 'ok')])
    const next = await world.ask(path, body)
    expect([next.status, next.headers.get('x-keywise-trail')]).toEqual([200, `own/m#${COUNT}=ok`])
  })

  test('that no account has is refused as the provider says it, and parks nobody', async () => {
    isLost = true
    await using world = await open()
    world.fakes.refuseIf((_, said) => (JSON.stringify(said).includes('abc') ? refusal : null))
    const { status, headers } = await world.ask(path, body)
    expect([status, headers.get('x-keywise-trail')]).toEqual([refusal.status, trail(COUNT, 'bad_request')])
    const { engine } = world.gateway.opened
    expect(engine.learned.parks.list(engine.now)).toEqual([])
  })
})
