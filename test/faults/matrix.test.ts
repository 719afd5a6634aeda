/** Every fault of the matrix has its test, and every test its fault. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GROUPS } from './matrix.ts'

const root = join(import.meta.dirname, '../..')
const rows = GROUPS.flatMap((group) => Object.entries(group.rows))
const here = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts') && name !== 'matrix.test.ts')
/** The numbers that titles of this folder begin with, skipped tests left out. */
const tested = new Set(
  here.flatMap((name) => {
    const text = readFileSync(join(import.meta.dirname, name), 'utf8').replaceAll(/\.(?:skip|todo)\([^\n]*/g, '')
    return [...text.matchAll(/['"`](F\d+) /g)].map((match) => match[1] ?? '')
  }),
)

test('the matrix has the faults F1 to F45, each once', () => {
  const ids = rows.map(([id]) => id).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
  expect(ids).toEqual(Array.from({ length: 45 }, (_, index) => `F${index + 1}`))
})

test('each has a test in this folder, or names one elsewhere, or says why it is open', () => {
  const without = rows.filter(([id, { also, open }]) => !tested.has(id) && also === undefined && open === undefined)
  expect(without.map(([id]) => id)).toEqual([])
  const open = rows.filter(([, row]) => row.open !== undefined)
  expect(open.map(([id]) => id)).toEqual(['F36', 'F37'])
  for (const [id, row] of rows) expect([id, tested.has(id) && row.open !== undefined]).toEqual([id, false])
})

test('no test of this folder is of a fault that the matrix does not have', () => {
  const known = new Set(rows.map(([id]) => id))
  expect([...tested].filter((id) => !known.has(id))).toEqual([])
})

test.each(
  rows.flatMap(([id, { also = [] }]) => also.map(([file, title]) => ({ id, file, title }))),
)('$id: $file has "$title"', ({ file, title }) => {
  expect(title).not.toBe('')
  expect(readFileSync(join(root, file), 'utf8')).toContain(title)
})
