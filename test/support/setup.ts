/** Every test file runs without the machine's own keys, settings and folders, and without a network. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll } from 'vitest'
import { catalog } from '../../src/providers/catalog.ts'
import './networkGuard.mjs'

const providerNames = new Set(catalog.flatMap((spec) => spec.env))
const isForeign = (name: string) =>
  providerNames.has(name.replace(/_\d+$/, '')) ||
  /^KEYWISE_(?!TEST_DATA$|CONVERSATIONS$|SEED$|FAULTS$|FUZZ_CASES$)/.test(name) ||
  /^(?:https?|all|no)_proxy$/i.test(name) ||
  /^XDG_/.test(name)
for (const name of Object.keys(process.env)) if (isForeign(name)) delete process.env[name]

// The same commit gives the same result every time. `KEYWISE_SEED=random npm test` looks for cases nobody has seen yet,
// and a seed that a failure printed tries its cases again.
const seed = process.env['KEYWISE_SEED'] ?? '20261130'
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: seed === 'random' ? Date.now() % 2 ** 31 : Number(seed) })

// A home of its own: what a test forgets to place elsewhere must not land in, or come from, the developer's.
const home = mkdtempSync(join(tmpdir(), 'keywise-home-'))
const notes = join(home, 'connections')
process.env['HOME'] = home
process.env['USERPROFILE'] = home
// Compiled code is not secret, and every process that a test starts would compile it again.
const cache = join(import.meta.dirname, '../../node_modules/.cache')
process.env['XDG_CACHE_HOME'] = cache
process.env['NODE_COMPILE_CACHE'] = join(cache, 'keywise/compiled')
process.env['KEYWISE_TEST_CONNECTIONS'] = notes
const guard = pathToFileURL(join(import.meta.dirname, 'networkGuard.mjs')).href
const nodeOptions = process.env['NODE_OPTIONS'] ?? ''
// Test files may share a process.
if (!nodeOptions.includes(guard)) process.env['NODE_OPTIONS'] = `${nodeOptions} --import=${guard}`.trim()

afterAll(() => {
  const tried = existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []
  rmSync(home, { recursive: true, force: true })
  if (tried.length > 0) throw new Error(`tests tried to leave the machine: ${[...new Set(tried)].join('; ')}`)
})
