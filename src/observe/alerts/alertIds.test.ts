import { expect, test } from 'vitest'
import { AlertIds } from './alertIds.ts'

test('ids of alerts are UUIDs of version 7 that sort as they were made, whatever the clock does', () => {
  const ids = new AlertIds()
  const times = [5, 5, 5, 9, 3, 9, ...Array.from({ length: 9000 }, () => 9), 10, 1_900_000_000_000]
  const made = times.map((at) => ids.next(at))
  for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(made.toSorted()).toEqual(made)
  expect(new Set(made).size).toBe(made.length)
})
