/** What a call of the library costs more than a bare dispatch of undici to the same server, with 100 targets. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import OpenAI from 'openai'
import { Agent, type Dispatcher } from 'undici'
import { APIManager } from '../src/index.ts'
import { machine, measure, parallel, us } from './measure.ts'

const prompt = 'Summarise the state of the supervisor. '.repeat(15)

export async function benchCall(): Promise<string[]> {
  const upstream = spawn(process.execPath, [join(import.meta.dirname, 'upstream.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(upstream.stdout, 'data')
  const origin = `http://127.0.0.1:${String(line).trim()}`
  const models = Array.from({ length: 20 }, (_, index) => `model-${index}`)
  const config = Object.fromEntries(
    ['a', 'b', 'c', 'd', 'e'].map((name) => [
      `provider-${name}`,
      { dialect: 'openai', endpoint: `${origin}/v1`, api_key: `bench-${name}-${'0'.repeat(20)}`, models },
    ]),
  )
  const manager = new APIManager({ config, logger: false })
  const agent = new Agent()
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'bench' })
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: prompt }] })
  const width = 16
  const results = await measure(
    [
      { name: 'bare undici dispatch', run: (count) => parallel(count, width, () => bareDispatch(agent, origin, body)) },
      {
        name: 'callWithFallback, 100 targets',
        run: (count) => parallel(count, width, () => manager.callWithFallback({ prompt })),
      },
      {
        name: 'openai SDK',
        run: (count) =>
          parallel(count, width, () =>
            client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: prompt }] }),
          ),
      },
    ],
    4000,
    7,
  )
  await manager.close()
  await agent.close()
  upstream.kill()
  const bare = results[0]
  return results.map(
    (one) =>
      `${one.name}: least ${us(one.leastUs)}, median ${us(one.medianUs)}, over bare ${us(one.leastUs - (bare?.leastUs ?? 0))} / ${us(one.medianUs - (bare?.medianUs ?? 0))}`,
  )
}

function bareDispatch(agent: Agent, origin: string, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    agent.dispatch(
      {
        origin,
        path: '/v1/chat/completions',
        method: 'POST',
        body,
        headers: ['content-type', 'application/json', 'authorization', 'Bearer bench'],
      },
      new Collect(resolve, reject),
    )
  })
}

class Collect implements Dispatcher.DispatchHandler {
  readonly #parts: Buffer[] = []
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: Error) => void

  constructor(resolve: (value: unknown) => void, reject: (error: Error) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(): void {}
  onResponseStart(): void {}

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#parts.push(chunk)
  }

  onResponseEnd(): void {
    this.#resolve(JSON.parse(Buffer.concat(this.#parts).toString('utf8')))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error)
  }
}

if (import.meta.main) {
  console.log(machine())
  for (const line of await benchCall()) console.log(line)
}
