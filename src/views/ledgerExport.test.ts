import { describe, expect, test } from 'vitest'
import { attemptEvent } from '../../test/support/storeEvents.ts'
import { createMemoryStore } from '../store/memory.ts'
import { CSV_HEAD, csvLine, jsonLine, ledgerRows } from './ledgerExport.ts'

const cells = (line: string) => {
  const values = line.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)?.map((cell) => cell.replace(/,$/, '')) ?? []
  return Object.fromEntries(CSV_HEAD.split(',').map((name, place) => [name, values[place] ?? '']))
}

describe('csvLine()', () => {
  test('writes money as an exact decimal, and nothing where the price is unknown', () => {
    expect(cells(csvLine(attemptEvent({ costNanoUsd: 1 })))['cost_usd']).toBe('0.000000001')
    expect(cells(csvLine(attemptEvent({ costNanoUsd: 12_500_000_000 })))['cost_usd']).toBe('12.5')
    expect(cells(csvLine(attemptEvent({ costNanoUsd: null })))['cost_usd']).toBe('')
    expect(cells(csvLine(attemptEvent({ costNanoUsd: 0 })))['cost_usd']).toBe('0')
  })

  test('quotes where needed and defuses formulas', () => {
    const row = cells(csvLine(attemptEvent({ task: '=HYPERLINK("http://x")', labels: { team: 'a,"b"' } })))
    expect(row['task']).toBe(`"'=HYPERLINK(""http://x"")"`)
    expect(row['labels']).toBe('"{""team"":""a,\\""b\\""""}"')
    expect(cells(csvLine(attemptEvent({ token: '-1+1' })))['token']).toBe("'-1+1")
  })

  test('keeps no character that steers a terminal or breaks a line, wherever the text is from', () => {
    const steering = 'a\u001b[31mb\u0000c\nd\u202ee\u0085f\u2028g'
    const usage = {
      ...{ inputTokens: 9, outputTokens: 1, totalTokens: 10, estimated: false },
      parts: { serviceTier: steering, serverTools: { [steering]: 1 } },
    }
    const line = csvLine(
      attemptEvent({ usage, task: steering, token: steering, labels: { team: steering }, priceSource: steering }),
    )
    expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u)
    expect(cells(line)['service_tier']).toBe('a\ufffd[31mb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg')
    expect(cells(csvLine(attemptEvent({ task: ' =1+1' })))['task']).toBe("' =1+1")
  })

  test('names the failure', () => {
    const failure = { kind: 'server', status: 503, message: 'down' } as const
    expect(cells(csvLine(attemptEvent({ ok: false, failure })))).toMatchObject({ outcome: 'server', status: '503' })
  })
})

test('jsonLine() has the same columns, with labels as an object', () => {
  const row = JSON.parse(jsonLine(attemptEvent({ labels: { team: 'a' }, costNanoUsd: 20_000_000 })))
  expect(Object.keys(row)).toEqual(CSV_HEAD.split(','))
  expect(row).toMatchObject({ labels: { team: 'a' }, cost_usd: '0.02' })
})

test('ledgerRows() reads every attempt of the period once, oldest first, over any number of pages', () => {
  const store = createMemoryStore()
  for (let at = 0; at < 2500; at++) store.append(attemptEvent({ id: String(at), startedAt: at, at }))
  expect([...ledgerRows(store, {})].map(({ id }) => Number(id))).toEqual(Array.from({ length: 2500 }, (_, at) => at))
  expect([...ledgerRows(store, { since: 999, until: 1002 })].map(({ id }) => id)).toEqual(['999', '1000', '1001'])
})

test('of a cost that is known in part, what it was at least and at most, and of which parts', () => {
  const usage = {
    ...{ inputTokens: 9, outputTokens: 1, totalTokens: 10, estimated: false },
    parts: { input: { audio: 4 }, serviceTier: 'flex' },
  }
  const range = { atLeast: 5, atMost: 1_000_000_000 }
  const row = cells(csvLine(attemptEvent({ usage, costNanoUsd: null, costRange: range })))
  expect(row).toMatchObject({
    cost_usd: '',
    cost_at_least_usd: '0.000000005',
    cost_at_most_usd: '1',
    service_tier: 'flex',
  })
})
