/**
 * A program that sends large requests over connections which are closed once before they answer, and prints how many
 * bytes are still held after each quarter. Arguments: the port of the failing upstream, and the number of requests.
 */

import { APIManager } from '../../src/index.ts'

const [port = '', requests = '0'] = process.argv.slice(2)
const endpoint = `http://127.0.0.1:${port}/closed-once/v1`
const manager = new APIManager({
  config: { box: { dialect: 'openai', endpoint, api_key: 'none', models: ['m'] } },
  env: {},
  logger: false,
})

const heldBytes = () => {
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

const held: number[] = []
for (let number = 1; number <= Number(requests); number++) {
  await manager.callWithFallback({ prompt: `${number} ${'words '.repeat(80_000)}` })
  if (number % (Number(requests) / 4) === 0) held.push(heldBytes())
}
const calls = manager.engine.tools.deadlines.size
await manager.close()
console.log(JSON.stringify({ held, calls }))
