import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { StoreError } from '../domain/errors.ts'
import type { Store } from '../domain/store.ts'
import { openStore } from './open.ts'

function open(location: string | undefined): { store: Store; warnings: string[] } {
  const warnings: string[] = []
  return { store: openStore(location, { now: () => 0, warn: (line) => warnings.push(line) }), warnings }
}

test('memory: opens a store in memory, without a warning', () => {
  const { store, warnings } = open('memory:')
  expect([store.engine, store.location, warnings]).toEqual(['memory', 'memory:', []])
})

test('a path opens a store on disk and creates its folder, accessible to the owner only', async () => {
  const folder = join(temporaryFolder(), 'state', 'keywise')
  const { store, warnings } = open(join(folder, 'keywise.db'))
  expect([store.engine, warnings]).toEqual(['sqlite', []])
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  await store.close()
})

test('a folder that cannot be created falls back to memory, with one warning: the reason and the remedy', () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  const { store, warnings } = open(join(file, 'keywise.db'))
  expect(store.engine).toBe('memory')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(/EEXIST.*kept in memory.*KEYWISE_STORE/)
})

test('a path that is a folder falls back to memory, with one warning', () => {
  const { store, warnings } = open(temporaryFolder())
  expect([store.engine, warnings.length]).toEqual(['memory', 1])
})

test('a missing home folder falls back to memory, with one warning', () => {
  const { store, warnings } = open(undefined)
  expect([store.engine, warnings.length]).toEqual(['memory', 1])
})

test('a runtime without node:sqlite falls back to memory, with one warning', () => {
  const missing = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never) // an older runtime
  try {
    const { store, warnings } = open(join(temporaryFolder(), 'keywise.db'))
    expect([store.engine, warnings.length]).toEqual(['memory', 1])
    expect(warnings[0]).toContain('node:sqlite')
  } finally {
    missing.mockRestore()
  }
})

test('postgres:// is refused with a clear message that does not show its password', () => {
  expect(() => open('postgres://me:secret@host/db')).toThrow(StoreError)
  expect(() => open('postgres://me:secret@host/db')).toThrow(/is not supported yet/)
  expect(() => open('postgres://me:secret@host/db')).not.toThrow(/secret/)
})

test('an empty path is refused with a clear message', () => {
  expect(() => open(' ')).toThrow(/empty path/)
})
