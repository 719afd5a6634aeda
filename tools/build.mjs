// Builds the library and the command line into dist/: into a folder of its own first, so that nothing stale is packed
// and
// a failed build leaves the last one as it was. `--if-possible`: does nothing without the compiler (npm ci --omit=dev);
// a clone then runs from its sources.
import { spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const compiler = join(root, 'node_modules/typescript/bin/tsc')

if (process.argv.includes('--if-possible') && !existsSync(compiler)) {
  console.error('keywise: not built, because the development tools are not installed; it runs from its sources')
} else {
  process.exitCode = build()
}

function build() {
  const fresh = join(root, `dist.${process.pid}`)
  const result = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    stdio: 'inherit',
  })
  if (result.status === 0) {
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    renameSync(fresh, join(root, 'dist'))
  }
  rmSync(fresh, { recursive: true, force: true })
  return result.status ?? 1
}
