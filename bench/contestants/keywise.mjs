// keywise as it is installed (built, and with the memory that `keywise serve` gives itself), with everything on: token,
// routing over 20 targets, usage, statistics, ledger in SQLite, access log.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onLongBody, tuneMemory } from '../../dist/cli/tuneMemory.js'
import { reportTo } from './report.mjs'

// As the command does: before anything large is loaded.
tuneMemory()
const { startGateway } = await import('../../dist/server/serve.js')

const [, , origin = '', dialect = 'openai'] = process.argv
const folder = mkdtempSync(join(tmpdir(), 'keywise-bench-'))
const config = Object.fromEntries(
  Array.from({ length: 5 }, (_, index) => [
    `provider-${index}`,
    { dialect, endpoint: `${origin}/v1`, api_key: `bench-${index}-${'0'.repeat(20)}`, models: ['m', 'm2', 'm3', 'm4'] },
  ]),
)
let lines = 0
const gateway = await startGateway({
  env: { KEYWISE_TOKEN: 'bench-token-0123456789', KEYWISE_ADMIN_TOKEN: 'bench-admin-0123456789' },
  config,
  store: join(folder, 'keywise.db'),
  port: 0,
  onLongBody,
  logger: { info: () => lines++, warn: console.error, error: console.error },
})
reportTo(Number(new URL(gateway.app.origin).port))
const stop = async () => {
  await gateway.close(100)
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
}
process.once('SIGTERM', stop)
process.once('disconnect', stop)
