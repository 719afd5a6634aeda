/**
 * A collection for what comes and goes with every request. A `Set` would do, were it not for the garbage collector: a
 * set that is added to and deleted from gets a new table every few requests, and the table it leaves points to the new
 * one. One such table that has grown old keeps all that follow, and every request in them, until the next full
 * collection. With sets a gateway under load promoted 11 KB a request, and a sixth of its time went into that.
 */
export class Bag<T> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** An item that is in there already is in there twice. */
  add(item: T): void {
    this.#items.push(item)
  }

  /** Takes one out. Returns whether it was in there. Who came first usually leaves first, so this finds it soon. */
  delete(item: T): boolean {
    const items = this.#items
    const place = items.indexOf(item)
    if (place < 0) return false
    const last = items.pop()
    if (last !== undefined && place < items.length) items[place] = last
    return true
  }

  /** In no order. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values()
  }

  /** Visits everything that was in there at the beginning; a visit may take its own item out. */
  forEach(visit: (item: T) => void): void {
    for (let place = this.#items.length - 1; place >= 0; place--) {
      const item = this.#items[place]
      if (item !== undefined) visit(item)
    }
  }
}
