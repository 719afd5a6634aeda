/** A whole gateway over simulated providers, in this process: what the tests of the outside talk to. */

import { type FakeOptions, type FakeWorld, startFakeProviders } from '../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../src/lab/fake/scenario.ts'
import { type RunningGateway, startGateway } from '../../src/server/serve.ts'

export interface GatewayWorld extends AsyncDisposable {
  readonly gateway: RunningGateway
  readonly fakes: FakeWorld
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly token: string
  readonly adminToken: string
  /** Everything that was logged. */
  readonly logged: readonly string[]
  /** A request with the inference token; a body is sent as JSON. */
  ask(path: string, body?: unknown, headers?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response>
  close(): Promise<void>
}

export interface WorldOptions extends FakeOptions {
  /** Maximum milliseconds without progress before a stalled client is disconnected. */
  readonly clientStallMs?: number
  readonly settings?: object
  /** Providers in the place of the simulated ones, or beside them. */
  readonly providers?: object
  readonly clock?: () => number
  readonly monotonic?: () => number
  /** Changes the blocks of the simulated providers. */
  readonly reconfigure?: (config: Record<string, Record<string, unknown>>) => object
  /** Default `memory:`. */
  readonly store?: string
  /** Read the models of every provider from its list, those that only embed as well. */
  readonly discover?: boolean
}

export const TOKEN = `test-inference-${'t'.repeat(20)}`
export const ADMIN_TOKEN = `test-admin-${'a'.repeat(20)}`

export async function openGateway(scenario: FakeScenario, options: WorldOptions = {}): Promise<GatewayWorld> {
  const fakes = await startFakeProviders(scenario, options)
  const logged: string[] = []
  const log = (line: string) => void logged.push(line)
  const gateway = await startGateway({
    config: { ...providersOf(fakes, options), ...options.providers, settings: options.settings ?? {} },
    store: options.store ?? 'memory:',
    port: 0,
    env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: ADMIN_TOKEN },
    logger: { info: log, warn: log, error: log },
    // The pauses before a second try.
    sleep: () => Promise.resolve(),
    ...(options.clock !== undefined && { now: options.clock }),
    ...(options.monotonic !== undefined && { monotonic: options.monotonic }),
    ...(options.clientStallMs !== undefined && { clientStallMs: options.clientStallMs }),
  })
  await gateway.opened.ready()
  const { engine } = gateway.opened
  const listed = () => new Set(engine.registry.targets.map((target) => target.provider)).size
  if (options.discover) await until(() => listed() === Object.keys(scenario.providers).length, 'the last models list')
  const { origin } = gateway.app
  let closing: Promise<void> | null = null
  const closeAll = async () => {
    await gateway.close(0)
    await fakes.close()
  }
  const close = () => {
    closing ??= closeAll()
    return closing
  }
  return {
    gateway,
    fakes,
    origin,
    token: TOKEN,
    adminToken: ADMIN_TOKEN,
    logged,
    ask: (path, body, headers = {}, signal) =>
      fetch(origin + path, {
        ...(body !== undefined && { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
        ...(signal !== undefined && { signal }),
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function providersOf(fakes: FakeWorld, { discover, reconfigure }: WorldOptions): object {
  if (reconfigure !== undefined) return reconfigure(fakes.config())
  const blocks = Object.entries(fakes.config())
  return Object.fromEntries(blocks.map(([id, block]) => [id, discover ? { ...block, models: 'discover' } : block]))
}

/** Waits until something holds, a turn of the event loop at a time. Throws after many turns. */
export async function until(holds: () => boolean, what = 'it'): Promise<void> {
  const end = performance.now() + 15_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what} did not happen within 15 s`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
