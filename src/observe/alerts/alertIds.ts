/** Ids of alerts: unique everywhere, and those of one process sort in the order in which they were made. */

import { randomBytes } from 'node:crypto'

const MOST_IN_ONE_MS = 0x1000

/** UUIDs of version 7: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7, with a counter in `rand_a`. */
export class AlertIds {
  #at = -1
  #count = 0

  /** `now`: epoch milliseconds. A clock that stands still or is set back changes nothing about the order. */
  next(now: number): string {
    const at = Math.max(0, Math.floor(now))
    this.#count = at > this.#at ? 0 : this.#count + 1
    if (this.#count >= MOST_IN_ONE_MS) this.#count = 0
    this.#at = at > this.#at || this.#count === 0 ? Math.max(at, this.#at + 1) : this.#at
    const time = this.#at.toString(16).padStart(12, '0')
    const random = randomBytes(8)
    random[0] = 0x80 | ((random[0] ?? 0) & 0x3f)
    const tail = random.toString('hex')
    const count = this.#count.toString(16).padStart(3, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${tail.slice(0, 4)}-${tail.slice(4)}`
  }
}
