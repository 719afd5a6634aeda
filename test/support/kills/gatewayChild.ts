/**
 * A gateway in a process of its own, to be killed: `gatewayChild.ts <store> <endpoint> <n> <durability>`. It kills
 * itself at the n-th operation that changes a file, in the middle of a write where it is one; 0: never.
 */

import { flushCompileCache } from 'node:module'
import type { Durability } from '../../../src/domain/store.ts'
import { startGateway } from '../../../src/server/serve.ts'
import { systemFiles } from '../../../src/store/journal/files.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite.ts'
import { ADMIN_TOKEN, TOKEN } from '../gatewayWorld.ts'

// Node keeps compiled code when a process ends, which one that gets killed never does.
flushCompileCache()
const [path = '', endpoint = '', last = '0', durability = 'process'] = process.argv.slice(2)
const quiet = { info() {}, warn() {}, error() {} }

let isCounting = false
let operations = 0
const isLast = () => isCounting && ++operations === Number(last)

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

const store = openSqliteStore(path, {
  now: Date.now,
  warn: quiet.warn,
  flushMs: 50,
  durability: durability as Durability, // as the tests pass it
  fault: (operation) => operation !== 'open' && isLast() && die(),
  journalFiles: {
    ...systemFiles,
    create: (name) => (isLast() ? die() : systemFiles.create(name)),
    remove: (name) => (isLast() ? die() : systemFiles.remove(name)),
    write(file, bytes, offset) {
      if (!isLast()) return systemFiles.write(file, bytes, offset)
      systemFiles.write(file, Buffer.from(bytes.subarray(offset, offset + (bytes.length >> 1))), 0)
      return die()
    },
  },
})

const gateway = await startGateway({
  config: {
    own: { endpoint, api_key: `k${'0'.repeat(20)}`, models: [{ id: 'm', price: { input: 1, output: 2 } }] },
    settings: { budgets: [{ scope: 'all', usd: 100, per: 'day' }] },
  },
  store,
  port: 0,
  env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: ADMIN_TOKEN },
  logger: quiet,
  accessLog: false,
})
await gateway.opened.ready()
isCounting = true
process.send?.(gateway.app.port)
// The parent has gone.
process.on('disconnect', () => process.exit())
