import { expect, test } from 'vitest'
import { Bag } from './bag.ts'

test('a bag holds the items that were added and not removed, in any order', () => {
  const bag = new Bag<string>()
  for (const item of ['a', 'b', 'c', 'd']) bag.add(item)
  expect(['b', 'd', 'd', 'x'].map((item) => bag.delete(item))).toEqual([true, true, false, false])
  expect([...bag].toSorted()).toEqual(['a', 'c'])
  expect(bag.size).toBe(2)
})

test('a visitor may remove its own item, and every other item is still visited', () => {
  const bag = new Bag<number>()
  for (let item = 0; item < 10; item++) bag.add(item)
  const visited: number[] = []
  bag.forEach((item) => {
    visited.push(item)
    if (item % 2 === 0) bag.delete(item)
  })
  expect(visited.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect([...bag].toSorted()).toEqual([1, 3, 5, 7, 9])
})

test('items added during a visit are not visited, and removing others is safe', () => {
  const bag = new Bag<number>()
  for (const item of [1, 2, 3]) bag.add(item)
  const visited: number[] = []
  bag.forEach((item) => {
    visited.push(item)
    bag.add(item + 10)
    for (const other of [1, 2, 3]) bag.delete(other)
  })
  expect(visited.length).toBeGreaterThanOrEqual(1)
  expect([...bag].every((item) => item > 10)).toBe(true)
})
