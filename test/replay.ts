/** Replays recorded streams: as the bytes an upstream sends, cut where a test wants them cut. */

import { readdirSync } from 'node:fs'
import type { StreamReader } from '../src/dialects/dialect.ts'
import { SseReader } from '../src/dialects/sse.ts'
import type { ChatChunk } from '../src/domain/chat.ts'
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

/** Where to cut a stream: at every byte of a small one; of a large one at every byte of a window and at strides. */
export function cutPositions(length: number): number[] {
  const positions: number[] = []
  const window = length > 50_000 ? 2048 : length
  const middle = Math.floor((length - window) / 2)
  for (let position = 1; position < length; position += 1) {
    if ((position >= middle && position < middle + window) || position % 997 === 0) positions.push(position)
  }
  return positions
}
