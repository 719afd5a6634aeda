/** Lets a second of a manager's housekeeping pass when the test says so. */

import { onTestFinished, vi } from 'vitest'

/**
 * Holds the intervals of every manager that is opened from now on; the function it returns lets one second of them
 * pass. Timeouts run on, deadlines of upstream calls (an interval too) do not: not for tests in which an upstream is
 * silent.
 */
export function holdSeconds(): () => void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  return () => void vi.advanceTimersByTime(1_000)
}
