/**
 * Reads tables as spreadsheets and consoles write them: fields between commas, semicolons or tabs, quoted where they
 * contain one, lines that end in any way. https://www.rfc-editor.org/rfc/rfc4180
 */

/** A row by the names of its columns. */
type TableRow = ReadonlyMap<string, string>

export interface InvoiceTable {
  /** As written, without spaces around them. */
  readonly columns: readonly string[]
  readonly rows: Iterable<TableRow>
  /** Whether a comma separates decimals: then it cannot separate fields. */
  readonly separator: string
}

const SEPARATORS = [',', ';', '\t'] as const
/** Consoles write a few lines about the invoice above the table; this far it is looked for. */
const LINES_ABOVE = 40

/**
 * The table in a text. `isHead` says whether a row of cells is the head of a known table; without one, the first row
 * that is not empty is taken for it, so that an error can name its columns. Null for a text without any row.
 */
export function findTable(text: string, isHead: (cells: readonly string[]) => boolean): InvoiceTable | null {
  const begun = SEPARATORS.map((separator) => ({ separator, rows: firstRows(text, separator) }))
  for (const { separator, rows } of begun) {
    const head = rows.findIndex((cells) => isHead(cells.map((cell) => cell.trim())))
    if (head >= 0) return tableOf(text, separator, head)
  }
  const widest = begun.toSorted((a, b) => (b.rows[0]?.length ?? 0) - (a.rows[0]?.length ?? 0))[0]
  return widest?.rows[0] === undefined ? null : tableOf(text, widest.separator, 0)
}

function firstRows(text: string, separator: string): readonly (readonly string[])[] {
  const rows: (readonly string[])[] = []
  for (const cells of cellsOf(text, separator)) if (rows.push(cells) >= LINES_ABOVE) break
  return rows
}

function tableOf(text: string, separator: string, head: number): InvoiceTable {
  let columns: readonly string[] = []
  let place = 0
  for (const cells of cellsOf(text, separator))
    if (place++ === head) {
      columns = cells.map((cell) => cell.trim())
      break
    }
  return { columns, separator, rows: { [Symbol.iterator]: () => rowsBelow(text, separator, head, columns) } }
}

function* rowsBelow(text: string, separator: string, head: number, columns: readonly string[]): Generator<TableRow> {
  let place = 0
  const title = columns.join('\n')
  for (const cells of cellsOf(text, separator)) {
    if (place++ <= head) continue
    // Tables written one after another into a file repeat their head.
    if (cells.length === columns.length && cells.map((cell) => cell.trim()).join('\n') === title) continue
    yield new Map(columns.map((column, at) => [column, (cells[at] ?? '').trim()]))
  }
}

/** Rows that are not empty. A quote within a field that does not begin with one is a character like any other. */
function* cellsOf(text: string, separator: string): Generator<readonly string[]> {
  let cells: string[] = []
  let at = 0
  while (at < text.length) {
    const field = text[at] === '"' ? quotedField(text, at, separator) : plainField(text, at, separator)
    cells.push(field.value)
    at = field.end
    if (text[at] === separator) {
      at++
      if (at < text.length) continue
      cells.push('')
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at += 2
    else at++
    if (cells.some((cell) => cell.trim() !== '')) yield cells
    cells = []
  }
}

interface Field {
  readonly value: string
  /** The place behind it: a separator, an end of line, or the end of the text. */
  readonly end: number
}

function plainField(text: string, start: number, separator: string): Field {
  let end = start
  while (end < text.length && !endsField(text[end], separator)) end++
  return { value: text.slice(start, end), end }
}

function quotedField(text: string, start: number, separator: string): Field {
  let value = ''
  let at = start + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    // A quote that is never closed would swallow the rest of the file.
    if (quote < 0) return plainField(text, start, separator)
    value += text.slice(at, quote)
    at = quote + 1
    if (text[at] !== '"') break
    value += '"'
    at++
  }
  const rest = plainField(text, at, separator)
  return { value: value + rest.value, end: rest.end }
}

const endsField = (character: string | undefined, separator: string) =>
  character === separator || character === '\n' || character === '\r'
