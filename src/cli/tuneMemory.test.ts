import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const MODULE = pathToFileURL(`${import.meta.dirname}/tuneMemory.ts`).href

/** Size in megabytes that V8's young generation grows to in a process that allocates many short-lived objects. */
async function grownTo(isBounded: boolean): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8'
    const { tuneMemory } = await import(${JSON.stringify(MODULE)})
    if (${isBounded}) tuneMemory()
    const living = []
    for (let turn = 0; turn < 400; turn++) {
      for (let made = 0; made < 4000; made++) living[(turn * 4000 + made) % 60_000] = { made: [turn, made, {}] }
      await new Promise(setImmediate)
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20)
  `
  return Number(await outputOf(program))
}

async function outputOf(program: string): Promise<string> {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags)
  expect(stderr).toBe('')
  return stdout
}

test('the young generation grows to what it needs and no further', async ({ skip }) => {
  const [bounded, unbounded] = await Promise.all([grownTo(true), grownTo(false)])
  // Growth heuristics vary by V8 version; only that of node 24 needs the bound.
  if (!process.version.startsWith('v24.')) skip('node 24 is what the space was measured with')
  expect(bounded).toBeLessThan(36)
  // Without the bound it grows most of the time, by how fast the collector is: on a busy machine not at every try.
  let grown = unbounded
  for (let tries = 0; tries < 4 && grown <= 36; tries++) grown = await grownTo(false)
  expect(grown).toBeGreaterThan(36)
})

test('long bodies trigger minor collections instead of full ones', async () => {
  const program = `
    import { constants, PerformanceObserver } from 'node:perf_hooks'
    const { tuneMemory, onLongBody } = await import(${JSON.stringify(MODULE)})
    tuneMemory()
    const kinds = new Map()
    const count = ({ detail }) => kinds.set(detail.kind, (kinds.get(detail.kind) ?? 0) + 1)
    new PerformanceObserver((list) => list.getEntries().forEach(count)).observe({ entryTypes: ['gc'] })
    for (let body = 0; body < 1000; body++) {
      Buffer.allocUnsafe(2 ** 20)
      onLongBody(2 ** 20)
      await new Promise(setImmediate)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { NODE_PERFORMANCE_GC_MINOR: minor, NODE_PERFORMANCE_GC_MAJOR: major } = constants
    console.log(JSON.stringify([kinds.get(minor) ?? 0, kinds.get(major) ?? 0]))
  `
  const [minor, major] = JSON.parse(await outputOf(program)) as [number, number]
  expect(minor).toBeGreaterThan(50)
  // A few come by themselves on a busy machine; untuned there are hardly any minor ones.
  expect(major).toBeLessThan(minor / 10)
})
