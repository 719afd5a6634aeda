/**
 * What happens when, on a virtual clock: a binary heap of moments. Things of one moment happen in the order they were
 * added.
 */

interface AgendaItem {
  readonly at: number
  readonly order: number
  readonly happen: () => void
}

export class Agenda {
  readonly #heap: AgendaItem[] = []
  #added = 0

  add(at: number, happen: () => void): void {
    const item = { at, order: this.#added++, happen }
    let index = this.#heap.push(item) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(item, this.#heap[parent]!)) break
      this.#heap[index] = this.#heap[parent]!
      index = parent
    }
    this.#heap[index] = item
  }

  /** Lets everything happen, also what is added meanwhile. */
  finish(): void {
    for (let item = this.#take(); item !== undefined; item = this.#take()) item.happen()
  }

  #take(): AgendaItem | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    this.#sink(last)
    return first
  }

  #sink(item: AgendaItem): void {
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#heap.length) break
      if (child + 1 < this.#heap.length && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++
      if (!isBefore(this.#heap[child]!, item)) break
      this.#heap[index] = this.#heap[child]!
      index = child
    }
    this.#heap[index] = item
  }
}

function isBefore(one: AgendaItem, other: AgendaItem): boolean {
  return one.at !== other.at ? one.at < other.at : one.order < other.order
}
