/** How the command line prints: tables for people, JSON for programs, colours only on a terminal that wants them. */

import { styleText } from 'node:util'
import { printable, printableJson, printableLines } from '../domain/printable.ts'
import { formatUsd, NANO_PER_USD } from '../money/amount.ts'
import { UsageError } from './command.ts'

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan'

/** Everything printed is cleaned of what steers a terminal: names and messages come from providers and clients. */
export interface Printer {
  /** One line: a line break in the text is no line break. */
  line(text?: string): void
  /** A text of several lines. */
  lines(text: string): void
  /** A piece of a text of several lines, without a trailing newline. */
  write(text: string): void
  /** Clears the screen, if the output is a terminal. */
  clear(): void
  json(value: unknown): void
  /** Columns as wide as their content; the last one is cut to the width of the terminal. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void
  paint(style: Style, text: string): string
}

export function printer(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Printer {
  const colours = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const paint = (style: Style, text: string) => (colours ? styleText(style, text, { validateStream: false }) : text)
  const clean = (text: string, of: (text: string) => string) => (colours ? exceptColours(text, of) : of(text))
  const line = (text = '') => void stream.write(`${clean(text, printable)}\n`)
  return {
    paint,
    line,
    lines: (text) => void stream.write(`${clean(text, printableLines)}\n`),
    write: (text) => void stream.write(clean(text, printableLines)),
    // Cursor home, then erase below: no flicker, and the scrollback is preserved.
    clear: () => void (stream.isTTY && stream.write('\u001b[H\u001b[J')),
    json: (value) => void stream.write(`${jsonText(value)}\n`),
    table(head, raw) {
      const rows = raw.map((row) => row.map((cell) => clean(cell, printable)))
      const widths = head.map((title, column) =>
        Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(widthOf)),
      )
      const most = stream.isTTY ? (stream.columns ?? 120) : Number.POSITIVE_INFINITY
      line(paint('bold', layOut(head, widths, most)))
      for (const row of rows) line(layOut(row, widths, most))
    },
  }
}

function layOut(cells: readonly string[], widths: readonly number[], most: number): string {
  const text = cells
    .map((cell, column) =>
      column === cells.length - 1 ? cell : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))),
    )
    .join('  ')
    .trimEnd()
  return widthOf(text) <= most ? text : `${[...text].slice(0, most - 1).join('')}…`
}

// Emoji such as ✅ take two columns; colour codes take none.
const WIDE = /[\u{1F300}-\u{1FAFF}\u2705\u274C\u26A1]/gu
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
const COLOUR = /\u001b\[(?:1|2|22|31|32|33|36|39)m/g

/** Only our own colours are left. */
function exceptColours(text: string, clean: (text: string) => string): string {
  const colours = text.match(COLOUR) ?? []
  return text
    .split(COLOUR)
    .map((piece, place) => clean(piece) + (colours[place] ?? ''))
    .join('')
}

/** JSON for a terminal and for programs: what would steer the one is escaped, and the other reads the same. */
export function jsonText(value: unknown): string {
  return printableJson(JSON.stringify(value, null, 2))
}

// What keywise itself writes: colours, and the cursor of grids that are drawn again.
// biome-ignore lint/suspicious/noControlCharactersInRegex: both begin with one
const OWN_CODES = /\u001b\[(?:(?:1|2|22|31|32|33|36|39)m|H|J|1A|2K)/g

/**
 * The stream with the last cleaner before it, for whatever is written past a printer: on a terminal only codes that
 * keywise itself writes are left, elsewhere none.
 */
export function cleanStream(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  const cleaned = (text: string) => {
    const codes = stream.isTTY === true ? (text.match(OWN_CODES) ?? []) : []
    const pieces = stream.isTTY === true ? text.split(OWN_CODES) : [text]
    return pieces.map((piece, place) => printableLines(piece) + (codes[place] ?? '')).join('')
  }
  const write = (chunk: unknown, ...rest: unknown[]) =>
    Reflect.apply(stream.write, stream, [typeof chunk === 'string' ? cleaned(chunk) : chunk, ...rest])
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'write') return write
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function widthOf(text: string): number {
  const plain = text.replace(COLOUR, '')
  return [...plain].length + (plain.match(WIDE)?.length ?? 0)
}

/** `0.85`, or `-` when there is no number. */
export function decimal(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined ? '-' : value.toFixed(digits)
}

/** `1.2 s`, `850 ms`, `-`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '-'
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** `40 s`, `12 min`, `3 h`, `9 days`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}

/** `08:00 UTC`, with the date when it is not today. */
export function clockText(iso: string, now = Date.now()): string {
  const time = `${iso.slice(11, 16)} UTC`
  return iso.slice(0, 10) === new Date(now).toISOString().slice(0, 10) ? time : `${iso.slice(0, 10)} ${time}`
}

/** `$0.0042`; as many digits as it takes to show a non-zero amount. */
export function dollars(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return '?'
  if (usd === 0) return '$0'
  return formatUsd(Math.round(usd * NANO_PER_USD))
}

/** Reads a whole number from an option; throws an error that names the option. */
export function wholeNumber(value: unknown, flag: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0)
    throw new UsageError(`${flag} takes a whole number, not ${JSON.stringify(value)}`)
  return number
}

/** `1 key`, `2 keys`. */
export const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
