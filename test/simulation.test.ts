/** Simulated worlds: the same seed is the same world, no rule is violated, and a fault put back on purpose is found. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EventHeap } from '../src/lab/simulation/eventHeap.ts'
import { Machine } from '../src/lab/simulation/machine.ts'
import { MUTANTS } from '../src/lab/simulation/mutants.ts'
import type { SimulationResult } from '../src/lab/simulation/simulation.ts'

test('a world is the same for the same seed, violates no rule, and shows a fault of the product', async () => {
  const child = fork(join(import.meta.dirname, 'support/simulateChild.ts'), [], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const [sent] = await once(child, 'message')
  const { first, again, second, broken } = sent as Record<string, SimulationResult> // what simulateChild.ts sends
  expect(first?.violations).toEqual([])
  expect(second?.violations).toEqual([])
  expect(again).toEqual(first)
  expect(second?.digest).not.toBe(first?.digest)
  expect(first?.answered).toBeGreaterThan(50)
  expect(broken?.violations.map(({ rule }) => rule)).toContain('quiet')
}, 240_000)

for (const { name, file, line, becomes } of MUTANTS)
  test(`the mutant ${name} changes one place of src/${file}`, () => {
    const source = readFileSync(join(import.meta.dirname, '../src', file), 'utf8')
    expect(source.split(line)).toHaveLength(2)
    expect(becomes).not.toBe(line)
  })

test('what is planned happens in the order of time, and what is planned for one moment in the order of planning', () => {
  const heap = new EventHeap()
  const times = Array.from({ length: 200 }, (_, place) => (place * 7919) % 31)
  times.forEach((at, order) => {
    heap.add({ at, order, isTimer: false, isOff: false, owner: null, happen: () => {} })
  })
  const taken = times.map(() => heap.take()!)
  const sorted = taken.toSorted((one, other) => one.at - other.at || one.order - other.order)
  expect(taken).toEqual(sorted)
  expect(heap.take()).toBeUndefined()
})

test('a machine lets time pass to what is planned, and nothing of a killed process happens', async () => {
  const machine = new Machine({ seed: 1, startsAt: 1_000_000 })
  const [lives, dies] = [machine.start('lives'), machine.start('dies')]
  const happened: string[] = []
  const note = (name: string) => () => void happened.push(`${name} at ${machine.now()}`)
  machine.after(500, note('dies'), dies)
  machine.after(300, () => machine.kill(dies))
  machine.after(400, () => machine.setClock(60_000))
  machine.after(900, note('lives'), lives)
  machine.after(200, note('world'))
  await machine.run(() => false)
  expect(happened).toEqual(['world at 1000200', 'lives at 1060900'])
  expect(machine.monotonic()).toBe(900)
})
