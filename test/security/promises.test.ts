/** What keywise promises against known attacks on tools of its kind, and where each promise is proved. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { redactShapes } from '../../src/domain/redact.ts'
import { groq } from '../../src/providers/groq.ts'
import { classify } from '../../src/upstream/failures/classify.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** By number: the promise, and the files whose tests fail when it is broken. */
const PROMISES: Readonly<Record<string, readonly [promise: string, ...files: string[]]>> = {
  S1: [
    'no credential reaches a query; it is hashed first',
    'test/security/scopes.test.ts',
    'test/security/promises.test.ts',
  ],
  S2: ["upstreams' hosts come from the configuration alone", 'test/security/outbound.test.ts'],
  S3: ['no redirect is followed', 'test/security/outbound.test.ts'],
  S4: [
    'routes and scopes follow from the path as it was sent',
    'test/security/scopes.test.ts',
    'test/gatewayDoor.test.ts',
  ],
  S5: ['no route runs a command or evaluates code', 'test/security/promises.test.ts'],
  S6: ['fixed scopes, denied by default', 'test/security/scopes.test.ts'],
  S7: ['no open mode: every route but three needs a token', 'test/security/scopes.test.ts'],
  S9: ['only known host names are answered', 'test/gatewayDoor.test.ts'],
  S10: ['web pages of other origins are refused, and no CORS header is sent', 'test/gatewayDoor.test.ts'],
  S13: ['no install script, exact versions', 'test/package.test.ts'],
  S14: ['no secret is empty, short or known', 'test/security/tokens.test.ts'],
  S15: ['the time of a comparison says nothing of a token', 'test/security/promises.test.ts'],
  S16: ["a client's headers go no further, but for those that are listed", 'test/security/outbound.test.ts'],
  S17: ['no request hides in another one', 'test/gatewayDoor.test.ts'],
  S18: ['nothing that is decompressed fills memory', 'test/security/bombs.test.ts'],
  S20: ['no text of an upstream takes long to understand', 'test/security/promises.test.ts'],
  S21: ['no JSON changes what all objects have', 'test/security/outbound.test.ts'],
  S22: [
    'files are their owner’s, whole, and written through no link',
    'test/security/files.test.ts',
    'test/security/tokens.test.ts',
  ],
}

test.each(Object.entries(PROMISES))('%s %s', (_, [, ...files]) => {
  for (const file of files) expect(existsSync(join(root, file)), file).toBe(true)
})

// With the dashboard, which keeps its visitor by a cookie.
test.todo('S11 the dashboard: cookies, content security policy, framing, everything as text')

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(sep, '/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
const sourcesOf = (...rooms: readonly string[]) => sources.filter((file) => rooms.some((room) => file.startsWith(room)))

test('S1: no value is written into a statement: those of the store have only fixed parts', () => {
  const statements = sourcesOf('store/').flatMap((file) =>
    [...read(`src/${file}`).matchAll(/\.(?:prepare|exec)\(\s*`([^`]*)`/g)].map(([, sql = '']) => [file, sql] as const),
  )
  expect(statements.length).toBeGreaterThan(5)
  // What may be put in: names of constants, and conditions that hold question marks.
  const MAY =
    /^(?:[A-Z_]+(?:\.join\('[ ,]+'\))?|(?:where|whole)\.sql\(\)|order|columns?|table|name|ofKind|where|places|isOld|names\.join\('[ ,]+'\)|survivesPower \? 'FULL' : 'NORMAL'|\w+Sql|[a-z]+\(\w*\))$/
  const other = statements.flatMap(([file, sql]) =>
    [...sql.matchAll(/\$\{([^}]*)\}/g)].flatMap(([, part = '']) => (MAY.test(part) ? [] : [`${file}: ${part}`])),
  )
  expect(other).toEqual([])
})

test('S5: nothing that answers requests can run a command or evaluate a text', () => {
  const RUNS =
    /node:(?:child_process|vm|cluster|repl|inspector)|\beval\(|new Function\(|\bFunction\(|process\.(?:binding|dlopen)/
  const server = [
    'server/',
    'engine/',
    'manager/',
    'views/',
    'monitor/',
    'tester/',
    'upstream/',
    'store/',
    'observe/',
    'dialects/',
    'domain/',
    'routing/',
    'quota/',
    'money/',
    'experiment/',
    'config/',
    'providers/',
  ]
  expect(sourcesOf(...server).length).toBeGreaterThan(300)
  expect(sourcesOf(...server).filter((file) => RUNS.test(read(`src/${file}`)))).toEqual([])
})

test('S15: tokens are looked up by their hash, and no secret is compared with === on the way of a request', () => {
  const tokens = read('src/server/tokens.ts')
  expect(tokens).toMatch(/find\(presented: string[\s\S]*?#digestOf\(presented, connection\)[\s\S]*?#own\.get\(digest\)/)
  // The one comparison of a presented token is with what the same connection has presented before.
  expect([...tokens.matchAll(/\bpresented\)? ?===|=== ?presented\b/g)]).toHaveLength(1)
  expect(tokens).toContain('if (said?.presented === presented) return said.digest')
})

describe('S20: an error of any text is understood in no time', () => {
  const HOSTILE = [
    'a'.repeat(1_000_000),
    'rate limit '.repeat(100_000),
    `${' '.repeat(500_000)}!`,
    '1'.repeat(500_000),
    'retry after '.repeat(50_000),
    `${'try again in '.repeat(20_000)}x`,
    `${'<'.repeat(300_000)}`,
    '\u0000'.repeat(300_000),
    `${'0.'.repeat(300_000)}s`,
    `limit ${'9,'.repeat(300_000)}`,
    'org-'.repeat(200_000),
    `${'sk-'.repeat(200_000)}`,
    `${'Bearer '.repeat(100_000)}`,
  ]
  test.each(HOSTILE.map((text) => [text.slice(0, 12), text] as const))('%j…', (_, text) => {
    const ask = (body: unknown) =>
      classify({
        status: 429,
        headers: { 'retry-after': text.slice(0, 30_000) },
        body,
        provider: groq,
        model: 'm',
        isTrial: false,
        now: 1_800_000_000_000,
        redact: redactShapes,
      })
    const began = process.cpuUsage()
    for (const body of [text, { error: { message: text, code: text, type: text } }])
      expect(ask(body).kind).toBeTypeOf('string')
    const { user, system } = process.cpuUsage(began)
    // Five thousandths of a second are promised; this bound is for what grows faster than its text.
    expect((user + system) / 1000).toBeLessThan(500)
  })
})
