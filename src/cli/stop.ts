/** Commands that run until they are stopped. */

import type { ExitCode } from './command.ts'

/**
 * Resolves when the seconds are over (0), at SIGTERM (0), or at Ctrl-C (0; 130 when a given time is not yet over). The
 * seconds count from `begun`; default: at once.
 */
export function untilStopped(seconds: number | undefined, begun: Promise<void> = Promise.resolve()): Promise<ExitCode> {
  return new Promise((resolve) => {
    // Deliberately kept referenced: without a server, only this timer keeps the process alive.
    const alive = setInterval(() => {}, 2 ** 30)
    let timer: NodeJS.Timeout | undefined
    let isOver = false
    if (seconds !== undefined)
      void begun.then(() => {
        if (!isOver) timer = setTimeout(() => finish(0), seconds * 1000)
      })
    const finish = (code: ExitCode) => {
      isOver = true
      clearInterval(alive)
      clearTimeout(timer)
      process.off('SIGINT', interrupted)
      process.off('SIGTERM', terminated)
      resolve(code)
    }
    const interrupted = () => finish(seconds === undefined ? 0 : 130)
    const terminated = () => finish(0)
    process.once('SIGINT', interrupted)
    process.once('SIGTERM', terminated)
  })
}

/** For commands that end by themselves: a signal aborted by Ctrl-C, and a function that removes the listener. */
export function interrupted(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort()
  process.once('SIGINT', abort)
  process.once('SIGTERM', abort)
  return {
    signal: controller.signal,
    release() {
      process.off('SIGINT', abort)
      process.off('SIGTERM', abort)
    },
  }
}
