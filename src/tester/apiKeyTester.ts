/** The tester: every key with every model, in parallel, with the reason and the remedy for each failure. */

import { resolve } from 'node:path'
import type { Engine } from '../engine/engine.ts'
import type { EngineOptions } from '../manager/engineOptions.ts'
import { openEngine } from '../manager/openEngine.ts'
import { unlockVault } from '../manager/unlockVault.ts'
import { changesSince } from './changes.ts'
import { htmlReport } from './htmlReport.ts'
import { observedFacts } from './observedFacts.ts'
import type { TestReport } from './report.ts'
import { readResultsFile, writeWhole } from './resultsFile.ts'
import type { RunOptions } from './runOptions.ts'
import { runTests } from './testRun.ts'

/** Options of a test run. */
export interface TestOptions extends Omit<EngineOptions, 'allModels'>, RunOptions {
  /**
   * Test every model of every list, including long ones.
   * @default false
   */
  readonly all?: boolean
  /**
   * Path of the results file, relative to `cwd`; null writes none, as does a configuration that is an object.
   * @default `api-test-results.json`
   */
  readonly out?: string | null
  /** Also write the report as an HTML page, to this path. */
  readonly html?: string
  /**
   * Also write what the test and all calls before it have shown, to this path: a facts file without key, account, address
   * or text, which another keywise installs with `keywise models --refresh FILE`.
   */
  readonly facts?: string
  /** @internal Test inside a running manager or gateway, which learns from the results immediately. */
  readonly engine?: Engine
}

const RESULTS_FILE = 'api-test-results.json'

/**
 * Tests every target and resolves with the report, even when all targets fail or the run is interrupted. Findings are
 * stored, so the manager uses them from the next call on. Throws ConfigError without a usable
 * configuration or without any key, InvalidRequestError when the filters leave nothing to test.
 * @example
 * const report = await testApiKeys({ provider: 'groq', onResult: ({ target, status }) => console.log(target, status) })
 */
export async function testApiKeys(options: TestOptions = {}): Promise<TestReport> {
  if (options.engine !== undefined) return testAndWrite(options.engine, options)
  await unlockVault(options)
  const opened = openEngine({ ...options, allModels: options.all ?? false })
  try {
    await opened.prepare()
    return await testAndWrite(opened.engine, options)
  } finally {
    await opened.close()
  }
}

async function testAndWrite(engine: Engine, options: TestOptions): Promise<TestReport> {
  const file = resultsPath(options)
  const earlier = file === null ? null : await readResultsFile(file)
  const found = await runTests(engine, options)
  const report = { ...found, changes: earlier === null ? null : changesSince(earlier, found.tests) }
  if (file !== null) await write(engine, file, `${JSON.stringify(report, null, 2)}\n`)
  if (options.html !== undefined) await write(engine, pathOf(options.html, options), htmlReport(report))
  if (options.facts !== undefined) await writeFacts(engine, pathOf(options.facts, options), found.tests)
  await engine.store.flushed()
  return report
}

/** Says so where there was nothing to tell, because an empty file looks like a mistake. */
async function writeFacts(engine: Engine, path: string, tests: TestReport['tests']): Promise<void> {
  const text = observedFacts(engine, tests)
  await write(engine, path, text)
  const { facts } = JSON.parse(text) as { readonly facts: readonly unknown[] } // as it was written a line above
  if (facts.length === 0)
    engine.logger.warn(
      `${path} has no facts: nothing was seen of providers at their own addresses that others may be told`,
    )
}

/** An unwritable folder loses the file, not the results. */
async function write(engine: Engine, path: string, text: string): Promise<void> {
  const problem = await writeWhole(path, text)
  if (problem !== null) engine.logger.warn(problem)
}

function resultsPath(options: TestOptions): string | null {
  const { out, config, engine } = options
  if (out !== undefined) return out === null ? null : pathOf(out, options)
  return typeof config === 'object' || engine !== undefined ? null : pathOf(RESULTS_FILE, options)
}

const pathOf = (path: string, { cwd }: Pick<TestOptions, 'cwd'>) => resolve(cwd ?? process.cwd(), path)
