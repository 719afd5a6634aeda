/** Runs long work in slices, so that everything else of this process is served in between. */

/** Resolves with what the generator returns. `pause` is waited for at each `yield`; default: one turn of the event loop. */
export async function inTurns<T>(work: Generator<undefined, T>, pause: () => Promise<void> = nextTurn): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    await pause()
  }
}

/** Resolves when everything that waits was served. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
