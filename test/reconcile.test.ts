/** `keywise budget reconcile` on invoices of every form, built from the same calls as the ledger by writers of their own. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttemptEvent } from '../src/domain/store.ts'
import { createMemoryStore } from '../src/store/memory.ts'
import { type ReconcileQuestion, type ReconcileView, reconcileView } from '../src/views/reconcile.ts'
import { corpus } from './support/costCorpus/corpus.ts'
import {
  type BilledCall,
  billed,
  billedOf,
  ledgerRow,
  PRICED_MODELS,
  priceOfModel,
  recordedOf,
} from './support/invoices/billedCall.ts'
import type { Form } from './support/invoices/paper.ts'
import { type Books, type Expectation, type Place, plants, scaled } from './support/invoices/plants.ts'
import { invoiceForms } from './support/invoices/writers.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')
const DAY = 86_400_000
const HOUR = 3_600_000
/** At eight in the evening of UTC it is the same day in all zones of the forms. */
const EVENING = Date.parse('2026-11-10T20:00:00Z')

/** All that is read of an engine. */
type Engine = Parameters<typeof reconcileView>[0]

function compare(text: string, rows: readonly AttemptEvent[], question: ReconcileQuestion = {}): ReconcileView {
  const store = createMemoryStore()
  for (const row of rows) store.append(row)
  const registry = {
    config: { settings: { retention: { attemptsDays: 90 } } },
    credentials: [...new Map(rows.map(({ target }) => [target.account, target])).values()].map((target, place) => ({
      provider: { id: target.provider },
      key: { index: place + 1 },
      fingerprint: target.fingerprint,
      account: target.account,
    })),
    targets: [...new Map(rows.map(({ target }) => [target.stateId, target])).values()],
    priceOf: ({ provider, model }: AttemptEvent['target']) => priceOfModel(provider, model),
  }
  return reconcileView({ now: NOW, store, registry } as unknown as Engine, [text], question)
}

/** Days of calls to both models of the form's provider, each unlike all others. */
function callsOf({ provider, written }: Form, days = 3): readonly BilledCall[] {
  return PRICED_MODELS.filter((one) => one.provider === provider).flatMap(({ model }, place) =>
    Array.from({ length: days }, (_, day) =>
      [0, 1].map((call) =>
        billed(model, EVENING + day * DAY + call * 60_000 + place, {
          fresh: 60_000 + 4_000 * day + 1_000 * call + 100 * place,
          cached: 40_000 + 1_000 * day + 10 * place,
          ...(written && provider === 'anthropic' && { written: 3_000, writtenLong: 2_000 }),
          output: 9_000 + 100 * call + 10 * day + 2 * place,
          reasoning: provider === 'openrouter' ? 500 : 0,
        }),
      ),
    ).flat(),
  )
}

/** Differences that do not hide each other. */
const OF_CALLS = /^a (?:call that the ledger does not know|failed call|free call)/

const booksOf = (calls: readonly BilledCall[]): Books => ({
  calls,
  rows: calls.map((call) => ledgerRow(call)),
  extras: [],
})

const placesOf = (calls: readonly BilledCall[]): readonly Place[] =>
  [...new Set(calls.map(({ model, at }) => JSON.stringify({ model, day: Math.floor(at / DAY) * DAY })))].map(
    (text) => JSON.parse(text) as Place, // written a line above
  )

/** Every expected difference is there, and no other; what differs in money adds up to what both sides differ in all. */
function expectFound(view: ReconcileView, expected: readonly Expectation[], form: Form): void {
  const left = [...view.differences]
  for (const { nanoUsd, ...fields } of together(expected)) {
    const at = left.findIndex((one) => Object.entries(fields).every(([name, value]) => one[name as 'kind'] === value))
    expect(at, `${JSON.stringify(fields)} in ${JSON.stringify(view.differences, null, 1)}`).toBeGreaterThanOrEqual(0)
    const [found] = left.splice(at, 1)
    if (nanoUsd === undefined || form.money === 'none') continue
    const amount = Math.round((found?.differenceUsd ?? Number.NaN) * 1e9)
    expect(Math.abs(amount - nanoUsd), JSON.stringify(found)).toBeLessThanOrEqual(
      form.money === 'cents' ? 40_000_000 : 10,
    )
  }
  expect(left).toEqual([])
  if (form.money === 'none') return
  const nano = (usd: number | null) => Math.round((usd ?? Number.NaN) * 1e9)
  const parts = [view.explainedUsd, view.unexplainedUsd, view.roundingUsd, view.settledUsd].map(nano)
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(nano(view.invoice.costUsd) - nano(view.ledger.costUsd))
}

/** One difference on several days is told once. */
function together(expected: readonly Expectation[]): readonly Expectation[] {
  const found = new Map<string, Expectation>()
  for (const { nanoUsd, ...fields } of expected) {
    const key = JSON.stringify(fields)
    const known = found.get(key)?.nanoUsd
    found.set(key, { ...fields, ...(nanoUsd !== undefined && { nanoUsd: nanoUsd + (known ?? 0) }) })
  }
  return [...found.values()]
}

describe.each(invoiceForms)('$name', (form) => {
  const calls = callsOf(form)

  test('agrees with the calls that it was written from', () => {
    const { rows } = booksOf(calls)
    const view = compare(form.write(calls, []), rows)
    expect(view.differences).toEqual([])
    expect(view.agrees).toBe(true)
    expect(view.summary).toMatch(/they agree$/)
    expect(view.ledger.calls).toBe(calls.length)
  })

  for (const { name, suits, plant } of plants)
    if (suits(form))
      test(`shows ${name}`, () => {
        const [place] = placesOf(calls)
        const { books, found } = plant(booksOf(calls), place ?? expect.fail(), form)
        expectFound(compare(form.write(books.calls, books.extras), books.rows), found, form)
      })

  const inOneCell = plants.filter(({ name, suits }) => suits(form) && form.counts !== 'none' && OF_CALLS.test(name))
  for (const [index, one] of inOneCell.entries())
    for (const other of inOneCell.slice(index + 1))
      test(`shows ${one.name} and ${other.name} of the same model on the same day`, () => {
        const [place] = placesOf(calls)
        const first = one.plant(booksOf(calls), place ?? expect.fail(), form)
        const { books, found } = other.plant(first.books, place ?? expect.fail(), form)
        expectFound(compare(form.write(books.calls, books.extras), books.rows), [...first.found, ...found], form)
      })

  test('shows every one of several differences, and nothing else', () => {
    const own = plants.filter(({ suits }) => suits(form))
    const days = 6
    const base = callsOf(form, days)
    const places = placesOf(base)
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...own.keys()], { minLength: 1, maxLength: Math.min(5, own.length) }),
        (chosen) => {
          let books = booksOf(base)
          const found: Expectation[] = []
          for (const [index, which] of chosen.entries()) {
            // Without models a day is a place.
            const place = places[form.name.includes('by day alone') ? index % days : (index * 5) % places.length]
            const planted = own[which]?.plant(books, place ?? expect.fail(), form) ?? expect.fail()
            books = planted.books
            found.push(...planted.found)
          }
          expectFound(compare(form.write(books.calls, books.extras), books.rows), found, form)
        },
      ),
      { numRuns: 15 },
    )
  })
})

const byName = (name: string) => invoiceForms.find((form) => form.name === name) ?? expect.fail(name)

describe('what concerns more than one day', () => {
  const priced = invoiceForms.filter(({ money }) => money === 'exact')

  test.each(priced)('$name: a discount on everything is a contract', (form) => {
    const { calls, rows } = booksOf(callsOf(form))
    const view = compare(
      form.write(
        calls.map((call) => scaled(call, 800)),
        [],
      ),
      rows,
    )
    expectFound(view, [{ kind: 'contract', model: null, nanoUsd: -0.2 * costOf(calls) }], form)
    expect(view.differences[0]?.why).toContain('−20 %')
  })

  test.each(priced)('$name: a discount and a call that is unknown are two differences', (form) => {
    const base = booksOf(callsOf(form))
    const [place] = placesOf(base.calls)
    const unknown = plants.find(({ name }) => name === 'a call that the ledger does not know')
    const { books, found } = unknown?.plant(base, place ?? expect.fail(), form) ?? expect.fail()
    const view = compare(
      form.write(
        books.calls.map((call) => scaled(call, 900)),
        [],
      ),
      books.rows,
    )
    if (form.counts === 'none') expect(view.differences.length).toBeGreaterThan(0)
    else
      expectFound(
        view,
        [
          { kind: 'contract', nanoUsd: -0.1 * costOf(base.calls) },
          ...found.map((one) => ({ ...one, nanoUsd: 0.9 * (one.nanoUsd ?? 0) })),
        ],
        form,
      )
  })

  test.each(
    priced.filter(({ name }) => !name.includes('by day alone')),
  )('$name: another price of one model', (form) => {
    const { calls, rows } = booksOf(callsOf(form))
    const [first] = calls
    const own = calls.filter(({ model }) => model === first?.model)
    const dearer = calls.map((call) => (own.includes(call) ? scaled(call, 1_250) : call))
    expectFound(
      compare(form.write(dearer, []), rows),
      [{ kind: 'price', model: first?.model ?? '', nanoUsd: 0.25 * costOf(own) }],
      form,
    )
  })

  test.each(
    priced.filter(({ byPart, counts }) => byPart && counts !== 'none'),
  )('$name: another rate of one part', (form) => {
    const { calls, rows } = booksOf(callsOf(form))
    const [first] = calls
    const own = calls.filter(({ model }) => model === first?.model)
    const more = (call: BilledCall) => (call.parts?.['output'] ?? 0) / 2
    const dearer = calls.map((call) =>
      own.includes(call)
        ? { ...call, nanoUsd: call.nanoUsd + more(call), parts: { ...call.parts, output: 3 * more(call) } }
        : call,
    )
    const view = compare(form.write(dearer, []), rows)
    const nanoUsd = own.reduce((sum, call) => sum + more(call), 0)
    expectFound(view, [{ kind: 'price', model: first?.model ?? '', detail: 'output', nanoUsd }], form)
    expect(view.differences[0]?.why).toMatch(
      /output \$[\d.]+ per million instead of \$[\d.]+ per million \(genai-prices /,
    )
  })

  test.each(priced)('$name: calls of unknown price', (form) => {
    const { calls, rows } = booksOf(callsOf(form))
    const [first] = calls
    const unpriced = rows.map((row) =>
      row.target.model === first?.model ? { ...row, costNanoUsd: null, priceSource: 'unknown' } : row,
    )
    const model = form.name.includes('by day alone') ? null : (first?.model ?? '')
    const own = calls.filter((call) => call.model === first?.model)
    expectFound(compare(form.write(calls, []), unpriced), [{ kind: 'no-price', model, nanoUsd: costOf(own) }], form)
  })

  test.each(priced)('$name: a cost that is known at least and at most is settled', (form) => {
    const { calls, rows } = booksOf(callsOf(form))
    const ranges = rows.map((row) => ({
      ...row,
      costNanoUsd: null,
      costRange: { atLeast: Math.floor((row.costNanoUsd ?? 0) / 2), atMost: (row.costNanoUsd ?? 0) * 3 },
    }))
    const view = compare(form.write(calls, []), ranges)
    expectFound(view, [], form)
    expect(view.settledUsd).toBeCloseTo(costOf(calls) / 2e9, 6)
    expect(view.summary).toMatch(
      /^Invoice \$[\d.]+, ledger at least \$[\d.]+ \(50 %\): they agree, \$[\d.]+ lies within/,
    )
    const tooDear = compare(
      form.write(
        calls.map((call) => scaled(call, 4_000)),
        [],
      ),
      ranges,
    )
    expect(tooDear.agrees).toBe(false)
  })

  test.each(
    invoiceForms.filter(({ counts }) => counts !== 'none'),
  )('$name: calls before midnight that count on the next day', (form) => {
    const midnight = form.timeZone === 'UTC' ? Date.parse('2026-11-12T00:00:00Z') : Date.parse('2026-11-12T08:00:00Z')
    const model = PRICED_MODELS.find(({ provider }) => provider === form.provider)?.model ?? expect.fail()
    const late = [1, 2, 3].map((minute) =>
      billed(model, midnight - minute * 60_000, { fresh: 1_000 * minute + 7, output: 99 }),
    )
    const { calls, rows } = booksOf([...callsOf(form), ...late])
    const onPaper = calls.map((call) => (late.includes(call) ? { ...call, at: midnight + 10 * HOUR } : call))
    expectFound(
      compare(form.write(inZone(onPaper, form), []), rows),
      [{ kind: 'day-border', model, detail: 'later', nanoUsd: 0 }],
      form,
    )
  })

  test('calls that count on the next day, at a discount on everything, are two differences', () => {
    const form = byName('OpenRouter activity, JSON')
    const midnight = Date.parse('2026-11-12T00:00:00Z')
    const late = billed('openai/gpt-6-luna', midnight - 60_000, { fresh: 90_000, output: 9_000 })
    const { calls, rows } = booksOf([...callsOf(form), late])
    const paper = calls.map((call) => scaled(call === late ? { ...call, at: midnight + HOUR } : call, 500))
    const found = [
      { kind: 'day-border', detail: 'later', nanoUsd: 0 } as const,
      { kind: 'contract', nanoUsd: -0.5 * costOf(calls) } as const,
    ]
    expectFound(compare(form.write(paper, []), rows), found, form)
  })

  test('calls that ran over midnight may count on either day', () => {
    const form = byName('OpenAI usage, JSON')
    const { calls, rows } = booksOf(callsOf(form))
    const long = billed('gpt-4.1', Date.parse('2026-11-10T23:59:50Z'), { fresh: 500, output: 50 })
    const row = ledgerRow(long, { at: Date.parse('2026-11-11T00:00:10Z') })
    const view = compare(form.write([...calls, { ...long, at: row.at }], []), [...rows, row])
    expectFound(view, [], form)
    expect(view.notes).toEqual([expect.stringContaining('on the day on which they ended')])
  })

  test.each(invoiceForms.filter(({ timeZone }) => timeZone === 'UTC'))('$name: days of another time zone', (form) => {
    const models = PRICED_MODELS.filter(({ provider }) => provider === form.provider)
    const calls = Array.from({ length: 40 }, (_, index) =>
      billed(models[index % 2]?.model ?? '', EVENING + index * 5 * HOUR, {
        fresh: 90_000 + 777 * index,
        output: 5_000 + 13 * index,
      }),
    )
    const rows = calls.map((call) => ledgerRow(call))
    // On paper a day begins at 08:00 UTC, as in California.
    const paper = calls.map((call) => ({ ...call, at: call.at - 8 * HOUR }))
    const view = compare(form.write(paper, []), rows)
    expect(view.differences.map(({ kind }) => kind)).toEqual(['time-zone'])
    expect(view.differences[0]?.why).toMatch(/begin at 0[4-8]:[03]0 /)
  })

  test('days that only leave calls of the ledger out are no other time zone', () => {
    const [one = expect.fail('no model')] = PRICED_MODELS.filter(({ provider }) => provider === 'openai')
    const call = billed(one.model, EVENING, { fresh: 90_000, output: 5_000 })
    const rows = ['gpt-4.1', 'gpt-4.1-mini', 'gpt-5.1'].map((model) => ledgerRow({ ...call, model }))
    const invoice = [
      'start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id',
      '1794268800,1794355200,2026-11-10T00:00:00+00:00,2026-11-11T00:00:00+00:00,0.1,usd,gpt-4.1,p',
    ].join('\n')
    const { differences } = compare(invoice, rows)
    expect(differences.map(({ kind, model }) => `${kind} ${model}`).sort()).toEqual([
      'amount gpt-4.1',
      'unbilled-calls gpt-4.1-mini',
      'unbilled-calls gpt-5.1',
    ])
  })

  test('fewer calls for more money leave the amount open', () => {
    const form = byName('OpenRouter activity, JSON')
    const calls = callsOf(form, 1)
    const { model } = calls[0] ?? { model: '' }
    const paper = calls.slice(0, 1).map((call) => scaled(call, 50_000))
    const { differences } = compare(
      form.write(paper, []),
      calls.filter((call) => call.model === model).map((call) => ledgerRow(call)),
    )
    const amounts = Object.fromEntries(differences.map(({ kind, differenceUsd }) => [kind, differenceUsd]))
    expect(amounts['unbilled-calls']).toBe(0)
    expect(amounts['amount']).toBeGreaterThan(0)
  })

  test('amounts in another currency are not converted', () => {
    const form = byName('OpenAI costs by line item with quantities, JSON')
    const { calls, rows } = booksOf(callsOf(form))
    const view = compare(form.write(calls, []).replaceAll('"usd"', '"eur"'), rows)
    expect(view).toMatchObject({
      agrees: true,
      foreignCurrencies: ['EUR'],
      invoice: { costUsd: null },
      explainedUsd: null,
    })
    const [place] = placesOf(calls)
    const unknown = plants[0]?.plant({ calls, rows, extras: [] }, place ?? expect.fail(), form)
    const other = compare(form.write(unknown?.books.calls ?? [], []).replaceAll('"usd"', '"eur"'), rows)
    expect(other.differences).toMatchObject([{ kind: 'unknown-calls', differenceUsd: null }])
  })
})

/** Dates of paper are the zone's own. */
const inZone = (calls: readonly BilledCall[], { timeZone }: Form) =>
  timeZone === 'UTC' ? calls : calls.map((call) => ({ ...call, at: call.at - 8 * HOUR }))

const costOf = (calls: readonly BilledCall[]) => calls.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0)

describe('the corpus of costs', () => {
  /** Forms that state one cost for all of a call, as the records do. */
  const whole = [
    'OpenAI usage, JSON',
    'Anthropic usage, JSON',
    'OpenRouter activity, JSON',
    'OpenRouter generations, CSV',
  ].map(byName)

  test.each(whole)('$name agrees with what keywise reads of every answer', (form) => {
    const found = corpus
      .filter(({ provider, at }) => provider === form.provider && at === undefined)
      .flatMap((record, index) => {
        const at = EVENING + (index % 9) * DAY + index
        const call = billedOf(record, at)
        return call === null ? [] : [{ call, row: recordedOf(record, at) }]
      })
    expect(found.length).toBeGreaterThan(9)
    const view = compare(
      form.write(
        found.map(({ call }) => call),
        [],
      ),
      found.map(({ row }) => row),
    )
    expect(view.differences.filter(({ kind }) => kind !== 'tier')).toEqual([])
  })
})

describe('accounts', () => {
  const form = byName('Anthropic usage, CSV')
  const of = (key: string, index: number) =>
    billed('claude-sonnet-5', EVENING + index, { key, fresh: 1_000 + 100 * index, output: 100 + index })
  const calls = [of('team-a', 0), of('team-b', 1), of('team-b', 2)]
  const rows = calls.map((call) => ledgerRow(call))
  const extra = of('team-b', 7)

  test('are compared one by one where the invoice names them as the configuration does', () => {
    expect(compare(form.write(calls, []), rows).agrees).toBe(true)
    const { differences } = compare(form.write([...calls, extra], []), rows)
    expect(differences).toMatchObject([
      { kind: 'unknown-calls', account: 'team-b', counts: { input: 1_700, output: 107 } },
    ])
  })

  test('are one where their names are not known', () => {
    const nameless = rows.map((row) => ({ ...row, target: { ...row.target, account: 'anthropic@0123456789abcdef' } }))
    expect(compare(form.write(calls, []), nameless).agrees).toBe(true)
  })

  test('may be compared alone, by name on both sides, by key in the ledger', () => {
    const text = form.write([...calls, extra], [])
    expect(compare(text, rows, { key: 'team-a' })).toMatchObject({ agrees: true, ledger: { calls: 1 } })
    expect(compare(text, rows, { key: 'team-b' })).toMatchObject({ agrees: false, ledger: { calls: 2 } })
    expect(compare(form.write([of('team-a', 0)], []), rows, { key: 'anthropic#1' })).toMatchObject({ agrees: true })
    expect(() => compare(text, rows, { key: 'team-c' })).toThrow('no key or account "team-c" of anthropic')
  })
})

describe('the time', () => {
  const form = byName('OpenAI usage, CSV')
  const calls = callsOf(form, 6)
  const rows = calls.map((call) => ledgerRow(call))

  test('is that of the file, or the part that is asked for', () => {
    const [first] = placesOf(calls)
    const span = { since: (first?.day ?? 0) + DAY, until: (first?.day ?? 0) + 3 * DAY }
    const outside = { ...extraCall('gpt-5.1', EVENING + 4 * DAY), at: EVENING + 4 * DAY }
    const text = form.write([...calls, outside], [])
    expect(compare(text, rows).agrees).toBe(false)
    expect(compare(text, rows, span)).toMatchObject({ agrees: true, ledger: { calls: 8 } })
    expect(() => compare(text, rows, { until: 0 })).toThrow('nothing in this time')
  })

  test('before which the ledger keeps no rows is left out, and said', () => {
    const old = extraCall('gpt-5.1', NOW - 100 * DAY)
    const view = compare(form.write([old, ...calls], []), rows)
    expect(view.agrees).toBe(true)
    expect(view.notes).toEqual([
      expect.stringMatching(/^Not compared: what was billed before 2026-09-01; .*attempts_days/),
    ])
  })
})

const extraCall = (model: string, at: number) => billed(model, at, { fresh: 4_321, output: 123 })
