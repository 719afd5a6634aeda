import { describe, expect, test } from 'vitest'
import type { FieldRefusal } from '../../domain/fieldRefusal.ts'
import { LearnedRequestFixes } from './learnedRequestFixes.ts'

const MODEL = { provider: 'a', model: 'm' }
const DAY_MS = 86_400_000
const field = (path: string): FieldRefusal => ({ path, refused: 'field' })

function open() {
  const clock = { now: 0 }
  return { clock, fixes: new LearnedRequestFixes(() => clock.now) }
}

describe('what was learned', () => {
  test('is for one model and one kind of client', () => {
    const { fixes } = open()
    expect(fixes.has(MODEL, 'cli')).toBe(false)
    expect(fixes.learn(MODEL, 'cli', [field('store')], { store: true })).toBe(true)
    expect(fixes.has(MODEL, 'cli')).toBe(true)
    expect([fixes.has(MODEL, ''), fixes.has({ ...MODEL, model: 'n' }, 'cli')]).toEqual([false, false])
    expect(fixes.apply(MODEL, 'cli', { store: true, a: 1 })).toEqual({ body: { a: 1 }, leftOut: ['store'] })
    expect(fixes.apply(MODEL, 'other', { store: true })).toEqual({ body: { store: true }, leftOut: [] })
  })

  test('ends a day after it was learned, each field for itself', () => {
    const { fixes, clock } = open()
    fixes.learn(MODEL, 'cli', [field('store')], { store: true })
    clock.now = DAY_MS / 2
    fixes.learn(MODEL, 'cli', [field('user')], { user: 'u' })
    clock.now = DAY_MS
    expect(fixes.apply(MODEL, 'cli', { store: true, user: 'u' }).body).toEqual({ store: true })
    clock.now = 1.5 * DAY_MS
    expect(fixes.has(MODEL, 'cli')).toBe(false)
  })

  test('is forgotten when a person wants the model tried again', () => {
    const { fixes } = open()
    for (const model of ['m', 'n']) fixes.learn({ provider: 'a', model }, 'cli', [field('store')], { store: true })
    fixes.retest([MODEL])
    expect(fixes.has(MODEL, 'cli')).toBe(false)
    expect(fixes.has({ provider: 'a', model: 'n' }, 'cli')).toBe(true)
    fixes.retest(null)
    expect(fixes.has({ provider: 'a', model: 'n' }, 'cli')).toBe(false)
  })

  test('stays small, however many names clients give themselves and services refuse', () => {
    const { fixes } = open()
    for (let count = 0; count < 1000; count++) fixes.learn(MODEL, `kind-${count}`, [field('store')], { store: true })
    expect([fixes.has(MODEL, 'kind-0'), fixes.has(MODEL, 'kind-999')]).toEqual([false, true])
    for (let count = 0; count < 1000; count++) fixes.learn(MODEL, 'cli', [field(`x${count}`)], { [`x${count}`]: 1 })
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, count) => [`x${count}`, 1]))
    expect(fixes.apply(MODEL, 'cli', many).leftOut).toHaveLength(32)
  })
})

describe('nothing is learned', () => {
  test('from a field that the request does not have, or that means something', () => {
    const { fixes } = open()
    expect(fixes.learn(MODEL, 'cli', [field('store'), field('tools')], { tools: [{}] })).toBe(false)
    expect(fixes.has(MODEL, 'cli')).toBe(false)
  })

  test('from a refusal of what was left out already', () => {
    const { fixes } = open()
    expect(fixes.learn(MODEL, 'cli', [field('store')], { store: true })).toBe(true)
    expect(fixes.learn(MODEL, 'cli', [field('store')], { store: true })).toBe(false)
  })

  test('where neither name of an option is known', () => {
    const { fixes } = open()
    expect(fixes.learn(MODEL, 'cli', [field('max_tokens')], { max_tokens: 9 })).toBe(true)
    expect(fixes.learn(MODEL, 'cli', [field('max_completion_tokens')], { max_tokens: 9 })).toBe(false)
  })
})
