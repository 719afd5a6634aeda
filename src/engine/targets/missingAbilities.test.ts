import { expect, test } from 'vitest'
import { createMemoryStore } from '../../store/memory.ts'
import { MissingAbilities } from './missingAbilities.ts'

const DAY_MS = 86_400_000
const model = { provider: 'groq', model: 'm' }

test('a missing ability is kept for seven days by every process on the store', () => {
  let now = Date.UTC(2026, 10, 23)
  const store = createMemoryStore()
  const mine = new MissingAbilities(store, () => now)
  mine.learn(model, 'tools')
  const theirs = new MissingAbilities(store, () => now)
  for (const one of [mine, theirs]) {
    expect(one.missing(model, ['chat', 'tools'])).toBe('tools')
    expect(one.missing(model, ['chat', 'images'])).toBeUndefined()
    expect(one.missing({ ...model, model: 'other' }, ['tools'])).toBeUndefined()
  }
  now += 7 * DAY_MS + 1
  expect(mine.missing(model, ['tools'])).toBeUndefined()
})

test('a success restores the ability', () => {
  const now = () => 5
  const store = createMemoryStore()
  const mine = new MissingAbilities(store, now)
  mine.learn(model, 'tools')
  mine.learn(model, 'images')
  mine.forget(model, 'tools')
  expect(mine.missing(model, ['tools'])).toBeUndefined()
  expect(new MissingAbilities(store, now).missing(model, ['tools', 'images'])).toBe('images')
})
