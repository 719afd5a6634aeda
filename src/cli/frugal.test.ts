import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const MODULE = pathToFileURL(`${import.meta.dirname}/frugal.ts`).href

/** Megabytes that the young space of a process has grown to which makes many objects that live for a moment. */
async function grownTo(isBounded: boolean): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8'
    const { beFrugal } = await import(${JSON.stringify(MODULE)})
    if (${isBounded}) beFrugal()
    const living = []
    for (let turn = 0; turn < 400; turn++) {
      for (let made = 0; made < 4000; made++) living[(turn * 4000 + made) % 60_000] = { made: [turn, made, {}] }
      await new Promise(setImmediate)
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20)
  `
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags)
  expect(stderr).toBe('')
  return Number(stdout)
}

test('the space for young objects grows to what it needs and no further', async ({ skip }) => {
  const [bounded, unbounded] = await Promise.all([grownTo(true), grownTo(false)])
  // Each V8 has its own way of growing; only that of node 24 needs the bound.
  if (!process.version.startsWith('v24.')) skip('node 24 is what the space was measured with')
  expect(bounded).toBeLessThan(20)
  expect(unbounded).toBeGreaterThan(32)
})
