/** How much a user's node_modules grows by: the file sizes of the runtime dependencies, as the lock names them. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

const MOST_MB = 25
const root = resolve(import.meta.dirname, '..')

export function benchSize(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  } // npm's own format
  const runtime = Object.keys(packages).filter((path) => path !== '' && !packages[path]?.dev)
  const sizes = runtime.map((path) => ({
    name: path.replace(/^.*node_modules\//, ''),
    mb: megabytes(join(root, path)),
  }))
  const total = sizes.reduce((sum, { mb }) => sum + mb, 0)
  if (total > MOST_MB) process.exitCode = 1
  return [
    `${runtime.length} packages, ${total.toFixed(1)} MB (at most ${MOST_MB} MB)`,
    ...sizes.sort((a, b) => b.mb - a.mb).map(({ name, mb }) => `${name}: ${mb.toFixed(1)} MB`),
  ]
}

function megabytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const bytes = files
    .filter((entry) => entry.isFile() && basename(entry.parentPath) !== 'node_modules')
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
  return bytes / 1e6
}
