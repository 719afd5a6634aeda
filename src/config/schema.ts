/**
 * The one description of `config/api-keys.json`: types, validation, defaults and the editor's schema all come from here
 * (`blockSchema.ts` a provider, `settingsSchema.ts` the settings). The file writes names in snake_case; what is read has
 * them in camelCase. Loading zod takes about 40 ms, so whoever answers without a configuration (`--version`, `--help`)
 * imports this room only when it is needed.
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

/** The names that stand beside the providers at the top of the file. */
export const TOP_NAMES: readonly string[] = Object.keys(root.shape)

/** The editor's schema (`keywise.schema.json`), as plain data. */
export function jsonSchema(): Record<string, unknown> {
  return { title: 'keywise configuration', ...z.toJSONSchema(root, { io: 'input', reused: 'ref' }) }
}
