import { expect, test } from 'vitest'
import { FastClock } from './fastClock.ts'

test('a day passes at once, and who sleeps wakes in the order of time', async () => {
  const clock = new FastClock(1000)
  const woken: [string, number][] = []
  const sleepFor = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woken.push([name, clock.now()])
  }
  await Promise.all([
    sleepFor('day', 86_400_000),
    sleepFor('second', 1000),
    sleepFor('also a second', 1000),
    sleepFor('nothing', 0),
  ])
  expect(woken).toEqual([
    ['nothing', 1000],
    ['second', 2000],
    ['also a second', 2000],
    ['day', 86_401_000],
  ])
  expect(clock.monotonic()).toBe(86_400_000)
})

test('the clock stands while nobody sleeps, and never goes back', async () => {
  const clock = new FastClock(1000)
  expect(clock.now()).toBe(1000)
  await clock.until(5000)
  await clock.until(2000)
  expect(clock.now()).toBe(5000)
})
