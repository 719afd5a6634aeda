/** Installs a facts file that the user names, and undoes that. Nothing else in keywise fetches one. */

import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type InstalledSet, loadConfig } from '../config/config.ts'
import { readEnvironment } from '../config/environment.ts'
import { type FactChange, factChanges } from '../config/facts/factChanges.ts'
import { type Fact, MOST_FACTS_BYTES } from '../config/facts/factSchema.ts'
import { digestOf, readFacts } from '../config/facts/readFacts.ts'
import { ConfigError } from '../domain/errors.ts'
import { findProvider } from '../providers/catalog.ts'
import { fetchFile } from '../upstream/fetchFile.ts'
import { openTransport } from '../upstream/transport.ts'
import type { EngineOptions } from './engineOptions.ts'
import { FactsFolder } from './installedFacts.ts'
import { loadOptions, storeLocation, variablesOf } from './locations.ts'

/** What an installation, or undoing one, came to. */
export interface RefreshedFacts {
  /** Of the set that holds now; null when none does. */
  readonly digest: string | null
  readonly from: string | null
  /** ISO date. */
  readonly published: string | null
  /** How many facts hold now. */
  readonly facts: number
  /** How many of them are prices of which input and output are 0: a budget lets such calls through. */
  readonly pricesOfNothing: number
  /** It held before. */
  readonly unchanged: boolean
  readonly changes: readonly FactChange[]
  /** What was left out, and why, one sentence each. */
  readonly skipped: readonly string[]
}

/**
 * Reads the file or address, checks its digest when one is given, and installs it in the place of the set before.
 * Throws ConfigError, and then nothing is changed.
 */
export async function refreshFacts(
  source: string,
  wanted: string | undefined,
  options: EngineOptions,
): Promise<RefreshedFacts> {
  const folder = folderOf(options)
  const digestWanted = wanted === undefined ? null : readDigest(wanted)
  const now = (options.now ?? Date.now)()
  const { bytes, from } = await open(source, options)
  const digest = digestOf(bytes)
  if (digestWanted !== null && digest !== digestWanted)
    throw new ConfigError(`${from}: has the digest ${digest}, not ${digestWanted}; nothing was changed`)
  const set = readFacts(bytes, from, now)
  const entry = { digest, from, published: set.published, installedAt: new Date(now).toISOString() }
  const held = await folder.changing(async () => {
    const last = folder.soundSets().at(-1)
    const facts = last === undefined ? null : factsOrNull(folder, last, now)
    const unchanged = facts !== null && last?.digest === digest
    if (!unchanged) await folder.install(bytes, { ...entry, facts: set.facts.length })
    return { unchanged, facts: facts ?? [] }
  })
  return {
    digest,
    from,
    published: set.published,
    facts: set.facts.length,
    pricesOfNothing: pricesOfNothing(set.facts),
    unchanged: held.unchanged,
    changes: held.unchanged ? [] : factChanges(held.facts, set.facts),
    skipped: [...set.skipped, ...unknownProviders(set.facts, options)],
  }
}

/**
 * Puts the set before the one that holds back in force. Throws ConfigError when none is installed, or when that set is
 * damaged, and then nothing is changed.
 */
export async function undoFacts(options: EngineOptions): Promise<RefreshedFacts> {
  const folder = folderOf(options)
  const now = (options.now ?? Date.now)()
  const nothing = () => new ConfigError('no facts file is installed, so there is nothing to undo')
  if (folder.sets().length === 0) throw nothing()
  const { before, held, after } = await folder.changing(async () => {
    const [last, held] = folder.sets().slice(-2).reverse()
    if (last === undefined) throw nothing()
    const after = held === undefined ? [] : factsToUndoTo(folder, held, now)
    const before = factsOrNull(folder, last, now) ?? []
    await folder.undo()
    return { before, held, after }
  })
  return {
    digest: held?.digest ?? null,
    from: held?.from ?? null,
    published: held?.published ?? null,
    facts: after.length,
    pricesOfNothing: pricesOfNothing(after),
    unchanged: false,
    changes: factChanges(before, after),
    skipped: [],
  }
}

function factsToUndoTo(folder: FactsFolder, set: InstalledSet, now: number): readonly Fact[] {
  try {
    return folder.factsOf(set, now)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(`${error.message}; nothing was undone`, { cause: error })
  }
}

function pricesOfNothing(facts: readonly Fact[]): number {
  return facts.filter((fact) => fact.kind === 'price' && fact.price.input === 0 && fact.price.output === 0).length
}

function folderOf(options: EngineOptions): FactsFolder {
  const folder = FactsFolder.beside(storeLocation(options))
  if (folder === null) throw new ConfigError('this store keeps nothing, facts neither; name a path with --store')
  return folder
}

/** A set that is damaged holds nothing, and must not keep another from being installed. */
function factsOrNull(folder: FactsFolder, set: InstalledSet, now: number): readonly Fact[] | null {
  try {
    return folder.factsOf(set, now)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

function readDigest(text: string): string {
  const [, hex] = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(text.trim()) ?? []
  if (hex === undefined) throw new ConfigError('--digest takes "sha256:" and 64 hex digits')
  return `sha256:${hex.toLowerCase()}`
}

interface OpenedFile {
  readonly bytes: Uint8Array
  /** Its name in messages and in what is kept: an address without its query, which may hold a secret. */
  readonly from: string
}

async function open(source: string, options: EngineOptions): Promise<OpenedFile> {
  // With fewer slashes it is an address too, which may hold a password.
  if (/^(?:https?:|[a-z][a-z0-9+.-]+:\/\/)/i.test(source)) return fetched(source, options)
  const path = resolve(options.cwd ?? process.cwd(), source)
  try {
    const about = await stat(path)
    if (!about.isFile()) throw new ConfigError(`${source}: is not a regular file`)
    if (about.size > MOST_FACTS_BYTES) throw new ConfigError(`${source}: is larger than 8 MiB; is it a facts file?`)
    return { bytes: await readFile(path), from: path }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new ConfigError(`${source}: ${code === 'ENOENT' ? 'the file does not exist' : `cannot be read (${code})`}`, {
      cause: error,
    })
  }
}

async function fetched(source: string, options: EngineOptions): Promise<OpenedFile> {
  if (!URL.canParse(source)) throw new ConfigError('that is no address; give a file, or an https address')
  const url = new URL(source)
  const from = `${url.protocol}//${url.host}${url.pathname}`
  const { http, https, except } = readEnvironment(variablesOf(options)).proxy
  const dispatcher = openTransport({
    ...(http !== null && { httpProxy: http }),
    ...(https !== null && { httpsProxy: https }),
    ...(except !== null && { noProxy: except }),
  })
  try {
    return { bytes: await fetchFile(url, { dispatcher, maxBytes: MOST_FACTS_BYTES }), from }
  } catch (error) {
    throw new ConfigError(`${from}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    await dispatcher.destroy().catch(() => undefined)
  }
}

function unknownProviders(facts: readonly Fact[], options: EngineOptions): readonly string[] {
  const config = loadConfig(loadOptions(options))
  const own = new Set([...config.providers.map(({ id }) => id), ...(options.providers ?? []).map(({ id }) => id)])
  const counts = new Map<string, number>()
  for (const { provider } of facts)
    if (findProvider(provider) === undefined && !own.has(provider))
      counts.set(provider, (counts.get(provider) ?? 0) + 1)
  return [...counts].map(
    ([provider, count]) => `${count} ${count === 1 ? 'fact' : 'facts'} about "${provider}", which is no provider here`,
  )
}
