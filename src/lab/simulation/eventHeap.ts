/** What is to happen on a simulated machine, the soonest first; what is due at the same time happens in the order of planning. */

/** A program that runs on the machine until it ends or is killed. What it has planned ends with it. */
export interface MachineProcess {
  readonly name: string
  isAlive: boolean
}

export interface HeapEvent {
  /** Milliseconds since the machine was started. */
  readonly at: number
  readonly order: number
  /** Of a program; everything else comes from the world around it. */
  readonly isTimer: boolean
  /** It was called off. */
  isOff: boolean
  /** Nothing happens for a process that was killed. */
  readonly owner: MachineProcess | null
  readonly happen: () => void
}

export class EventHeap {
  readonly #events: HeapEvent[] = []

  add(event: HeapEvent): void {
    const events = this.#events
    let place = events.push(event) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      if (!isSooner(event, events[above]!)) break
      events[place] = events[above]!
      place = above
    }
    events[place] = event
  }

  take(): HeapEvent | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (last !== undefined && last !== first) this.#sink(last)
    return first
  }

  count(wanted: (event: HeapEvent) => boolean): number {
    return this.#events.reduce((sum, event) => sum + (wanted(event) ? 1 : 0), 0)
  }

  /** Puts an event into the place of the first one, and down from there. */
  #sink(event: HeapEvent): void {
    const events = this.#events
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= events.length) break
      if (below + 1 < events.length && isSooner(events[below + 1]!, events[below]!)) below++
      if (!isSooner(events[below]!, event)) break
      events[place] = events[below]!
      place = below
    }
    events[place] = event
  }
}

function isSooner(one: HeapEvent, other: HeapEvent): boolean {
  return one.at !== other.at ? one.at < other.at : one.order < other.order
}
