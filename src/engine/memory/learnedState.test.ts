import { expect, test } from 'vitest'
import { makeSuccess } from '../../../test/support/makeEvents.ts'
import { openTestEngine } from '../../../test/support/openTestEngine.ts'
import type { Store } from '../../domain/store.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { refOf } from '../record.ts'

test('eventId() increases, so that the store appends events next to each other', () => {
  const { learned, store } = openTestEngine()
  const ids = Array.from({ length: 2000 }, () => learned.eventId())
  expect(ids).toEqual(ids.toSorted())
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids[0]).toBe(`${store.origin}-00000000`)
})

/** A store whose file can be replaced by an empty one below it, as a damaged one is. */
function replaceable() {
  let inner = createMemoryStore()
  const store = new Proxy({} as Store, {
    get: (_, name: keyof Store) => {
      const value = inner[name]
      return typeof value === 'function' ? value.bind(inner) : value
    },
  })
  return { store, replace: () => (inner = createMemoryStore()) }
}

test('sync() reads a log that was replaced by an empty one from its beginning', () => {
  const { store, replace } = replaceable()
  const engine = openTestEngine({ store })
  const { learned } = engine
  const target = refOf(engine.registry.targets[0]!)
  const ofAnother = () => ({ ...makeSuccess(engine.registry.targets[0]!, engine.now), target, origin: 'another' })
  for (let times = 0; times < 5; times++) store.append(ofAnother())
  expect(learned.sync()).toBe(5)
  replace()
  store.append(ofAnother())
  store.append(ofAnother())
  expect(learned.sync()).toBe(2)
  expect(learned.sync()).toBe(0)
  expect(learned.tally.row(target.stateId)?.successCount).toBe(7)
})

test('observations survive a restart', async () => {
  const store = createMemoryStore()
  const first = openTestEngine({ store })
  const target = first.registry.targets[0]!
  const event = makeSuccess(target, first.now, { latencyMs: 800, costNanoUsd: 5, origin: store.origin })
  first.learned.record({ ...event, target: refOf(target) })
  first.learned.save()
  const second = openTestEngine({ store })
  expect(second.learned.observed.of(target.stateId)).toMatchObject({ costNanoUsd: 5 })
  expect(second.learned.observed.p95Ms(target.stateId)).toBeGreaterThan(700)
})

test('how long a target usually takes survives a restart', () => {
  const store = createMemoryStore()
  const first = openTestEngine({ store })
  const target = first.registry.targets[0]!
  for (let count = 0; count < 20; count++) {
    const event = makeSuccess(target, first.now, { latencyMs: 800, origin: store.origin })
    first.learned.record({ ...event, target: refOf(target) })
  }
  const p95Ms = first.learned.latencyAllowance.p95Ms(target, false)
  expect(p95Ms).toBeGreaterThan(800)
  first.learned.save()
  expect(openTestEngine({ store }).learned.latencyAllowance.p95Ms(target, false)).toBe(p95Ms)
})
