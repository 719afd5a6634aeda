import { expect, test } from 'vitest'
import { CLIENTS, chosen } from './clients.ts'
import * as judge from './judge.ts'
import { KNOWN_LIMITS, limitOf } from './knownLimits.ts'
import { type Cell, cellText, matrixPage, rowText } from './matrix.ts'
import { LOOP_CALLS, LOOP_RESULTS, PIXEL, REPLY, REPORT, VECTORS } from './task.ts'
import { UPSTREAMS } from './upstreams.ts'

const cell = (upstream: string, kind: Cell['kind'], words?: string): Cell => ({
  feature: 'plain',
  upstream,
  kind,
  ...(words !== undefined && { words }),
})

const TEXTS: readonly (readonly [says: string, cells: readonly Cell[], text: string])[] = [
  ['ok once for all upstreams', [cell('a', 'ok'), cell('b', 'ok'), cell('c', 'missing')], 'ok'],
  ['a dash where there is no such feature', [cell('a', 'missing'), cell('b', 'missing')], '–'],
  ['whom a failure is about', [cell('a', 'ok'), cell('b', 'failed', 'broke')], 'ok; b: **broke**'],
  ['a failure of all once', [cell('a', 'failed', 'broke'), cell('b', 'failed', 'broke')], '**broke**'],
  [
    'a limit apart from a failure',
    [cell('a', 'limit', 'never asks'), cell('b', 'failed', 'broke')],
    'a: limit (never asks); b: **broke**',
  ],
]
for (const [says, cells, text] of TEXTS) test(`a cell says ${says}`, () => expect(cellText(cells)).toBe(text))

test('a row keeps its columns whatever a failure says, and says why a client was skipped', () => {
  const row = { client: 'c', version: '1', day: '2026-11-30', cells: [cell('a', 'failed', 'one|two\nthree <b>')] }
  expect(rowText(row, ['plain', 'stream'])).toBe('| c 1 | **one\\|two three &lt;b>** | – | 2026-11-30 |')
  expect(rowText({ ...row, skipped: 'no Go' }, ['plain'])).toBe('| c 1 | skipped: no Go | 2026-11-30 |')
})

test('a page keeps the rows of clients that were not run, in the order of all', () => {
  const page = (ran: readonly string[], before: string, text: string) =>
    matrixPage(
      ran.map((client) => ({ client, version: text, day: text, cells: [cell('a', 'failed', 'a|b')] })),
      { features: ['plain'], clients: ['openai', 'openai chat', 'zod'], before, machine: '2 x one' },
    )
  const both = page(['zod', 'openai chat', 'openai'], '', 'old')
  const rows = page(['openai'], both, 'new')
    .split('\n')
    .filter((line) => line.includes('a\\|b'))
  expect(rows).toEqual([
    '| openai new | **a\\|b** | new |',
    '| openai chat old | **a\\|b** | old |',
    '| zod old | **a\\|b** | old |',
  ])
  expect(page([], both, 'new')).toBe(both)
})

const SEEN: judge.Seen = { bodies: [{ url: PIXEL }], usage: [9, 24], left: true }
const error = { name: 'RateLimitError', message: 'slow down' }
const models = judge.models('m')

const VERDICTS: readonly (readonly [judge: judge.Judge, good: judge.Told, bad: judge.Told])[] = [
  [judge.plain, { text: REPLY }, { text: `${REPLY} ` }],
  [judge.stream, { text: REPLY, pieces: 2 }, { text: REPLY, pieces: 1 }],
  [
    judge.loop,
    { calls: LOOP_CALLS, text: LOOP_RESULTS.join() },
    { calls: LOOP_CALLS.slice(1), text: LOOP_RESULTS.join() },
  ],
  [judge.loop, { calls: LOOP_CALLS, text: LOOP_RESULTS.join() }, { calls: LOOP_CALLS, text: LOOP_RESULTS[0] ?? '' }],
  [judge.schema, { object: REPORT }, { object: { ...REPORT, days: '1' } }],
  [judge.image, { text: 'It is red.' }, { text: 'It is blue.' }],
  [judge.embeddings, { vectors: VECTORS }, { vectors: VECTORS.slice(1) }],
  [judge.embeddings, { vectors: VECTORS }, { vectors: VECTORS.toReversed() }],
  [models, { ids: ['k', 'm'] }, { ids: ['k'] }],
  [judge.throws('RateLimitError'), { error }, { error: { ...error, name: 'Error' } }],
  [judge.throws('RateLimitError'), { error }, { text: REPLY }],
  [judge.cut, { text: REPLY.slice(0, 9), error }, { text: REPLY.slice(0, 9) }],
  [judge.cut, { text: REPLY.slice(0, 9), error }, { text: '', error }],
  [judge.usage, { usage: [9, 24] }, { usage: null }],
]
test('every judge tells a good answer from a bad one', () => {
  for (const [verdict, good, bad] of VERDICTS) {
    expect(verdict(good, SEEN)).toBeNull()
    expect(verdict(bad, SEEN)).toBeTypeOf('string')
  }
  expect(judge.abort({ text: 'a' }, SEEN)).toBeNull()
  expect(judge.abort({ text: 'a' }, { ...SEEN, left: false })).toBe('the upstream went on answering')
  expect(judge.image({ text: 'red' }, { ...SEEN, bodies: [] })).toBe('the picture did not reach the model')
  expect(judge.plain({ error }, SEEN)).toBe('RateLimitError: slow down')
})

test('clients are chosen by name, family or language; every known limit is about one of them', () => {
  expect(chosen([])).toBe(CLIENTS)
  expect(chosen(['Python openai chat']).map(({ name }) => name)).toEqual(['Python openai chat'])
  expect(new Set(chosen(['go']).map(({ language }) => language))).toEqual(new Set(['go']))
  const names = CLIENTS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { client, upstream } of KNOWN_LIMITS) {
    expect(names).toContain(client)
    if (upstream !== undefined) expect(UPSTREAMS.map(({ name }) => name)).toContain(upstream)
  }
})

test('a known limit excuses the failure it names, and no other', () => {
  for (const { client, feature, upstream = 'openai', reason, example } of KNOWN_LIMITS) {
    expect(limitOf({ client, feature, upstream }, example)).toBe(reason)
    expect(limitOf({ client, feature, upstream }, 'something else')).toBeUndefined()
  }
})
