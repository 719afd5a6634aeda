/** A table of comma-separated values with a header line, plain or gzipped. */

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export interface Table {
  readonly columns: readonly string[]
  /** One object per line, cells by column; a cell that is missing is ''. */
  readonly rows: readonly CsvRow[]
}

export interface CsvRow {
  /** The cell as text; '' where the table has no such column. */
  text(column: string): string
  /** The cell as a number; NaN where there is none. */
  number(column: string): number
}

export function readTable(file: string): Table {
  const bytes = readFileSync(file)
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '')
  const columns = cellsOf(header)
  const indexes = new Map(columns.map((column, index) => [column, index]))
  return { columns, rows: lines.map((line) => rowOf(cellsOf(line), indexes)) }
}

function rowOf(cells: readonly string[], indexes: ReadonlyMap<string, number>): CsvRow {
  const text = (column: string) => cells[indexes.get(column) ?? -1] ?? ''
  return { text, number: (column) => (text(column) === '' ? Number.NaN : Number(text(column))) }
}

/** Quotes may surround a cell and are doubled inside it; a cell never contains a line break. */
function cellsOf(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',')
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const letter = line[i]!
    if (letter === '"' && quoted && line[i + 1] === '"') cell += line[++i]
    else if (letter === '"') quoted = !quoted
    else if (letter === ',' && !quoted) {
      cells.push(cell)
      cell = ''
    } else cell += letter
  }
  return [...cells, cell]
}
