/** Starts the gateway of a soak and asks it what it holds. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { HeapState, SoakState } from './gateway.ts'

export const SOAK_TOKEN = `soak-inference-${'s'.repeat(20)}`
/** Connections that are kept alive need this long to close. */
const LONGEST_QUIET_MS = 90_000

export class GatewayProcess {
  readonly origin: string
  readonly #child: ReturnType<typeof fork>

  private constructor(child: ReturnType<typeof fork>, origin: string) {
    this.#child = child
    this.origin = origin
  }

  static async start(config: object): Promise<GatewayProcess> {
    const child = fork(join(import.meta.dirname, 'gateway.ts'), [], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'],
      env: { ...process.env, KEYWISE_TOKEN: SOAK_TOKEN, SOAK_CONFIG: JSON.stringify(config) },
    })
    const [{ origin }] = (await once(child, 'message')) as [{ origin: string }] // the first thing it says
    return new GatewayProcess(child, origin)
  }

  /** After a collection of garbage. */
  heap(): Promise<HeapState> {
    return this.#tell<HeapState>('heap')
  }

  /** One question at a time: the next message is the answer. */
  async #tell<T>(question: 'heap' | 'state'): Promise<T> {
    this.#child.send(question)
    const [answer] = (await once(this.#child, 'message')) as [T]
    return answer
  }

  state(): Promise<SoakState> {
    return this.#tell<SoakState>('state')
  }

  /** The state once no more is open than there was before; the last one if that never happens. */
  async quiet(before: SoakState): Promise<SoakState> {
    const giveUpAt = performance.now() + LONGEST_QUIET_MS
    for (;;) {
      const state = await this.state()
      if (leaksOf(before, state).length === 0 || performance.now() > giveUpAt) return state
      await new Promise((resolve) => setTimeout(resolve, 3_000))
    }
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}

const COUNTED = ['calls', 'holds', 'sockets', 'timers', 'descriptors', 'waiting', 'reserved'] as const

/** What is open afterwards and was not before: `timers 3, before 2`. */
export function leaksOf(before: SoakState, after: SoakState): readonly string[] {
  return COUNTED.filter((name) => after[name] > before[name]).map(
    (name) => `${name} ${after[name]}, before ${before[name]}`,
  )
}
