/** Replays recorded streams: as the bytes an upstream sends, cut where a test wants them cut. */

import { readdirSync } from 'node:fs'
import type { StreamReader } from '../../src/dialects/dialect.ts'
import { type SseEvent, SseReader } from '../../src/dialects/stream/sse.ts'
import type { ChatChunk } from '../../src/domain/chat.ts'
import { hasTestData, readTestData, testDataPath } from './testData.ts'

export interface RecordedStream {
  readonly name: string
  /** The data of each event. */
  readonly lines: readonly string[]
}

/** The recordings of a provider's folder whose name ends so; none without test data. */
export function recordings(folder: string, ending: string): readonly string[] {
  if (!hasTestData) return []
  return readdirSync(testDataPath('fixtures', folder)).filter((name) => name.endsWith(ending))
}

/** The streams of a folder. A recording of several answers in a row (one per `response.created`) is several streams. */
export function recordedStreams(folder: string): readonly RecordedStream[] {
  return recordings(folder, '.chunks.txt').flatMap((name) => {
    const streams: string[][] = []
    for (const line of readTestData('fixtures', folder, name).split('\n')) {
      if (line === '') continue
      if (streams.length === 0 || line.startsWith('{"type":"response.created"')) streams.push([])
      streams.at(-1)?.push(line)
    }
    return streams.map((lines, index) => ({ name: `${folder}/${name}${index === 0 ? '' : ` (${index + 1})`}`, lines }))
  })
}

/** The bytes of a stream of bare data lines, closed by `[DONE]`. */
export function chatBytes(lines: readonly string[]): Uint8Array {
  return Buffer.from(`${lines.map((line) => `data: ${line}\n\n`).join('')}data: [DONE]\n\n`)
}

/** The bytes of a stream whose events are named after their data's `type`. */
export function typedBytes(lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.map((line) => `event: ${JSON.parse(line).type}\ndata: ${line}\n\n`).join(''))
}

/** All chunks that the reader makes of the bytes, given to it in pieces that end at `cuts`. */
export function replay(reader: StreamReader, bytes: Uint8Array, cuts: readonly number[] = []): ChatChunk[] {
  const sse = new SseReader()
  const chunks: ChatChunk[] = []
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    for (const { event, data } of sse.push(bytes.subarray(from, to))) chunks.push(...reader.push(event, data))
    from = to
  }
  for (const { event, data } of sse.end()) chunks.push(...reader.push(event, data, true))
  chunks.push(...reader.end())
  return chunks
}

/**
 * The first position at which cutting the bytes in two changes the events that come out; undefined when none does.
 * Every byte is cut, each together with the events before and after its own: to cut the whole stream every time would
 * be quadratic, and `everyCut` shows that the reader carries nothing wrong from one event to later ones.
 */
export function harmfulCut(bytes: Uint8Array): number | undefined {
  const ends = eventEnds(bytes)
  for (const [index, end] of ends.entries()) {
    const from = ends[index - 2] ?? 0
    const own = ends[index - 1] ?? 0
    const part = bytes.subarray(from, ends[index + 1] ?? bytes.length)
    const whole = new SseReader().push(part)
    for (let cut = own - from + 1; cut <= end - from; cut += 1) {
      const sse = new SseReader()
      const events = [...sse.push(part.subarray(0, cut)), ...sse.push(part.subarray(cut))]
      if (!sameEvents(events, whole)) return from + cut
    }
  }
  return undefined
}

/** Where each event of the stream ends: behind the blank line that closes it, and at the end of the bytes. */
function eventEnds(bytes: Uint8Array): number[] {
  const stream = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const ends: number[] = []
  for (let at = stream.indexOf('\n\n'); at !== -1; at = stream.indexOf('\n\n', at + 2)) ends.push(at + 2)
  if (ends.at(-1) !== bytes.length) ends.push(bytes.length)
  return ends
}

/** Every byte of a stream up to 50 KB; of a larger one every byte of a window in its middle, and strides around it. */
export function cutPositions(length: number): number[] {
  const window = length > 50_000 ? 2048 : length
  const middle = Math.floor((length - window) / 2)
  const positions: number[] = []
  for (let position = 1; position < length; position += 1) {
    if ((position >= middle && position < middle + window) || position % 997 === 0) positions.push(position)
  }
  return positions
}

function sameEvents(events: readonly SseEvent[], others: readonly SseEvent[]): boolean {
  return (
    events.length === others.length &&
    events.every(({ event, data }, index) => data === others[index]?.data && event === others[index]?.event)
  )
}

/** A cut behind every single byte. */
export function everyCut(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length }, (_, index) => index + 1)
}

/** Replays the stream cut after each of its events, and names the cuts that end although `finished` was not seen. */
export function falseEnds(
  makeReader: () => StreamReader,
  lines: readonly string[],
  isFinish: (line: string) => boolean,
): number[] {
  const found: number[] = []
  const first = lines.findIndex(isFinish)
  for (let count = 0; count <= lines.length; count += 1) {
    const reader = makeReader()
    const chunks: ChatChunk[] = []
    for (const line of lines.slice(0, count)) chunks.push(...reader.push('', line))
    chunks.push(...reader.end())
    const ended = chunks.some((chunk) => chunk.type === 'end')
    if (ended !== (first !== -1 && count > first)) found.push(count)
  }
  return found
}
