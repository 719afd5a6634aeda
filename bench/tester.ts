/**
 * Time of a whole test run: the original's 28 targets, each answering after
 * 500 ms, over real HTTP; at most 2.5 s. Three runs, lists and results file included.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startFakeProviders } from '../src/lab/fake/fakeProviders.ts'
import { originalScenario } from '../src/lab/fake/worlds.ts'
import { testApiKeys } from '../src/tester/apiKeyTester.ts'

const MOST_MS = 2500

export async function benchTester(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'keywise-bench-'))
  const world = await startFakeProviders(originalScenario(500))
  const lines: string[] = []
  try {
    for (let round = 1; round <= 3; round++) {
      const begin = performance.now()
      const report = await testApiKeys({
        config: world.config(),
        store: join(folder, `${round}.db`),
        out: join(folder, 'api-test-results.json'),
        logger: false,
      })
      const tookMs = Math.round(performance.now() - begin)
      const { passed, total } = report.summary
      lines.push(`run ${round}: ${passed}/${total} targets in ${tookMs} ms (at most ${MOST_MS} ms)`)
      if (passed !== 28 || tookMs > MOST_MS) process.exitCode = 1
    }
  } finally {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return lines
}
