// Writes the pages of docs/ that are made from the sources: `npm run docs`. test/docs.test.ts fails while they are
// behind.
import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultsPage } from './faultsPage.mjs'
import { gatewayPage } from './featuresTable.mjs'
import { libraryPage } from './libraryPage.mjs'
import { settingsPage } from './settingsPage.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** The pages by their path below the root. */
export function pages() {
  return {
    'docs/fault-matrix.md': faultsPage(root),
    'docs/gateway.md': gatewayPage(root),
    'docs/library.md': libraryPage(root),
    'docs/settings.md': settingsPage(),
  }
}

if (import.meta.main) for (const [file, text] of Object.entries(pages())) writeFileSync(join(root, file), text)
