/** How long the command takes to begin: wall time of whole processes, node's own start included. */

import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const VERSION_MOST_MS = 150
const ROUNDS = 15
const root = resolve(import.meta.dirname, '..')

export function benchStart(): string[] {
  const keywise = join(root, 'bin/keywise.cjs')
  const bare = times(['-e', '0'])
  const version = times([keywise, '--version'])
  const help = times([keywise, '--help'])
  if (version.median > VERSION_MOST_MS) process.exitCode = 1
  return [
    `keywise --version: ${told(version)} (at most ${VERSION_MOST_MS} ms)`,
    `keywise --help, which loads the command line: ${told(help)}`,
    `node itself, for comparison: ${told(bare)}`,
  ]
}

interface Times {
  readonly least: number
  readonly median: number
}

function times(args: readonly string[]): Times {
  const all = Array.from({ length: ROUNDS }, () => {
    const begun = performance.now()
    const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`)
    return performance.now() - begun
  }).sort((a, b) => a - b)
  return { least: all[0] ?? 0, median: all[all.length >> 1] ?? 0 }
}

const told = ({ least, median }: Times) => `least ${least.toFixed(0)} ms, median ${median.toFixed(0)} ms`
