// Installs the newest version of every dependency, without changing the manifest or the lock, and prints what became of
// each: for the workflow that runs the suite against them. `npm ci` undoes it. Only syntax that node 18 knows.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand } from './install.mjs'

const root = join(import.meta.dirname, '..')
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
// The types follow the oldest node that is supported, and the compiler and the linter decide what is an error.
const STAYS = new Set(['@types/node', 'typescript', '@biomejs/biome'])
const names = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !STAYS.has(name))
const before = new Map(names.map((name) => [name, versionOf(name)]))

const [command, ...args] = npmCommand(process.env, process.execPath)
const install = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
const { status } = spawnSync(command, [...args, ...install, ...names.map((name) => `${name}@latest`)], {
  cwd: root,
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
for (const name of names) {
  const now = versionOf(name)
  if (now !== before.get(name))
    console.log(`${name} ${before.get(name)} -> ${now}${name in dependencies ? ' (published)' : ''}`)
}

function versionOf(name) {
  try {
    return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
  } catch {
    return 'none'
  }
}
