import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { checkStoreFile } from './checkFile.ts'
import { openSqliteStore } from './sqlite.ts'

test('checkStoreFile() distinguishes an intact store from a damaged and an absent one, and changes none', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'keywise.db')
  expect(checkStoreFile(path)).toEqual({ state: 'absent' })
  const store = openSqliteStore(path, { now: Date.now, warn() {} })
  store.setDoc('a', 'b', 1)
  await store.close()
  expect(checkStoreFile(path)).toMatchObject({ state: 'whole' })
  const damaged = put(folder, 'damaged.db', 'no database'.repeat(500))
  const { mtimeMs } = statSync(damaged)
  expect(checkStoreFile(damaged)).toMatchObject({ state: 'damaged' })
  expect(statSync(damaged).mtimeMs).toBe(mtimeMs)
})
