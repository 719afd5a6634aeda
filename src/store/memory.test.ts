import { expect, test } from 'vitest'
import { attemptEvent } from '../../test/support/storeEvents.ts'
import { storeTests } from '../../test/support/storeSuite.ts'
import { createMemoryStore } from './memory.ts'

storeTests('memory', () => createMemoryStore())

test('the memory store drops old rows and keeps their hourly sums', () => {
  const store = createMemoryStore({ maxEvents: 100 })
  for (let number = 1; number <= 1_000; number++) store.append(attemptEvent({ number }))
  const rows = store.attempts({ order: 'oldest' })
  expect(rows.length).toBeLessThanOrEqual(100)
  expect(rows.at(-1)?.number).toBe(1_000)
  expect(store.sums({}, [])[0]?.attempts).toBe(1_000)
  expect(store.read(0, 1_000)).toHaveLength(rows.length)
})
