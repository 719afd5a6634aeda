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
const NEWLINE = 0x0a
/** Nearly every line is shorter; a longer one gets a buffer of its own. */
const USUAL_BYTES = 32 * 1024

/** Writes lines into one buffer, which is used again for each. */
export class LineWriter {
  readonly #buffer = Buffer.allocUnsafe(USUAL_BYTES)

  /** Valid until the next call. */
  write(kind: LineKind, value: unknown): Buffer {
    const json = `{"${LETTERS[kind]}":${JSON.stringify(value)}}`
    // No character takes more than three bytes of UTF-8.
    const most = json.length * 3 + CHECKSUM + 2
    const buffer = most <= USUAL_BYTES ? this.#buffer : Buffer.allocUnsafe(most)
    const end = CHECKSUM + 1 + buffer.write(json, CHECKSUM + 1, 'utf8')
    buffer.write(checksum(buffer.subarray(CHECKSUM + 1, end)), 0, 'latin1')
    buffer[CHECKSUM] = 0x20
    buffer[end] = NEWLINE
    return buffer.subarray(0, end + 1)
  }
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
  const json = line.subarray(CHECKSUM + 1)
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
