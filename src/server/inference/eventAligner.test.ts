import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventAligner } from './eventAligner.ts'

const EVENTS = ['data: {"a":"ü"}\n\n', ': ping\n\n', 'event: x\r\ndata: y\r\n\r\n', 'data: z\n\n']

function passed(bytes: Buffer, cuts: readonly number[], dropsUsage = false): string {
  const events = new EventAligner(dropsUsage)
  const pieces = [...cuts, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : cuts[index - 1], end))
  return pieces.map((piece) => events.push(piece).toString('latin1')).join('')
}

describe('EventAligner', () => {
  test('passes every byte through, however the events are split', () => {
    const bytes = Buffer.from(EVENTS.join(''))
    const cuts = fc.uniqueArray(fc.nat(bytes.length)).map((all) => all.sort((a, b) => a - b))
    fc.assert(
      fc.property(cuts, (at) => {
        expect(passed(bytes, at)).toBe(bytes.toString('latin1'))
      }),
    )
  })

  test('holds back an incomplete event, and terminates it at the end of the stream', () => {
    const events = new EventAligner(false)
    expect(events.push(Buffer.from('data: 1\n\ndata: [DO')).toString()).toBe('data: 1\n\n')
    expect(events.push(Buffer.from('NE]')).toString()).toBe('')
    expect(events.end().toString()).toBe('data: [DONE]\n\n')
    expect(events.end().toString()).toBe('')
  })

  test('drops usage that was not requested, however it is split', () => {
    const kept = 'data: {"choices":[{"delta":{"content":"\\"choices\\":[]"}}],"usage":null}\n\n'
    const bytes = Buffer.from(`${kept}data: {"choices":[],"usage":{"total_tokens":3}}\n\ndata: [DONE]\n\n`)
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(passed(bytes, [cut], true)).toBe(`${kept}data: [DONE]\n\n`)
      expect(passed(bytes, [cut])).toBe(bytes.toString())
    }
  })
})
