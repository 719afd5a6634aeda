// Prints "N passed, N failed[, N skipped]" from vitest's JSON report; the further arguments name the steps that failed.
// Exits 1 when anything failed, or nothing ran.
import { readFileSync } from 'node:fs'

const [file, ...failedSteps] = process.argv.slice(2)
const report = read(file)
// A file that fails to load, or whose hooks fail, has no tests of its own to count as failed.
const broken = report.testResults.filter(
  (one) => one.status === 'failed' && one.assertionResults.every((test) => test.status !== 'failed'),
)
for (const one of broken) console.log(`failed as a file: ${one.name}`)

const failedTests = report.numFailedTests + broken.length
// The test step fails when a test does; that is counted already.
const steps = failedSteps.filter((step) => failedTests === 0 || !/\bnpm test\b/.test(step))
for (const step of steps) console.log(`failed as a step: ${step}`)

const failed = failedTests + steps.length
const skipped = report.numPendingTests + report.numTodoTests
console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 || report.numPassedTests === 0 ? 1 : 0

/** Without a report the test step failed, and is counted as that. */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return { testResults: [], numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 }
  }
}
