/**
 * S1, S4, S6, S7: every route of the router with every kind of token. The list is the router's own, so a new route is
 * here without anybody's doing, and fails until docs/gateway.md says who may use it.
 */

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ListedRoute } from '../../src/server/routeList.ts'
import { SCOPES, type TokenScope } from '../../src/server/tokens.ts'
import { openGateway } from '../support/gatewayWorld.ts'
import { routesOf } from '../support/routesOf.ts'

const world = await openGateway({ providers: { own: { models: { talker: { reply: 'Hello' } } } } })
const ROUTES = await routesOf(world)
const tokens = new Map<TokenScope, string>()
const agent = new Agent({ keepAlive: true, maxSockets: 8 })
beforeAll(() => {
  for (const scope of SCOPES) tokens.set(scope, world.gateway.tokens.add(`of-${scope}`, scope))
})
afterAll(async () => {
  agent.destroy()
  await world.close()
})

const PROTECTED = ROUTES.filter(({ scopes }) => scopes !== null)
const named = (routes: readonly ListedRoute[]) =>
  routes.map((route) => [`${route.method} ${route.path}`, route] as const)

/** The status alone; a stream is left at once. */
function statusOf(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((done, fail) => {
    const sent = request({ port: world.gateway.port, host: '127.0.0.1', method, path, headers, agent }, (response) => {
      if (response.headers['content-type']?.includes('event-stream')) response.destroy()
      else response.resume()
      done(response.statusCode ?? 0)
    })
    // A header that node's own client will not send never reaches a server.
    sent.on('error', fail).end()
  })
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('there are as many routes as there are, and each says who may use it', () => {
  expect(ROUTES.length).toBeGreaterThan(60)
  expect(ROUTES.filter(({ scopes }) => scopes === null).map(({ path }) => path)).toEqual(['/', '/healthz', '/readyz'])
  for (const { scopes } of PROTECTED) expect(scopes?.length).toBeGreaterThan(0)
})

test.each(named(PROTECTED))('S7: %s needs a token, of its scopes', async (_, { method, path, scopes }) => {
  expect(await statusOf(method, path, {})).toBe(401)
  expect(await statusOf(method, path, bearer(`kwi_${'x'.repeat(43)}`))).toBe(401)
  for (const scope of SCOPES) {
    if (path === '/api/test' && scope === 'admin') continue
    const status = await statusOf(method, path, bearer(tokens.get(scope) ?? ''))
    if (scopes?.includes(scope)) expect([401, 403]).not.toContain(status)
    else expect(status).toBe(403)
  }
})

test('S6: docs/gateway.md says the same of every route', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/gateway.md'), 'utf8')
  const [, table = ''] = /<!-- scopes -->\n([\s\S]*?)\n<!-- \/scopes -->/.exec(page) ?? []
  const documented = table
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const [routes = '', who = ''] = line.replace(/^\| | \|$/g, '').split(' | ')
      return [...routes.matchAll(/`([^`]+)`/g)].map(([, route]) => `${route}: ${who}`)
    })
  const who = ({ scopes }: ListedRoute) => (scopes === null ? 'no token' : [...scopes].sort().join(', '))
  expect(documented.sort()).toEqual(ROUTES.map((route) => `${route.method} ${route.path}: ${who(route)}`).sort())
})

describe('S4: a path is what is asked for, whatever the Host says, and in one spelling', () => {
  const SPELLINGS: readonly ((path: string) => string)[] = [
    (path) => `/${path}`,
    (path) => path.toUpperCase(),
    (path) => `/v1/..${path}`,
    (path) => `/%2e%2e${path}`,
    (path) => path.replace('/api', '/%61pi'),
    (path) => `${path};x`,
    (path) => `${path}%00`,
    (path) => `${path}/.`,
    (path) => `http://localhost${path}`,
    (path) => `/healthz/..${path}`,
  ]
  const ADMIN = PROTECTED.filter(({ path }) => path.startsWith('/api/'))
  test.each(named(ADMIN))('%s', async (_, { method, path }) => {
    for (const spell of SPELLINGS)
      for (const headers of [{}, bearer(tokens.get('inference') ?? '')])
        expect([400, 401, 403, 404]).toContain(await statusOf(method, spell(path), headers))
    for (const host of ['localhost/?', 'localhost/#', `localhost${path}?`])
      expect([400, 401, 403]).toContain(
        await statusOf(method, path, { host, ...bearer(tokens.get('inference') ?? '') }),
      )
  })
})

/** 100,000 by `SECURITY_SAMPLE=100000 npm test -- test/security/scopes`; the suite takes a seeded sample. */
const SAMPLE = Number(process.env['SECURITY_SAMPLE'] ?? 1500)

test('S1: no value of a credential opens a door, fails the gateway or changes the store', async () => {
  const sql = [
    "' OR '1'='1",
    '"; DROP TABLE docs; --',
    "') UNION SELECT value FROM docs --",
    '%',
    '_'.repeat(43),
    '{{7*7}}',
  ]
  const value = fc.oneof(
    fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 300 }),
    fc.constantFrom(...sql).chain((text) => fc.nat(60).map((pad) => text + 'x'.repeat(pad))),
    fc.nat(30_000).map((size) => "'".repeat(size)),
    fc.string({ unit: fc.integer({ min: 0x80, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 80 }),
  )
  const header = fc.constantFrom('authorization', 'x-api-key', 'x-goog-api-key', 'api-key')
  const route = fc.constantFrom(...PROTECTED)
  const scheme = fc.constantFrom('Bearer ', 'bearer ', 'Basic ', '')
  const docs = () => JSON.stringify(world.gateway.opened.engine.store.listDocs('tokens'))
  const before = docs()
  const asked = fc.sample(fc.tuple(value, header, route, scheme), { numRuns: SAMPLE, seed: 20_261_130 })
  for (let at = 0; at < asked.length; at += 8) {
    const some = asked.slice(at, at + 8)
    const statuses = await Promise.all(
      some.map(([text, name, { method, path }, prefix]) => statusOf(method, path, { [name]: prefix + text })),
    )
    for (const [index, status] of statuses.entries()) expect([401, 431], JSON.stringify(some[index])).toContain(status)
  }
  expect(docs()).toBe(before)
})
