/** `keywise init --compat`: writes the shims into the current folder and keeps copies of the files they replace. */

import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { asRecord } from '../domain/json.ts'
import { createFileNow, PUBLIC, replaceFileNow } from '../store/replaceFile.ts'
import type { RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { printer } from './output.ts'
import { MARK, type ModuleKind, SHIM_NAMES, type ShimPlaces, shimText } from './shims.ts'

export const run: RunCommand = async ({ options, cwd, stdout, env }) => {
  if (!options['compat'])
    throw new UsageError('"init" needs --compat: it writes the shims for programs of the original')
  const out = printer(stdout, env)
  const foreign = SHIM_NAMES.filter((name) => isForeign(join(cwd, name)))
  if (foreign.length > 0 && !options['force'])
    throw new Error(`${foreign.join(', ')}: already here, nothing was written; --force replaces them and keeps copies`)
  const kind = moduleKindOf(cwd)
  const { places, isInstalled } = placesFrom(cwd, kind)
  for (const name of SHIM_NAMES) {
    const file = join(cwd, name)
    const copy = foreign.includes(name) ? keepCopy(file) : null
    replaceFileNow(file, shimText(name, kind, places), { mode: PUBLIC })
    out.line(`${name} written${copy === null ? '' : `; the file that was here is ${copy}`}`)
  }
  if (!isInstalled)
    out.line(
      `They use keywise where it is now (${fileURLToPath(frontDoor())}); after "npm install keywise" here, run this again.`,
    )
  return 0
}

function isForeign(file: string): boolean {
  return existsSync(file) && !readFileSync(file, 'utf8').startsWith(MARK)
}

/** Copies the file next to the original, under an unused name. */
function keepCopy(file: string): string {
  for (let number = 1; ; number++) {
    const copy = `${file}.original${number === 1 ? '' : `-${number}`}`
    if (lstatSync(copy, { throwIfNoEntry: false }) !== undefined) continue
    // It may hold keys; who could not read the original must not read the copy.
    createFileNow(copy, readFileSync(file), statSync(file).mode & 0o777)
    return copy
  }
}

/** Same rule as node: the nearest `package.json` decides (https://nodejs.org/api/packages.html#type). */
function moduleKindOf(folder: string): ModuleKind {
  const manifest = join(folder, 'package.json')
  if (existsSync(manifest)) return typeIn(manifest) === 'module' ? 'esm' : 'commonjs'
  const parent = dirname(folder)
  return parent === folder ? 'commonjs' : moduleKindOf(parent)
}

function typeIn(manifest: string): unknown {
  try {
    return asRecord(JSON.parse(readFileSync(manifest, 'utf8')))?.['type']
  } catch {
    return undefined // node ignores an unreadable `package.json` too
  }
}

/** `keywise` where it resolves by name from the folder; otherwise the path of this installation. */
function placesFrom(folder: string, kind: ModuleKind): { places: ShimPlaces; isInstalled: boolean } {
  const require = createRequire(join(folder, 'program.js'))
  try {
    require.resolve('keywise')
    const command = join(dirname(require.resolve('keywise/package.json')), 'bin', 'keywise.cjs')
    return { places: { library: 'keywise', command }, isInstalled: true }
  } catch {
    const library = frontDoor()
    const command = fileURLToPath(new URL('../../bin/keywise.cjs', import.meta.url))
    return { places: { library: kind === 'esm' ? library.href : fileURLToPath(library), command }, isInstalled: false }
  }
}

/** The built entry point, or the source file when running unbuilt. */
function frontDoor(): URL {
  return new URL(`../index${extname(import.meta.url)}`, pathToFileURL(fileURLToPath(import.meta.url)))
}
