import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Answered } from '../engine/cascade.ts'
import type { CallSink } from '../upstream/call.ts'
import { type Closing, streamOf } from './libraryStream.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A stream under way, of which more has come than a reader has taken. */
async function underWay() {
  const cancel = vi.fn()
  let sink: CallSink | null = null
  let closing: Closing | null = null
  const call = { attach: (one: CallSink) => (sink = one), resume: () => {} }
  const answered = { call } as unknown as Answered // the part that a stream reads until its end
  const stream = streamOf((own) => {
    closing = own
    return Promise.resolve({ answered, finish: () => Promise.resolve('whole'), cancel })
  })
  await vi.advanceTimersByTimeAsync(0)
  const come = (count: number) => sink?.onChunks(Array(count).fill({ type: 'text-delta', text: 'x' }), [])
  return { stream, cancel, come, close: () => closing?.cancelUnread() }
}

describe('a stream of a manager that closes', () => {
  test('is cancelled after a second when its reader has left', async () => {
    const { stream, cancel, come, close } = await underWay()
    const first = stream[Symbol.asyncIterator]().next()
    come(40)
    await first
    close()
    await vi.advanceTimersByTimeAsync(1000)
    expect(cancel).toHaveBeenCalledOnce()
  })

  test('goes on while it is read', async () => {
    const { stream, cancel, come, close } = await underWay()
    const reader = stream[Symbol.asyncIterator]()
    const first = reader.next()
    come(40)
    await first
    close()
    await reader.next()
    await vi.advanceTimersByTimeAsync(1000)
    expect(cancel).not.toHaveBeenCalled()
  })

  test('goes on when only its result is wanted', async () => {
    const { cancel, come, close } = await underWay()
    come(40)
    close()
    await vi.advanceTimersByTimeAsync(1000)
    expect(cancel).not.toHaveBeenCalled()
  })
})
