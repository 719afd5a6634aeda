// Writes keywise.schema.json from the one description of the configuration (src/config/schema.ts), and
// keywise.facts.schema.json from that of facts files (src/config/facts/factSchema.ts).
import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { factsJsonSchema } from '../src/config/facts/factSchema.ts'
import { jsonSchema } from '../src/config/schema.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const write = (file, schema) => writeFileSync(join(root, file), `${JSON.stringify(schema, null, 2)}\n`)
write('keywise.schema.json', jsonSchema())
write('keywise.facts.schema.json', factsJsonSchema())
