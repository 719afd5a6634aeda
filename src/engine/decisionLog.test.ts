import { describe, expect, test } from 'vitest'
import { makeFailure } from '../../test/support/makeEvents.ts'
import { decide, openTestEngine } from '../../test/support/openTestEngine.ts'
import { createMemoryStore } from '../store/memory.ts'
import { Decisions } from './decisionLog.ts'
import type { Engine } from './engine.ts'
import { refOf } from './record.ts'

/** The end of this turn of the event loop, when rankings are drawn up. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

function failFirst(engine: Engine, id: string): void {
  const target = engine.registry.targets.find((one) => one.id === id)
  if (target === undefined) throw new Error(`no target ${id}`)
  for (let times = 0; times < 3; times++)
    engine.learned.record({ ...makeFailure(target, engine.now, 'server'), target: refOf(target) })
}

describe('find()', () => {
  test('shows a decision as it was, whatever happened to its target since then', async () => {
    const engine = openTestEngine()
    const { id, decision } = decide(engine)
    const before = decision
      .explain()
      .map(({ target, rank, value, eligible }) => ({ target: target.id, rank, value, eligible }))
    await nextTurn()
    failFirst(engine, decision.first!.id)
    const found = engine.decisions.find(id)!
    expect(found).toMatchObject({
      requestId: id,
      model: 'auto',
      chosen: decision.first!.id,
      explored: decision.explored,
    })
    expect(found.ranking.map(({ target, rank, value, eligible }) => ({ target, rank, value, eligible }))).toEqual(
      before,
    )
  })

  test('reads the same from the store in other processes, to four digits', async () => {
    const store = createMemoryStore()
    const engine = openTestEngine({ store })
    const { id } = decide(engine)
    await nextTurn()
    const before = engine.decisions.find(id)!
    engine.decisions.flush()
    const after = new Decisions(store).find(id)!
    expect({ ...after, ranking: [] }).toEqual({ ...before, ranking: [] })
    after.ranking.forEach((row, index) => {
      const { score, value, terms, ...rest } = before.ranking[index]!
      expect(row).toMatchObject(rest)
      expect(row.score).toBeCloseTo(score, 3)
      expect(row.value).toBeCloseTo(value, 3)
      expect(row.terms.reliability).toBeCloseTo(terms.reliability, 3)
    })
  })

  test('returns null for a request that was never decided', () => {
    expect(openTestEngine().decisions.find('kw_nobody')).toBeNull()
  })
})

test('the last 1,000 decisions are kept: 500 of a burst, then 20 a second', () => {
  let now = 1_795_000_000_000
  const store = createMemoryStore()
  const engine = openTestEngine({ store, now: () => now })
  const decided = (count: number) => Array.from({ length: count }, () => decide(engine).id)
  const isKept = (id: string | undefined) => engine.decisions.find(id ?? '') !== null
  const burst = decided(501)
  expect([isKept(burst[0]), isKept(burst[499]), isKept(burst[500])]).toEqual([true, true, false])
  for (let second = 0; second < 50; second++) {
    now += 1000
    const ids = decided(21)
    expect([isKept(ids[19]), isKept(ids[20])]).toEqual([true, false])
    engine.decisions.flush()
  }
  expect(store.listDocs('decisions')).toHaveLength(1000)
  expect(isKept(burst[0])).toBe(false)
})

test('listeners are notified of every decision', () => {
  const engine = openTestEngine()
  const heard: unknown[] = []
  engine.events.on('decision', (news) => heard.push(news))
  const { id, decision } = decide(engine, 'groq/b')
  expect(heard).toEqual([
    { requestId: id, model: 'groq/b', chosen: 'groq/b#1', explored: decision.explored, cause: decision.cause() },
  ])
})
