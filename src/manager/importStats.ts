/** `apiStats.json` as a view of the store, and the import of an existing file. */

import { readFileSync } from 'node:fs'
import type { TargetRef } from '../domain/store.ts'
import { stateId } from '../domain/target.ts'
import type { Engine } from '../engine/engine.ts'
import { readStatsFile } from '../store/statsFile/readStatsFile.ts'
import { type StatsFile, statsFileOf, toImportEvents } from '../store/statsFile/statsFile.ts'

const COLLECTION = 'stats-imports'

/** The file's current contents: the present keys with their present indices. */
export function statsView(engine: Engine): StatsFile {
  const places = new Map(
    engine.registry.credentials.map((credential) => [
      `${credential.provider.id}@${credential.fingerprint}`,
      credential.key.index,
    ]),
  )
  const rows = engine.learned.tally.rows((provider, fingerprint) => places.get(`${provider}@${fingerprint}`))
  return statsFileOf(rows, engine.now)
}

/** Imports an existing file once per store: only for targets the store knows nothing about. */
export function importStats(engine: Engine, path: string): void {
  const { store, learned, logger } = engine
  if (store.getDoc(COLLECTION, path) !== undefined) return
  const text = readIfThere(path)
  store.setDoc(COLLECTION, path, engine.now)
  if (text === null) return
  const file = readStatsFile(text)
  if (file.isCorrupted) return // the writer sets it aside and reports it
  for (const problem of file.problems.slice(0, 5)) logger.warn(`${path}: ${problem}`)
  const resolve = (provider: string, keyIndex: number, model: string) => {
    const ref = refFor(engine, provider, keyIndex, model)
    return ref === undefined || learned.tally.row(ref.stateId) !== undefined ? undefined : ref
  }
  for (const event of toImportEvents(file, resolve, { at: engine.now, origin: store.origin })) learned.record(event)
}

function refFor(engine: Engine, provider: string, keyIndex: number, model: string): TargetRef | undefined {
  const credential = engine.registry.credentials.find(
    (one) => one.provider.id === provider && one.key.index === keyIndex,
  )
  if (credential === undefined) return undefined
  const { fingerprint, account } = credential
  return { stateId: stateId(provider, model, fingerprint), provider, model, fingerprint, keyIndex, account }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
