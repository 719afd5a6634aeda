/** One line per request: caller, model, target, result and cost; never contents. Written in batches. */

import type { Logger } from '../domain/logger.ts'
import { printable } from '../domain/printable.ts'
import { decimalOf } from '../money/amount.ts'
import type { ObservedRequest } from './handler.ts'

const BATCH_MS = 250
/** A batch this large is written at once. */
const FULL_BATCH = 64

export class AccessLog {
  readonly #logger: Logger | null
  readonly #isOn: () => boolean
  #lines: string[] = []
  #timer: NodeJS.Timeout | undefined

  /** With null, no log is written, and none while `isOn` says no. */
  constructor(logger: Logger | null, isOn: () => boolean) {
    this.#logger = logger
    this.#isOn = isOn
  }

  add({ id, dialect, model, token, status, report, attempts, totalMs }: ObservedRequest): void {
    if (this.#logger === null || !this.#isOn()) return
    const target = printable(report?.target ?? '-')
    const cost = costText(report?.costUsd ?? report?.costAtLeastUsd, report?.costUsd == null)
    this.#lines.push(
      `${id} ${token} ${dialect} ${oneWord(model)} ${status} ${target} ${attempts.length}x ${Math.round(totalMs)}ms ${report?.usage?.totalTokens ?? 0}t${cost}`,
    )
    if (this.#lines.length >= FULL_BATCH) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS)
  }

  close(): void {
    this.#flush()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lines.length === 0) return
    this.#logger?.info(this.#lines.join('\n'))
    this.#lines = []
  }
}

function costText(usd: number | undefined, isAtLeast: boolean): string {
  if (usd === undefined) return ''
  return ` ${isAtLeast ? '>=' : ''}$${decimalOf(usd)}`
}

/** A model's name comes from the client: strip line breaks and limit the length. */
function oneWord(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 120) || '-'
}
