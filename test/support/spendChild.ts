/**
 * A process of its own that spends: `spendChild.ts <config file> <store> <how many> <parallel>`. Prints the id and the
 * cost in USD of every call that was answered, one a line, and a last line when it is done.
 */

import { flushCompileCache } from 'node:module'
import { KeywiseError } from '../../src/domain/errors.ts'
import { APIManager } from '../../src/index.ts'

// Node keeps compiled code when a process ends, which one that gets killed never does.
flushCompileCache()
const [config = '', store = '', count = '0', width = '1'] = process.argv.slice(2)
const manager = new APIManager({ config, store, env: {}, logger: false })
let left = Number(count)

async function spend(): Promise<void> {
  while (left-- > 0) {
    try {
      const { requestId, costUsd } = await manager.callWithFallback('Say hi')
      process.stdout.write(`${requestId} ${costUsd}\n`)
    } catch (error) {
      if (!(error instanceof KeywiseError)) throw error
    }
  }
}

await manager.ready()
await Promise.all(Array.from({ length: Number(width) }, spend))
await manager.close()
process.stdout.write('done\n')
