/** A folder that lasts as long as the test that asked for it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keywise-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
