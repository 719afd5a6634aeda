/**
 * The lines of a journal: a checksum, a space, JSON. JSON has no line breaks of its own, so a line that was cut off, or
 * damaged, costs itself alone; what follows it is read.
 */

import { crc32 } from 'node:zlib'
import { asRecord } from '../../domain/json.ts'
import type { AttemptEvent, BegunCall, Holding, StoreEvent } from '../../domain/store.ts'

export type JournalRecord =
  | { readonly kind: 'event'; readonly value: StoreEvent }
  | { readonly kind: 'undecided'; readonly value: AttemptEvent }
  | { readonly kind: 'begun'; readonly value: BegunCall }
  | { readonly kind: 'holding'; readonly value: Holding }

/** One letter each, the first of every line's JSON. */
const LETTERS = { header: 'k', event: 'e', undecided: 'u', begun: 'b', holding: 'h' } as const
type LineKind = keyof typeof LETTERS
const KINDS: ReadonlyMap<string, LineKind> = new Map(
  Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as LineKind]), // their own keys
)

const CHECKSUM = 8
const JSON_AT = CHECKSUM + 1
/** Behind the checksum, `{"e":`. */
const VALUE_AT = JSON_AT + 5
const NEWLINE = 0x0a
const BRACE = 0x7d
const HEX = Buffer.from('0123456789abcdef')
const USUAL_BYTES = 64 * 1024

/** Collects lines in one buffer, to be written at once. */
export class LineWriter {
  #buffer = Buffer.allocUnsafeSlow(USUAL_BYTES)
  #end = 0

  /** `json` without line breaks. */
  add(kind: LineKind, json: string): void {
    const start = this.#end
    // No character takes more than three bytes of UTF-8.
    const buffer = this.#withRoom(json.length * 3 + VALUE_AT + 2)
    buffer.write(` {"${LETTERS[kind]}":`, start + CHECKSUM, 'latin1')
    const end = start + VALUE_AT + buffer.write(json, start + VALUE_AT, 'utf8')
    buffer[end] = BRACE
    buffer[end + 1] = NEWLINE
    writeHex(buffer, start, crc32(buffer.subarray(start + JSON_AT, end + 1)))
    this.#end = end + 2
  }

  /** Everything since the last time; valid until the next line. */
  take(): Buffer {
    const lines = this.#buffer.subarray(0, this.#end)
    this.#end = 0
    // A long line is rare, and its buffer not worth keeping.
    if (this.#buffer.length > USUAL_BYTES) this.#buffer = Buffer.allocUnsafeSlow(USUAL_BYTES)
    return lines
  }

  #withRoom(bytes: number): Buffer {
    if (this.#end + bytes <= this.#buffer.length) return this.#buffer
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#buffer.length, this.#end + bytes))
    this.#buffer.copy(larger, 0, 0, this.#end)
    this.#buffer = larger
    return larger
  }
}

/** As `toString(16)` writes it, at the beginning of the line. */
function writeHex(buffer: Buffer, start: number, sum: number): void {
  for (let place = start + CHECKSUM - 1, rest = sum; place >= start; place--, rest >>>= 4)
    buffer[place] = HEX[rest & 0xf] ?? 0
}

interface ReadLines {
  /** Of the first line; undefined where that is none, or damaged. */
  readonly header: unknown
  readonly records: readonly JournalRecord[]
  /** Lines that were damaged. One that was cut off at the end does not count: it was never promised. */
  readonly damaged: number
}

export function readLines(bytes: Buffer): ReadLines {
  const records: JournalRecord[] = []
  let header: unknown
  let damaged = 0
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, from)
    if (end < 0) break
    const line = bytes.subarray(from, end)
    const read = readLine(line)
    if (read === undefined) damaged += line.length > 0 ? 1 : 0
    else if (read.kind === 'header') header ??= read.value
    else records.push(read as JournalRecord) // written by keywise, as its checksum says
    from = end + 1
  }
  return { header, records, damaged }
}

function readLine(line: Buffer): { readonly kind: LineKind; readonly value: unknown } | undefined {
  const json = line.subarray(JSON_AT)
  if (line.toString('latin1', 0, CHECKSUM) !== checksum(json)) return undefined
  try {
    const [entry] = Object.entries(asRecord(JSON.parse(json.toString('utf8'))) ?? {})
    const kind = KINDS.get(entry?.[0] ?? '')
    return kind === undefined ? undefined : { kind, value: entry?.[1] }
  } catch {
    return undefined
  }
}

const checksum = (bytes: Buffer) => crc32(bytes).toString(16).padStart(CHECKSUM, '0')
