/** Runs the cells of one client: feature by feature, upstream by upstream. */

import type { Client } from './clients.ts'
import { FEATURES, type Operation } from './features.ts'
import type { Gateway } from './gateway.ts'
import type { Judge, Seen, Told } from './judge.ts'
import { limitOf } from './knownLimits.ts'
import type { Cell } from './matrix.ts'
import { type Command, Program } from './program.ts'
import { TASK } from './task.ts'
import { modelOf, UPSTREAMS } from './upstreams.ts'

const MOST_START_MS = 90_000
const MOST_CELL_MS = 30_000
/** A call that is left is ended within milliseconds; a machine may be busy. */
const MOST_LEAVE_MS = 3000

type Upstream = (typeof UPSTREAMS)[number]
type Feature = (typeof FEATURES)[number]
type Step = Feature['steps'][number]

export class Cells {
  readonly #gateway: Gateway
  readonly #client: Client
  readonly #command: Command
  #program: Program | null = null
  /** Why it cannot be started; it is not tried again. */
  #problem: string | null = null

  constructor(gateway: Gateway, client: Client, command: Command) {
    this.#gateway = gateway
    this.#client = client
    this.#command = command
  }

  async run(): Promise<Cell[]> {
    const cells: Cell[] = []
    try {
      for (const feature of FEATURES) for (const upstream of UPSTREAMS) cells.push(await this.#cell(feature, upstream))
    } finally {
      await this.#program?.end()
    }
    return cells
  }

  async #cell(feature: Feature, upstream: Upstream): Promise<Cell> {
    const place = { client: this.#client.name, feature: feature.name, upstream: upstream.name }
    const words = this.#client.lacks?.includes(feature.name) ? MISSING : await this.#failureOf(feature, upstream)
    if (words === null) return { ...place, kind: 'ok' }
    if (words === MISSING) return { ...place, kind: 'missing' }
    const reason = limitOf(place, words)
    return reason === undefined ? { ...place, kind: 'failed', words } : { ...place, kind: 'limit', words: reason }
  }

  /** What is wrong with the first step that is. */
  async #failureOf(feature: Feature, upstream: Upstream): Promise<string | null> {
    for (const step of feature.steps) {
      const model = step.kind === 'embeds' ? upstream.embeds : modelOf(upstream, step.kind)
      if (model === undefined) return MISSING
      const judge = step.judge({ model, errors: this.#client.errors })
      const words = await this.#step(step, model, judge)
      if (words !== null) return words
    }
    return null
  }

  async #step(step: Step, model: string, judge: Judge): Promise<string | null> {
    const { upstreams } = this.#gateway
    upstreams.forget()
    const told = await this.#ask(step.operation, model, step.isStranger === true)
    if (typeof told === 'string') return told
    if (told.missing) return MISSING
    if (step.operation === 'abort') await this.#leaving()
    return judge(told, this.#seen())
  }

  async #ask(operation: Operation, model: string, isStranger: boolean): Promise<Told | string> {
    const { origin, token } = this.#gateway
    const { variant = '' } = this.#client
    const program = await this.#running()
    if (typeof program === 'string') return program
    const asked = { operation, variant, origin, token: isStranger ? 'nobodys-token' : token, model, task: TASK }
    const told = await program.ask(asked, MOST_CELL_MS)
    if (told !== null) return told
    // What hangs or is gone does not answer the next cell either.
    this.#program = null
    await program.end()
    return `no answer within ${MOST_CELL_MS / 1000} s ${program.errors.slice(-200)}`.trim()
  }

  async #running(): Promise<Program | string> {
    if (this.#program !== null) return this.#program
    if (this.#problem !== null) return this.#problem
    const program = new Program(this.#command)
    if ((await program.ready(MOST_START_MS)) !== null) {
      this.#program = program
      return program
    }
    await program.end()
    this.#problem = `does not start: ${program.errors.slice(-200)}`
    return this.#problem
  }

  async #leaving(): Promise<void> {
    const end = performance.now() + MOST_LEAVE_MS
    while (!this.#seen().left && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  #seen(): Seen {
    const { calls } = this.#gateway.upstreams
    const last = calls.at(-1)
    return {
      bodies: calls.map(({ body }) => body),
      usage: last?.usage ? [last.usage.inputTokens, last.usage.outputTokens] : null,
      left: last?.left === true,
    }
  }
}

const MISSING = 'missing'
