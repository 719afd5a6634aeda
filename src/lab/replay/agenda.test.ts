import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Agenda } from './agenda.ts'

test('things happen in the order of their times, those of one moment as they were added', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (times) => {
      const agenda = new Agenda()
      const happened: { at: number; index: number }[] = []
      for (const [index, at] of times.entries()) agenda.add(at, () => happened.push({ at, index }))
      agenda.finish()
      const expected = times.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at || a.index - b.index)
      expect(happened).toEqual(expected)
    }),
    { numRuns: 200 },
  )
})

test('what is added meanwhile happens too', () => {
  const agenda = new Agenda()
  const seen: string[] = []
  agenda.add(1, () => {
    seen.push('one')
    agenda.add(2, () => seen.push('two'))
  })
  agenda.add(3, () => seen.push('three'))
  agenda.finish()
  expect(seen).toEqual(['one', 'two', 'three'])
})
