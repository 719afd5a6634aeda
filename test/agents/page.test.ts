import { expect, test } from 'vitest'
import { type Result, withAgents, withResults } from './page.ts'

const result = (agent: string, trial: string, more: Partial<Result> = {}): Result => ({
  agent,
  trial,
  passed: true,
  answered: 3,
  refused: 0,
  unasked: [],
  date: '2026-11-30',
  ...more,
})
const FRAME = {
  agents: [
    { name: 'a', version: '1' },
    { name: 'b', version: '2' },
  ],
  trials: ['alone', 'moved', 'never run'],
  machine: '2 x one',
}

test('a table has a row for each trial that was run, and a cell says what became of it and on which day', () => {
  const results = [
    result('a', 'alone'),
    result('b', 'alone', { passed: false, refused: 2 }),
    result('b', 'moved', { unasked: ['m'], date: '2026-11-29' }),
    result('a', 'a trial that is gone'),
  ]
  const rows = withAgents('', results, FRAME)
    .split('\n')
    .filter((line) => line.startsWith('|'))
  expect(rows).toEqual([
    '| services | a 1 | b 2 |',
    '| --- | --- | --- |',
    '| alone | done, 3 | **failed**, 3 (2 refused) |',
    '| moved |  | done, 3 (without m; 2026-11-29) |',
  ])
})

test('the section is written in its place, and names the command, the day and the machine', () => {
  const page = withAgents('# Numbers\n', [result('a', 'alone')], FRAME)
  expect(page).toMatch(/^# Numbers\n\n<!-- agents -->\n## Coding agents/)
  expect(page).toContain('`npm run test:agents`, 2026-11-30, 2 x one')
  const again = withAgents(`${page}\nmore\n`, [result('a', 'alone', { answered: 9 })], FRAME)
  expect(again).toContain('done, 9')
  expect(again).not.toContain('done, 3')
  expect(again.endsWith('\nmore\n')).toBe(true)
})

test('a result takes the place of the one before it, and others stay', () => {
  const before = [result('a', 'alone'), result('b', 'alone')]
  const now = [result('b', 'alone', { passed: false })]
  expect(withResults(before, now)).toEqual([before[0], now[0]])
})
