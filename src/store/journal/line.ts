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
/** Of `{"e":`. */
const PREFIX = 5
const JSON_AT = CHECKSUM + 1
const VALUE_AT = JSON_AT + PREFIX
const NEWLINE = 0x0a
const BRACE = 0x7d
const HEX = Buffer.from('0123456789abcdef')
/** Nearly every line is shorter; a longer one gets a buffer of its own. */
const USUAL_BYTES = 32 * 1024

/** Writes lines into one buffer for each kind, whose beginning stays: two lines are written for every call. */
export class LineWriter {
  readonly #buffers = new Map<LineKind, Buffer>()

  /** Valid until the next call with the same kind. */
  write(kind: LineKind, value: unknown): Buffer {
    const json = JSON.stringify(value)
    // No character takes more than three bytes of UTF-8.
    const most = json.length * 3 + VALUE_AT + 2
    const buffer = most <= USUAL_BYTES ? this.#bufferOf(kind) : begun(kind, most)
    const end = VALUE_AT + buffer.write(json, VALUE_AT, 'utf8')
    buffer[end] = BRACE
    buffer[end + 1] = NEWLINE
    writeHex(buffer, crc32(buffer.subarray(JSON_AT, end + 1)))
    return buffer.subarray(0, end + 2)
  }

  #bufferOf(kind: LineKind): Buffer {
    const known = this.#buffers.get(kind)
    if (known !== undefined) return known
    const buffer = begun(kind, USUAL_BYTES)
    this.#buffers.set(kind, buffer)
    return buffer
  }
}

/** A buffer with what every line of the kind begins with, but for the checksum. */
function begun(kind: LineKind, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes)
  buffer.write(` {"${LETTERS[kind]}":`, CHECKSUM, 'latin1')
  return buffer
}

/** As `toString(16)` writes it, at the beginning of the line. */
function writeHex(buffer: Buffer, sum: number): void {
  for (let place = CHECKSUM - 1, rest = sum; place >= 0; place--, rest >>>= 4) buffer[place] = HEX[rest & 0xf] ?? 0
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
