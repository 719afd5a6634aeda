/** Streamed answers of every upstream, in any pieces, read and written for every client. */

import { dialectOf } from '../../../src/dialects/dialects.ts'
import { SseReader } from '../../../src/dialects/stream/sse.ts'
import type { ChatChunk, DialectId } from '../../../src/domain/chat.ts'
import { Assembler } from '../../../src/upstream/assembler.ts'
import { replay } from '../../support/replay.ts'
import { type FuzzTarget, promise, type Random } from '../driver.ts'
import { cutsOf, mutated, mutatedBytes, mutatedList, mutatedText, smallerLists } from '../mutate.ts'
import { bounded, noPollution, same } from '../promises.ts'
import { ASKED_REQUEST, DIALECTS, someStream, streamText, type WireEvent } from '../values.ts'
import { smallerJson } from './requests.ts'

interface Streamed {
  readonly upstream: DialectId
  readonly events: readonly WireEvent[]
  /** What is sent: the events' text, its bytes changed here and there. */
  readonly bytes: Buffer
  readonly cuts: readonly number[]
}

const FACTS = { now: 1_700_000_000_000, id: 'kw_1' }
/** A chunk of one character is written as an event of several hundred. */
const MOST_TIMES = 60

export const streams: FuzzTarget<Streamed> = {
  name: 'streams',
  share: 7,
  make(random) {
    const upstream = random.of(DIALECTS)
    const events = mutatedList(someStream(upstream, random), random, (one) => changedEvent(one, random))
    const bytes = mutatedBytes(streamText(events), random)
    return { upstream, events, bytes, cuts: cutsOf(bytes.length, random) }
  },
  check({ upstream, bytes, cuts }) {
    const reader = () => dialectOf(upstream).upstream.streamReader()
    const chunks = replay(reader(), bytes, cuts)
    noPollution()
    same(replay(reader(), bytes), chunks, 'the pieces in which a stream comes change what it says')
    same(joined(withRuns(upstream, bytes, cuts)), joined(chunks), 'the short way of reading text says something else')
    const ends = chunks.filter(({ type }) => type === 'end').length
    promise(ends <= 1, `it ended ${ends} times`)
    const assembler = new Assembler()
    for (const chunk of chunks) assembler.push(chunk)
    assembler.response()
    for (const client of clientsOf(upstream, bytes)) checkWritten(client, chunks, bytes.toString())
  },
  *smaller({ upstream, events }) {
    const of = (fewer: readonly WireEvent[]) => {
      const bytes = Buffer.from(streamText(fewer))
      return { upstream, events: fewer, bytes, cuts: [bytes.length >> 1] }
    }
    for (const fewer of smallerLists(events)) yield of(fewer)
    if (events.length > 6) return
    for (const [index, one] of events.entries())
      yield* smallerJson(one.data, (data) => of(events.with(index, { ...one, data })))
  },
  show: ({ upstream, bytes, cuts }) =>
    `${upstream} cut at [${cuts.join(', ')}] ${JSON.stringify(bytes.toString('latin1'))}`,
}

/** Its own and one other. */
function clientsOf(upstream: DialectId, bytes: Buffer): readonly DialectId[] {
  const others = DIALECTS.filter((dialect) => dialect !== upstream)
  return [upstream, others[bytes.length % others.length] ?? upstream]
}

function changedEvent({ event, data }: WireEvent, random: Random): WireEvent {
  const name = random.chance(0.1) ? random.of(['', 'error', 'ping', 'message', event.toUpperCase()]) : event
  let value: unknown = data
  try {
    value = JSON.parse(data)
  } catch {}
  return { event: name, data: mutatedText(mutated(value, random, 3), random, 0.15).replace(/[\r\n]/g, ' ') }
}

/** As a call reads it: runs of text in one go where there are any. */
function withRuns(upstream: DialectId, bytes: Buffer, cuts: readonly number[]): ChatChunk[] {
  const sse = new SseReader()
  const reader = dialectOf(upstream).upstream.streamReader()
  const chunks: ChatChunk[] = []
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    const piece = bytes.subarray(from, to)
    const run = sse.isBetweenEvents ? (reader.readRun?.(piece) ?? null) : null
    if (run !== null) chunks.push({ type: 'text-delta', text: run })
    else for (const { event, data } of sse.push(piece)) chunks.push(...reader.push(event, data))
    from = to
  }
  for (const { event, data } of sse.end()) chunks.push(...reader.push(event, data, true))
  return [...chunks, ...reader.end()]
}

/** A run brings the text of several events at once. */
function joined(chunks: readonly ChatChunk[]): ChatChunk[] {
  const result: ChatChunk[] = []
  for (const chunk of chunks) {
    const last = result.at(-1)
    const isText = chunk.type === 'text-delta' && chunk.extra === undefined && chunk.logprobs === undefined
    if (isText && last?.type === 'text-delta' && last.extra === undefined && last.logprobs === undefined)
      result[result.length - 1] = { ...last, text: last.text + chunk.text }
    else result.push(chunk)
  }
  return result
}

function checkWritten(client: DialectId, chunks: readonly ChatChunk[], read: string): void {
  const writer = dialectOf(client).client.streamWriter(ASKED_REQUEST, FACTS)
  const isWhole = chunks.at(-1)?.type === 'end'
  const failed = { status: 502, message: 'it broke off', code: 'server' }
  const text = chunks.map((chunk) => writer.write(chunk)).join('') + (isWhole ? '' : writer.fail(failed))
  bounded(text, read, MOST_TIMES, `for ${client}`)
  const back = replay(dialectOf(client).upstream.streamReader(), Buffer.from(text))
  // The promise of all promises: what broke off never ends like what is whole.
  if (!isWhole) promise(back.at(-1)?.type !== 'end', `${client} is told a whole answer of one that broke off`)
}
