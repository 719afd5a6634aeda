/** Numbers, times and names that clients send to the gateway's own routes: in their range, or a 400 that names it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { routeList } from '../../src/server/routeList.ts'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN } from '../support/gatewayWorld.ts'

let world: GatewayWorld
const folder = mkdtempSync(join(tmpdir(), 'keywise-'))
const store = join(folder, 'keywise.db')
beforeAll(async () => {
  world = await openGateway({ providers: { own: { models: { talker: { reply: 'Hello' } } } } }, { store })
  for (let call = 0; call < 3; call++)
    await (
      await world.ask('/v1/chat/completions', { model: 'talker', messages: [{ role: 'user', content: 'Hi' }] })
    ).text()
})
afterAll(async () => {
  await world.close()
  rmSync(folder, { recursive: true, force: true })
})

const AS_ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` }
const AS_CLIENT = { authorization: `Bearer ${TOKEN}` }

async function get(path: string, headers: Readonly<Record<string, string>> = AS_ADMIN) {
  const response = await fetch(world.origin + path, { headers })
  return { status: response.status, text: await response.text() }
}

const NO_NUMBERS = [
  '',
  '0',
  '-1',
  '-0',
  '+5',
  '1.5',
  '1.0',
  '1e2',
  '1e9',
  'NaN',
  'Infinity',
  'null',
  'true',
  '0x10',
  '0b11',
  '1_000',
  '1,000',
  '007',
  '%205',
  '5%20',
  '5%00',
  '%D9%A5',
  '%EF%BC%95',
  '1001',
  '4294967297',
  '9007199254740993',
  '9'.repeat(400),
  '5;drop%20table%20attempts',
  "5'",
  '5&limit=6',
  '5&limit=',
]

describe('a number in a query', () => {
  test.each(NO_NUMBERS)('limit=%s is refused, with the range, by the list of requests', async (value) => {
    const { status, text } = await get(`/api/requests?limit=${value}`)
    expect(status).toBe(400)
    expect(JSON.parse(text).error).toMatch(/^"limit" (?:must be a whole number from 1 to 1000|is given more than once)/)
  })

  test.each(NO_NUMBERS)('limit=%s is refused by the list of models, in the words of Anthropic', async (value) => {
    const { status, text } = await get(`/v1/models?limit=${value}`, { ...AS_CLIENT, 'anthropic-version': '2023-06-01' })
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { message: expect.stringContaining('"limit"') } })
  })

  test.each([
    ['', 3],
    ['limit=1', 1],
    ['limit=2', 2],
    ['limit=1000', 3],
  ])('%s is taken', async (query, rows) => {
    const { status, text } = await get(`/api/requests?${query}`)
    expect([status, JSON.parse(text).requests.length]).toEqual([200, rows])
  })
})

test.each([
  ['/api/spend?since=yesterday', '"since" must be a time such as 2026-11-23 or 7d'],
  ['/api/spend?until=2026-13-45', '"until" must be a time'],
  ['/api/spend?since=1e99d', '"since" must be a time'],
  ['/api/spend?since=7d&since=8d', '"since" is given more than once'],
  ['/api/spend?since=', '"since" must be a time'],
  ['/api/spend?caches=maybe', '"caches" must be true or false'],
  ['/api/spend?by=nothing', 'spending cannot be told by "nothing"'],
  [`/api/spend?by=${'x'.repeat(2000)}`, '"by" is longer than 1000 characters'],
  ['/api/why?model=a&model=b', '"model" is given more than once'],
  ['/api/why?request=kw_none', 'no request "kw_none" is known'],
  ['/api/models?explain=a&explain=b', '"explain" is given more than once'],
])('%s is refused', async (path, words) => {
  const { status, text } = await get(path)
  expect(status).toBe(400)
  expect(JSON.parse(text).error).toContain(words)
})

test.each([
  ['/api/test', { provider: 5 }, '"provider" must be a text'],
  ['/api/test', { model: ['talker'] }, '"model" must be a text'],
  ['/api/targets/retest', { target: {} }, '"target" must be a text'],
  ['/api/targets/retest', { target: 'nobody' }, 'nobody'],
  ['/api/targets/retest', [], 'the body must be a JSON object'],
  ['/api/test', 'all', 'the body must be a JSON object'],
])('what is to be tested is not everything because its name is none: POST %s %j', async (path, body, words) => {
  const before = world.fakes.calls.length
  const response = await fetch(world.origin + path, {
    method: 'POST',
    headers: { ...AS_ADMIN, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toEqual({ error: expect.stringContaining(words) })
  expect(world.fakes.calls.length).toBe(before)
})

/** Of this machine, of SQL, or of the program. */
const INNARDS = [
  folder,
  process.cwd(),
  'sqlite',
  'SELECT',
  'datatype',
  'no such',
  '    at ',
  'node:',
  'ENOENT',
  'TypeError',
]

const HOSTILE = ['-1', '1.5', 'NaN', '', "'", '"', '%00', '%ff', '../../etc/passwd', '{}', '[]', '%', '9'.repeat(30)]
const PARAMETERS = [
  'limit',
  'since',
  'until',
  'by',
  'caches',
  'request',
  'model',
  'explain',
  'key',
  'pageSize',
  'after_id',
]

/** Every route, those that read with every parameter; each answer is looked through. Returns how many failed here. */
async function lookThrough(): Promise<number> {
  let failures = 0
  let turn = 0
  for (const { method, path, scopes } of routeList()) {
    if (path === '/api/events') continue
    const headers = scopes?.includes('inference') ? AS_CLIENT : AS_ADMIN
    const names = method === 'GET' ? PARAMETERS : PARAMETERS.slice(0, 1)
    for (const query of names.map((name) => `${name}=${HOSTILE[turn++ % HOSTILE.length]}`)) {
      const response = await fetch(`${world.origin}${path}?${query}`, {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{"limit":-1.5,"model":"../m","provider":"..","target":"../.."}' }),
      })
      const text = await response.text()
      if (response.status >= 500) failures++
      if (response.status < 400) continue
      for (const words of INNARDS) expect(text, `${method} ${path}?${query}`).not.toContain(words)
    }
  }
  expect(turn).toBeGreaterThan(200)
  return failures
}

describe('an error that a client is told', () => {
  test('names no file, no SQL and no code, on any route, and none of them is a failure of ours', async () => {
    expect(await lookThrough()).toBe(0)
  })

  test('nor does it when the store can no longer be read', async () => {
    const database = new DatabaseSync(store)
    database.exec('ALTER TABLE events RENAME TO was_events')
    const { status, text } = await get('/api/requests')
    database.exec('ALTER TABLE was_events RENAME TO events')
    database.close()
    expect([status, JSON.parse(text)]).toEqual([500, { error: 'keywise failed on this request; see its log' }])
    expect(world.logged.some((line) => line.startsWith('/api/requests: ') && line.includes(store))).toBe(true)
  })
})
