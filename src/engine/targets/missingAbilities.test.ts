import { expect, test } from 'vitest'
import { createMemoryStore } from '../../store/memory.ts'
import { MissingAbilities } from './missingAbilities.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const model = { provider: 'groq', model: 'm' }

/** Two processes on one store, on a clock that the test moves. */
function processes() {
  let now = Date.UTC(2026, 10, 23)
  const store = createMemoryStore()
  const open = () => new MissingAbilities(store, () => now)
  const pass = (ms: number) => {
    now += ms
  }
  return { store, open, mine: open(), theirs: open(), pass }
}

const lacks = (one: MissingAbilities) => one.missing(model, ['chat', 'tools']) === 'tools'

test('an ability is missing once two different requests were refused it, for every process on the store', () => {
  const { mine, theirs, open, pass } = processes()
  mine.refused(model, 'tools', 'first')
  mine.refused(model, 'tools', 'first')
  expect(lacks(mine)).toBe(false)
  theirs.refused(model, 'tools', 'second')
  pass(HOUR_MS)
  for (const one of [mine, theirs, open()]) {
    expect(lacks(one)).toBe(true)
    expect(one.missing(model, ['chat', 'images'])).toBeUndefined()
    expect(one.missing({ ...model, model: 'other' }, ['tools'])).toBeUndefined()
  }
})

test('after a day the next request tries it, and its refusal alone decides', () => {
  const { mine, pass } = processes()
  for (const request of ['first', 'second']) mine.refused(model, 'tools', request)
  pass(DAY_MS - 1)
  expect(lacks(mine)).toBe(true)
  pass(2)
  expect(lacks(mine)).toBe(false)
  mine.refused(model, 'tools', 'third')
  expect(lacks(mine)).toBe(true)
  pass(3 * DAY_MS)
  mine.refused(model, 'tools', 'fourth')
  expect(lacks(mine)).toBe(false)
})

test('a success with the ability makes earlier refusals nothing, those of other processes too', () => {
  const { mine, theirs, pass } = processes()
  mine.refused(model, 'tools', 'first')
  pass(1)
  mine.worked(model, ['chat', 'tools'])
  pass(1)
  mine.refused(model, 'tools', 'second')
  expect(lacks(mine)).toBe(false)
  pass(1)
  mine.worked(model, ['chat', 'images'])
  mine.refused(model, 'tools', 'third')
  expect(lacks(mine)).toBe(true)
  theirs.worked(model, ['tools'])
  expect(lacks(theirs)).toBe(false)
  theirs.refused(model, 'tools', 'fourth')
  expect(lacks(theirs)).toBe(false)
})

test('a success ends a finding', () => {
  const { mine, open } = processes()
  for (const ability of ['tools', 'images'] as const)
    for (const request of ['first', 'second']) mine.refused(model, ability, request)
  mine.worked(model, ['tools'])
  expect(mine.missing(model, ['tools'])).toBeUndefined()
  expect(open().missing(model, ['tools', 'images'])).toBe('images')
})

test('a retest forgets what is known of some models, or of all', () => {
  const { mine, open } = processes()
  const other = { provider: 'groq', model: 'n' }
  for (const one of [model, other]) for (const request of ['first', 'second']) mine.refused(one, 'tools', request)
  mine.retest([model])
  expect(lacks(mine)).toBe(false)
  expect(open().missing(other, ['tools'])).toBe('tools')
  mine.retest(null)
  expect(open().missing(other, ['tools'])).toBeUndefined()
})

test('what an earlier version kept after a single refusal is not believed', () => {
  const { store, open, pass } = processes()
  store.setDoc('shortcomings', 'groq/m', { tools: Date.UTC(2026, 10, 30), images: 'x' })
  const mine = open()
  expect(lacks(mine)).toBe(false)
  mine.refused(model, 'tools', 'first')
  expect(lacks(mine)).toBe(false)
  pass(1)
  mine.refused(model, 'tools', 'second')
  expect(lacks(open())).toBe(true)
})
