/**
 * A program of a user that meets every failure, closes its manager and must then end by itself. It prints what is left
 * behind as JSON. Arguments: the port of the failing upstream, and the names of the failures.
 */

import { APIManager } from '../../src/index.ts'

const [port = '', ...failures] = process.argv.slice(2)
const names = [...failures, 'tls-failure', 'refused', 'unknown-host']
const endpointOf: Readonly<Record<string, string>> = {
  'tls-failure': `https://127.0.0.1:${port}/works/v1`,
  refused: 'http://127.0.0.1:9/v1',
  'unknown-host': 'http://nowhere.invalid/v1',
}
const blocks = names.flatMap((name) => {
  const endpoint = endpointOf[name] ?? `http://127.0.0.1:${port}/${name}/v1`
  const models = [{ id: 'm', price: { input: 1, output: 2 } }]
  const block = { dialect: 'openai', endpoint, api_key: 'none', models }
  // Parks are per provider: what a plain call meets must not keep the streamed one from being made.
  return ['plain', 'streamed', 'left', 'raced'].map((way) => [`${way}-${name}`, block])
})
const settings = {
  models: { raced: ['raced-silent/m', 'raced-works/m'] },
  routing: { strategy: 'priority' },
  budgets: [{ scope: 'all', usd: 100, per: 'day' }],
  timeouts: { idle_ms: 200, connect_ms: 1000, patience_ms: 50 },
}
const manager = new APIManager({
  config: { ...Object.fromEntries(blocks), settings },
  env: {},
  logger: false,
  random: () => 0,
})
const kinds = new Set<string>()
manager.on('attempt', ({ failureKind }) => failureKind !== null && kinds.add(failureKind))

const call = (way: string, name: string) => ({
  prompt: 'hi',
  model: `${way}-${name}/m`,
  maxAttempts: 1,
  timeoutMs: 500,
  // Makes an upstream that knows no tools refuse them.
  ...(name === 'unsupported' && { tools: [{ name: 'look', parameters: { type: 'object' } }] }),
})

async function stream(name: string): Promise<void> {
  let taken = 0
  for await (const _ of manager.streamWithFallback(call('streamed', name))) if (++taken === 200) return
}

/** The caller leaves while the upstream thinks. */
function leave(name: string): Promise<unknown> {
  return manager.callWithFallback({ ...call('left', name), timeoutMs: 5000, signal: AbortSignal.timeout(40) })
}

await manager.ready()
for (const name of names) {
  const ways = [manager.callWithFallback(call('plain', name)), stream(name), leave(name)]
  await Promise.allSettled(ways)
}
// The second target is asked beside the silent first one, which then ends as the slower one.
const raced = { prompt: 'hi', model: 'raced', timeoutMs: 2000 }
await Promise.all([manager.callWithFallback(raced), manager.streamWithFallback(raced).result])
const { tools, waiting, learned } = manager.engine
const reserved = learned.budgets.view(Date.now()).map(({ reservedUsd }) => reservedUsd)
await manager.close()
// A socket that is still connecting is gone when its time to connect is over.
const open = () => process.getActiveResourcesInfo().filter((name) => !/^(?:Pipe|TTY|FS)/.test(name))
const giveUpAt = performance.now() + 5000
while (open().length > 0 && performance.now() < giveUpAt) await new Promise((resolve) => setImmediate(resolve))
console.log(
  JSON.stringify({
    kinds: [...kinds],
    calls: tools.deadlines.size,
    waiting: waiting.size,
    held: learned.quota.underWay,
    reserved,
    open: open(),
  }),
)
