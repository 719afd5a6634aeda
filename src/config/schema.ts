/**
 * The single description of `config/api-keys.json`: types, validation, defaults and the editor's schema all derive from
 * it (`blockSchema.ts` for a provider, `settingsSchema.ts` for the settings). The file uses snake_case names; the
 * parsed result uses camelCase. Loading zod takes about 40 ms, so commands that need no configuration (`--version`,
 * `--help`) import this folder only on demand.
 */

import { z } from 'zod'
import { blockSchema } from './blockSchema.ts'
import { ignored } from './schemaWords.ts'
import { settingsFile } from './settingsSchema.ts'

const root = z
  .object({
    $schema: z.string().optional(),
    version: ignored('Version of the file'),
    lastValidated: ignored('Written by a tester'),
    providers: z.record(z.string(), blockSchema).optional(),
    settings: settingsFile.optional(),
  })
  .catchall(blockSchema)

/** The names allowed beside the providers at the top level of the file. */
export const TOP_NAMES: readonly string[] = Object.keys(root.shape)

/** The editor's schema (`keywise.schema.json`), as plain data. */
export function jsonSchema(): Record<string, unknown> {
  return { title: 'keywise configuration', ...z.toJSONSchema(root, { io: 'input', reused: 'ref' }) }
}
