/**
 * The packages of the clients: what the lock files say, once per lock file, below the temporary folder. A language that
 * is not there is skipped with its reason.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Language } from './clients.ts'

/** Where a language's packages are and how a program of it is run; or why it cannot be. */
export type Toolbox =
  | { readonly command: (program: string) => readonly string[]; readonly version: (name: string) => string }
  | { readonly missing: string }

const HERE = import.meta.dirname
const isWindows = process.platform === 'win32'

export const INSTALL: { readonly [L in Language]: () => Toolbox } = {
  python: () => python('python'),
  aider: () => python('aider'),
  node: node,
  go: go,
}

function python(language: 'python' | 'aider'): Toolbox {
  const found = ['python3', 'python'].find((name) =>
    runs(name, ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 11))']),
  )
  if (found === undefined) return { missing: 'no Python 3.11 or newer with venv' }
  const lock = join(HERE, language, 'requirements.txt')
  const folder = folderOf(language, lock)
  const program = join(folder, isWindows ? 'Scripts/python.exe' : 'bin/python')
  const problem = once(folder, () => {
    run(found, ['-m', 'venv', '--clear', folder])
    run(program, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '-r', lock])
  })
  if (problem !== null) return { missing: problem }
  const versions = new Map(
    readFileSync(lock, 'utf8')
      .split('\n')
      .map((line) => line.split('==') as [string, string]),
  )
  return {
    command: (name) => [program, join(HERE, 'python', 'cells.py'), name],
    version: (name) => versions.get(name) ?? '',
  }
}

function node(): Toolbox {
  const folder = folderOf('node', join(HERE, 'node', 'package-lock.json'))
  const problem = once(folder, () => {
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(HERE, 'node', name), join(folder, name))
    // Not `npm ci`: it takes Cline's programs for other platforms, which have no version, for missing.
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder)
  })
  if (problem !== null) return { missing: problem }
  // Beside the packages, where their imports are found.
  cpSync(join(HERE, 'node'), folder, { recursive: true, filter: (path) => !path.includes('package') })
  return {
    command: (name) => [process.execPath, join(folder, 'cells.mjs'), name],
    version: (name) => versionOf(join(folder, 'node_modules', name, 'package.json')),
  }
}

function go(): Toolbox {
  if (!runs('go', ['version'])) return { missing: 'no Go' }
  const folder = folderOf('go', join(HERE, 'go', 'go.sum'))
  const program = join(folder, isWindows ? 'clients.exe' : 'clients')
  try {
    mkdirSync(folder, { recursive: true })
    run('go', ['build', '-o', program, '.'], join(HERE, 'go'))
  } catch (error) {
    return { missing: reason(error) }
  }
  const modules = readFileSync(join(HERE, 'go', 'go.mod'), 'utf8')
  return {
    command: (name) => [program, name],
    version: (name) => new RegExp(`${name}\\S* v(\\S+)`).exec(modules)?.[1] ?? '',
  }
}

function folderOf(language: Language, lock: string): string {
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 12)
  return join(tmpdir(), `keywise-clients-${language}-${digest}`)
}

/** Runs an installation that was not finished before. Returns why it failed, or null. */
function once(folder: string, install: () => void): string | null {
  const done = join(folder, '.installed')
  if (existsSync(done)) return null
  console.log(`installing into ${folder} (once)`)
  try {
    mkdirSync(folder, { recursive: true })
    install()
    writeFileSync(done, '')
    return null
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    return reason(error)
  }
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error))

const runs = (command: string, args: readonly string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0

function run(command: string, args: readonly string[], cwd?: string): void {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: isWindows,
    ...(cwd && { cwd }),
  })
  if (status !== 0) throw new Error(`"${command} ${args[0]}" failed`)
}

const versionOf = (file: string): string =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : ''
