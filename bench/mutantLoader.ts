/** Loads the product with a fault in it: the same sources, but for one line that is replaced while it is read. */

import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MUTANTS, type Mutant } from '../src/lab/simulation/mutants.ts'

const SOURCE = resolve(import.meta.dirname, '../src')
const MARK = /\?mutant=([\w-]+)$/
/** Of sources without a fault, which all mutants share. */
const stripped = new Map<string, string>()
let isReady = false

/** The simulation of the product with that fault in it. */
export async function loadMutant({ name }: Mutant): Promise<typeof import('../src/lab/simulation/simulation.ts')> {
  if (!isReady) register()
  isReady = true
  return import(`${pathToFileURL(resolve(SOURCE, 'lab/simulation/simulation.ts')).href}?mutant=${name}`)
}

/** What a file imports is of the same mutant as the file itself. */
function register(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const mark = MARK.exec(context.parentURL ?? '')?.[0]
      const isOurs = resolved.url.startsWith(pathToFileURL(SOURCE + sep).href)
      return mark === undefined || !isOurs ? resolved : { ...resolved, url: `${resolved.url.replace(MARK, '')}${mark}` }
    },
    load(url, context, nextLoad) {
      const name = MARK.exec(url)?.[1]
      if (name === undefined) return nextLoad(url, context)
      return { format: 'module', source: sourceOf(fileURLToPath(url.replace(MARK, '')), name), shortCircuit: true }
    },
  })
}

function sourceOf(path: string, name: string): string {
  const mutant = MUTANTS.find((one) => one.name === name)
  if (mutant !== undefined && path === resolve(SOURCE, ...mutant.file.split('/')))
    return stripTypeScriptTypes(readFileSync(path, 'utf8').replace(mutant.line, () => mutant.becomes))
  const known = stripped.get(path)
  if (known !== undefined) return known
  const source = stripTypeScriptTypes(readFileSync(path, 'utf8'))
  stripped.set(path, source)
  return source
}
