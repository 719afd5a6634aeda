/** How long an answer asks to wait, wherever it says so. */

import type { LimitFact } from '../../domain/failure.ts'
import { asArray, asNumber, asRecord } from '../../domain/json.ts'
import { clockSkewMs, parseWait, waitInText } from '../../quota/reset.ts'
import { type WaitClock, waitName, waitOf } from './waitNames.ts'

export interface StatedWait {
  readonly ms: number
  /** `limit`: the reset of a limit, which is about this refusal only if a limit refused it. */
  readonly source: 'header' | 'body' | 'text' | 'limit'
  /** A sentence gave it as a date, which counts for more than the name of the limit's window. */
  readonly isDate: boolean
}

export interface WaitSources {
  readonly headers: Readonly<Record<string, string>>
  /** The body and everything that was found printed inside its texts. */
  readonly bodies: readonly unknown[]
  /** The message, without long quotations. */
  readonly text: string
  /** The limit that the answer shows as used up, if any. */
  readonly full: LimitFact | undefined
  /** Epoch milliseconds at which the answer came. */
  readonly now: number
  /** The zone of dates that name none. */
  readonly zone: string | undefined
}

/** In the order of trust: headers made for it, then the body's fields, then its text, then the reset of what ran out. */
export function statedWait({ headers, bodies, text, full, now, zone }: WaitSources): StatedWait | undefined {
  const clock = { now, skewMs: clockSkewMs(headers['date'], now), zone }
  return (
    sourced('header', retryHeader(headers, clock)) ??
    sourced('body', waitInBodies(bodies, clock)) ??
    sourced('header', headerWait(headers, 1, clock)) ??
    textWait(text, clock) ??
    sourced('limit', full?.resetsAt != null ? full.resetsAt - now : undefined) ??
    sourced('limit', headerWait(headers, 3, clock))
  )
}

function sourced(source: StatedWait['source'], ms: number | undefined): StatedWait | undefined {
  return ms === undefined ? undefined : { ms, source, isDate: false }
}

function textWait(text: string, clock: WaitClock): StatedWait | undefined {
  const found = waitInText(text, clock)
  return found === undefined ? undefined : { ...found, source: 'text' }
}

function retryHeader(headers: WaitSources['headers'], clock: WaitClock): number | undefined {
  return (
    parseWait(`${headers['retry-after-ms'] ?? ''}ms`, clock.now, clock.skewMs) ??
    parseWait(headers['retry-after'] ?? '', clock.now, clock.skewMs) ??
    headerWait(headers, 0, clock)
  )
}

/** The soonest wait among the headers whose names are at most this vague. */
function headerWait(headers: WaitSources['headers'], mostRank: number, clock: WaitClock): number | undefined {
  let soonest: number | undefined
  for (const header in headers) {
    const name = waitName(header)
    if (name === null || name.rank > mostRank || (name.rank >= 2 && hasRoom(header, headers))) continue
    const wait = waitOf(headers[header], name, clock)
    if (wait !== undefined && wait < (soonest ?? Number.POSITIVE_INFINITY)) soonest = wait
  }
  return soonest
}

/** Whether the headers beside a reset say that its limit is not the one that was met. */
function hasRoom(header: string, headers: WaitSources['headers']): boolean {
  const stem = header.slice(0, header.indexOf('reset'))
  const remaining = headers[header.replace('reset', 'remaining')]
  if (remaining !== undefined) return Number.parseFloat(remaining) !== 0
  return (
    Number.parseFloat(headers[`${stem}used-percent`] ?? '100') < 100 || /^allowed/.test(headers[`${stem}status`] ?? '')
  )
}

const DEEPEST = 6
/** Fields looked at in one body. */
const MOST_FIELDS = 400
const MOST_ITEMS = 16
/** Subtrees that may repeat what the client sent. */
const ECHOES = new Set(
  'input messages prompt request body params parameters arguments tools content contents text ctx usage'.split(' '),
)

/** The best-named wait of the bodies; of equals the first, from the outside inwards. */
function waitInBodies(bodies: readonly unknown[], clock: WaitClock): number | undefined {
  let best: { readonly rank: number; readonly ms: number } | undefined
  const queue: { readonly value: unknown; readonly depth: number }[] = bodies.map((value) => ({ value, depth: 0 }))
  let fields = 0
  for (let next = 0; next < queue.length && fields < MOST_FIELDS; next++) {
    const { value, depth } = queue[next] ?? { value: undefined, depth: 0 }
    const record = asRecord(value)
    const left = asNumber(record?.['remaining']) ?? 0
    for (const [field, content] of entriesOf(value)) {
      if (++fields > MOST_FIELDS) break
      const name = record === undefined ? null : waitName(field)
      const wait = name === null || (name.rank >= 2 && left > 0) ? undefined : waitOf(content, name, clock)
      if (name !== null && wait !== undefined && name.rank < (best?.rank ?? 4)) best = { rank: name.rank, ms: wait }
      const isInner = typeof content === 'object' && content !== null && depth < DEEPEST && !ECHOES.has(field)
      if (isInner) queue.push({ value: content, depth: depth + 1 })
    }
  }
  return best?.ms
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  const items = asArray(value)
  if (items !== undefined) return items.slice(0, MOST_ITEMS).map((item) => ['', item] as const)
  return Object.entries(asRecord(value) ?? {})
}
