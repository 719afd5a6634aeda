// Writes keywise.schema.json from the one description of the configuration (src/config/schema.ts).
import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jsonSchema } from '../src/config/schema.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
writeFileSync(join(root, 'keywise.schema.json'), `${JSON.stringify(jsonSchema(), null, 2)}\n`)
