/** What happened in a simulated world: a digest of all of it, the latest of it in words, and what must not have been. */

import { createHash } from 'node:crypto'

/** Whom an event is about, so that the events around a violation can be told from all others. */
interface About {
  readonly request?: number | null
  /** `provider/model#key` */
  readonly target?: string
  readonly process?: string
}

export interface Violation {
  /** The rule, as in docs/simulation.md. */
  readonly rule: string
  readonly message: string
  /** The events around it that are about the same request, target or process, oldest first. */
  readonly trace: readonly string[]
}

interface Line {
  readonly text: string
  readonly about: About
}

/** Lines kept for traces. */
const KEPT = 4_000
/** Lines shown of what is about the same target or process, but not about the same request. */
const SHOWN = 25

export class History {
  readonly violations: Violation[] = []
  readonly #hash = createHash('sha256')
  readonly #startsAt: number
  readonly #monotonic: () => number
  #lines: Line[] = []

  constructor(startsAt: number, monotonic: () => number) {
    this.#startsAt = startsAt
    this.#monotonic = monotonic
  }

  note(text: string, about: About = {}): void {
    const line = { text: `${this.#time()} ${text}`, about }
    this.#hash.update(line.text)
    this.#lines.push(line)
    if (this.#lines.length >= 2 * KEPT) this.#lines = this.#lines.slice(-KEPT)
  }

  violated(rule: string, message: string, about: About = {}): void {
    // The first one is looked at; the others are often its consequences.
    if (this.violations.length >= 20) return
    this.violations.push({ rule, message: `${this.#time()} ${message}`, trace: this.#around(about) })
  }

  /** Of everything that happened. */
  get digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  #around({ request, target, process }: About): readonly string[] {
    const isOwn = ({ about }: Line) => request != null && about.request === request
    const isNear = ({ about }: Line) =>
      (target !== undefined && about.target === target) || (process !== undefined && about.process === process)
    const near = new Set(this.#lines.filter((line) => !isOwn(line) && isNear(line)).slice(-SHOWN))
    return this.#lines.filter((line) => isOwn(line) || near.has(line)).map(({ text }) => text)
  }

  /** `2026-11-24 00:00:12.345` by the world's own clock. */
  #time(): string {
    return new Date(this.#startsAt + this.#monotonic()).toISOString().replace('T', ' ').slice(0, 23)
  }
}
