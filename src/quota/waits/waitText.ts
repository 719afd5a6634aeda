/**
 * Waits stated in sentences: `try again in 7m12.5s`, `Resets in 1h 30m`, `will reset at 2026-11-05 17:00:00`. Numbers
 * count only behind the words that announce a wait, since messages echo prompts. Linear patterns only.
 */

import { type DateFound, dateAt, untilDate } from './dates.ts'
import { clockDurationAt, durationAt } from './durations.ts'
import { type Zone, zoneNamed } from './zones.ts'

interface TextWait {
  /** Milliseconds from now; may be negative or absurd. */
  readonly ms: number
  /** A date or a time of day, rather than a length of time. */
  readonly isDate: boolean
}

export interface TextContext {
  /** Epoch milliseconds. */
  readonly now: number
  /** How far the upstream's clock is ahead of ours, in milliseconds; corrects dates. */
  readonly skewMs: number
  /** The zone of dates that name none; default: Beijing's for Chinese texts, else UTC. */
  readonly zone?: string | undefined
}

/** Most of a text that is read. */
const LOOK = 16_384
/** Cues looked at in one text; sentences have one or two. */
const MOST_CUES = 200
const MOST_FILLERS = 10

/** Words after which a time is one of waiting. */
const CUE =
  /\b(?:retry[-_ ]?after|retry[-_ ]?(?:delay|in)|try|retry(?:ing)?|wait(?:ing)?|come back|resets?|resetting|reset[-_ ]?(?:at|time)|renews?|refresh(?:es)?|replenish(?:es)?|available|restored?|resumes?|regain access|unlocks?|unblocked|lifted|cool(?:ing)?[-_ ]?down|(?:blocked|paused|throttled|limited) (?:for|until)|estimated[-_ ]time|allowed(?= (?:again )?(?:in|at|after)\b))\b/gi
/** What may stand between a cue and its time. */
const FILLER =
  /[\s:=,"'~≈*`]{0,4}(?:(again|access|automatically|be|is|will|in|after|for|at|on|by|until|till|to|about|approximately|around|approx|least|another|within|your?|the|this|next|requests?|time|period|remaining|daily|it)\b|(?=[^\s:=,"'~≈*`]))[\s:=,"'~≈*`]{0,4}/iy
/** Behind these and `:` or `=` a bare number is one of seconds. */
const BARE_CUE = /^(?:retry[-_ ]?after|retry[-_ ]?delay)$/i
const BARE_NUMBER = /\d{1,9}(?:\.\d{1,9})?(?![\w:/-]|\.\d)/y
/** Claude's own wording: `usage limit reached|1762952400`. */
const LIMIT_EPOCH = /limit reached\|(\d{13}|\d{10})\b/i

const HAN = /[\u4e00-\u9fff]/
/** Characters that speak of coming back: reset, retry, restore, refresh, lift. */
const HAN_CUE = /重置|重設|重试|重試|再试|再試|恢复|恢復|刷新|解除|解封|等待|リセット|再試行/
const HAN_DATE = /\d{4}\s?[-/年]\s?\d{1,2}\s?[-/月]\s?\d{1,2}/g
const HAN_DURATION = /\d{1,9}(?:\.\d{1,3})?\s?(?:毫秒|秒|分|个?小|時|天|日)/g
const HAN_AFTER = /\s{0,2}(?:后|後|之后|之後|以后)/y
const HAN_BEFORE = /(?:等待|等候|请等|請等|还需|還需)[^\d]{0,6}$/
/** How far from the date its cue may stand. */
const HAN_REACH = 16

/** Every wait the text states, in its order. */
export function* waitsIn(text: string, context: TextContext): Generator<TextWait> {
  const looked = text.slice(0, LOOK)
  const zone = context.zone === undefined ? undefined : zoneNamed(context.zone)
  const isHan = HAN.test(looked)
  const dates = { now: context.now, skewMs: context.skewMs, zone: zone ?? (isHan ? BEIJING : undefined) }
  if (isHan) yield* hanWaits(looked, dates)
  let cues = 0
  for (const cue of looked.matchAll(CUE)) {
    if (++cues > MOST_CUES) return
    const wait = waitBehind(looked, cue, dates)
    if (wait !== undefined) yield wait
  }
  const epoch = LIMIT_EPOCH.exec(looked)
  if (epoch !== null) yield* dateWait(dateAt(looked, epoch.index + 'limit reached|'.length, dates), dates)
}

const BEIJING: Zone = 8 * 3_600_000

interface Dates {
  readonly now: number
  readonly skewMs: number
  readonly zone: Zone | undefined
}

function waitBehind(text: string, cue: RegExpExecArray, dates: Dates): TextWait | undefined {
  const { at, last } = skipFillers(text, cue.index + cue[0].length)
  const wantsDuration = /^(?:in|after|for|within|another|about|approximately)$/i.test(last)
  const duration = wantsDuration ? (clockDurationAt(text, at) ?? durationAt(text, at)) : undefined
  if (duration !== undefined) return { ms: duration.ms, isDate: false }
  const [date] = dateWait(dateAt(text, at, dates), dates)
  if (date !== undefined) return date
  const bare = durationAt(text, at)
  if (bare !== undefined) return { ms: bare.ms, isDate: false }
  if (!BARE_CUE.test(cue[0])) return undefined
  return bareSeconds(text, at, /[:=]/.test(text.slice(cue.index + cue[0].length, at)))
}

/** `retry_after: 30`, or a sentence that ends with the number; `retry after 3 attempts` counts something else. */
function bareSeconds(text: string, at: number, isAssigned: boolean): TextWait | undefined {
  BARE_NUMBER.lastIndex = at
  const seconds = BARE_NUMBER.exec(text)?.[0]
  if (seconds === undefined || (!isAssigned && !/^\s{0,2}(?:[.,;)\]]|$)/.test(text.slice(at + seconds.length))))
    return undefined
  return { ms: Number(seconds) * 1000, isDate: false }
}

function skipFillers(text: string, start: number): { readonly at: number; readonly last: string } {
  let at = start
  let last = ''
  for (let step = 0; step < MOST_FILLERS; step++) {
    FILLER.lastIndex = at
    const filler = FILLER.exec(text)
    if (filler === null || FILLER.lastIndex === at) break
    at = FILLER.lastIndex
    if (filler[1] === undefined) break
    last = filler[1]
  }
  return { at, last }
}

/** Chinese and Japanese put the word behind the time, and no blank between them. */
function* hanWaits(text: string, dates: Dates): Generator<TextWait> {
  for (const { index } of bounded(text.matchAll(HAN_DATE))) {
    const date = dateAt(text, index, dates)
    if (date === undefined) continue
    const near = text.slice(Math.max(0, index - HAN_REACH), date.end + HAN_REACH)
    if (HAN_CUE.test(near)) yield* dateWait(date, dates)
  }
  if (!HAN_CUE.test(text)) return
  for (const { index } of bounded(text.matchAll(HAN_DURATION))) {
    const duration = durationAt(text, index)
    if (duration === undefined) continue
    HAN_AFTER.lastIndex = duration.end
    const isWait = HAN_AFTER.test(text) || HAN_BEFORE.test(text.slice(Math.max(0, index - 12), index))
    if (isWait) yield { ms: duration.ms, isDate: false }
  }
}

function* bounded<T>(matches: Iterable<T>): Generator<T> {
  let count = 0
  for (const match of matches) {
    if (++count > MOST_CUES) return
    yield match
  }
}

function* dateWait(date: DateFound | undefined, { now, skewMs }: Dates): Generator<TextWait> {
  if (date !== undefined) yield { ms: untilDate(date.at, now, skewMs), isDate: true }
}
