import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeTests } from '../../test/storeTests.ts'
import { openSqliteStore } from './sqlite.ts'

const options = {
  now: () => 0,
  warn: (line: string) => {
    throw new Error(line)
  },
}
storeTests('sqlite', () => openSqliteStore(join(mkdtempSync(join(tmpdir(), 'keywise-')), 'keywise.db'), options))
storeTests('sqlite :memory:', () => openSqliteStore(':memory:', options))
