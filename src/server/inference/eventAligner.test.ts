import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventAligner } from './eventAligner.ts'
import { type UsageFilter, UsageInFinish, withoutUsage } from './usageFilter.ts'

const EVENTS = ['data: {"a":"ü"}\n\n', ': ping\n\n', 'event: x\r\ndata: y\r\n\r\n', 'data: z\n\n']

function passed(bytes: Buffer, cuts: readonly number[], filter: UsageFilter | null = null): string {
  const events = new EventAligner(filter)
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
    const events = new EventAligner(null)
    expect(events.push(Buffer.from('data: 1\n\ndata: [DO')).toString()).toBe('data: 1\n\n')
    expect(events.push(Buffer.from('NE]')).toString()).toBe('')
    expect(events.end().toString()).toBe('data: [DONE]\n\n')
    expect(events.end().toString()).toBe('')
  })

  const text = 'data: {"choices":[{"delta":{"content":"\\"choices\\":[],\\"usage\\":null"}}]'
  const finish = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]'
  const usage = '{"total_tokens":3}'
  const done = 'data: [DONE]\n\n'

  test.each([
    [',"usage":null}', ''],
    [',"usage": null}', ''],
    [', "usage": null}', ''],
    [',"usage":null,"obfuscation":"x"}', ',"obfuscation":"x"'],
  ])('takes out usage that was not requested, however it is written and split: %s', (ends, left) => {
    const last = `data: {"choices":[],"usage":${usage}}\n\n`
    const bytes = Buffer.from(`${text}${ends}\n\n${finish}${ends}\n\n${last}${done}`)
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(passed(bytes, [cut], withoutUsage)).toBe(`${text}${left}}\n\n${finish}${left}}\n\n${done}`)
      expect(passed(bytes, [cut])).toBe(bytes.toString())
      const moved = `${finish}${left},"usage":${usage}}\n\n`
      expect(passed(bytes, [cut], new UsageInFinish(['usage']))).toBe(`${text}${left}}\n\n${moved}${done}`)
      const deeper = `${finish}${left},"x":{"usage":${usage}}}\n\n`
      expect(passed(bytes, [cut], new UsageInFinish(['x', 'usage']))).toBe(`${text}${left}}\n\n${deeper}${done}`)
    }
  })

  test('takes out usage that is the first field, and leaves the word elsewhere', () => {
    const words = 'data: {"choices":[{"delta":{"content":"usage"},"stop":["usage",null]}]}\n\n: "usage"\n\n'
    const bytes = Buffer.from(`data: {"usage": null, "id":"c1"}\n\ndata: {"usage":null}\n\n${words}`)
    expect(passed(bytes, [], withoutUsage)).toBe(`data: {"id":"c1"}\n\ndata: {}\n\n${words}`)
  })

  test('leaves a chunk without choices that says more than usage, and usage beside a choice', () => {
    const filters = 'data: {"choices":[],"id":"","prompt_filter_results":[]'
    const bytes = Buffer.from(`${filters},"usage":null}\n\n${finish},"usage":${usage}}\n\n${done}`)
    for (const filter of [withoutUsage, new UsageInFinish(['usage'])])
      expect(passed(bytes, [], filter)).toBe(`${filters}}\n\n${finish},"usage":${usage}}\n\n${done}`)
  })

  test('lets the finish go when no usage follows it', () => {
    const events = new EventAligner(new UsageInFinish(['usage']))
    expect(events.push(Buffer.from(`${finish}}\n\n`)).toString()).toBe('')
    expect(events.push(Buffer.from(': ping\n\n')).toString()).toBe(`${finish}}\n\n: ping\n\n`)
    expect(events.push(Buffer.from(`${finish}}\n\n`)).toString()).toBe('')
    expect(events.end().toString()).toBe(`${finish}}\n\n`)
  })
})
