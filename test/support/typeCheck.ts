/** Checks values that were made at run time against types that exist only for the compiler. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

export interface Checked {
  readonly type: string
  readonly value: unknown
  /** What it is, for whoever reads that it is wrong. */
  readonly name: string
  /** It must be refused; then the check itself is known to work. */
  readonly isWrong?: boolean
}

/** The compiler's complaints; '' when every value has its type. More fields than the type has are allowed. */
export function typeErrors(prelude: string, values: readonly Checked[]): string {
  // Inside node_modules, so that the packages are found and nothing is left in the project.
  const folder = join(root, 'node_modules', '.cache', `type-check-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'answers.ts'), `${prelude}\n${HELPER}\n${values.map(lineOf).join('\n')}\n`)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, files: ['answers.ts'] }))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    return `${stdout}${stderr}`.trim()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const OPTIONS = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  target: 'es2024',
  module: 'nodenext',
  lib: ['es2024', 'dom', 'dom.iterable'],
  types: [],
}

const HELPER = 'declare function check<T>(name: string): <V extends T>(value: V) => void'

function lineOf({ type, value, name, isWrong }: Checked): string {
  const line = `check<${type}>(${JSON.stringify(name)})(${JSON.stringify(value)})`
  return isWrong ? `// @ts-expect-error\n${line}` : line
}
