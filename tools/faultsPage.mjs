// Writes docs/fault-matrix.md from the fault matrix of the tests, and keeps the results of the long run below it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { matrixTables } from '../test/faults/matrix.ts'

const INTRO = `# What happens when something fails

Networks break off, providers refuse, disks fill up, and processes are killed. This page says what users of keywise see
of it. Each row is shown by tests of its number in \`test/faults/\`: real sockets on the loopback interface, simulated
providers, a TCP proxy that fails on purpose, and clocks that the tests move. A row without a test fails the suite.

"The next target answers" means: the client sees one clean answer, the attempt that failed stands in the ledger once,
and neither a key nor another target is taken away for it. One failure rests nobody; what rests a target, and how long,
is in [why.md](why.md).
`
const RESULTS = '<!-- The rest is written by hand. -->\n'

/** @param {string} root */
export function faultsPage(root) {
  const old = readFileSync(join(root, 'docs/fault-matrix.md'), 'utf8')
  const at = old.indexOf(RESULTS)
  return `${INTRO}\n${matrixTables()}\n${at < 0 ? RESULTS : old.slice(at)}`
}
