/**
 * The state of a channel shared by all processes: its claim, whether it rests and until when, and what it has missed.
 * Pure.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { Delivery } from './channel.ts'

/** Alerts that did not go out by a channel, since it last said so. */
export interface Gap {
  readonly count: number
  /** Epoch milliseconds at which the first and the last of them were raised. */
  readonly from: number
  readonly to: number
}

export interface ChannelState {
  /** The claim of the sending process; null when no process is sending. */
  readonly claim: string | null
  /** A claim older than this belongs to a killed process. */
  readonly claimUntil: number
  readonly nextAt: number
  /** Whether the channel itself named `nextAt`: no restart and no edit hurries it. */
  readonly isAsked: boolean
  /** Failures in a row. */
  readonly failures: number
  /** Epoch milliseconds of the first of them; null while it works. */
  readonly since: number | null
  /** Whether the last of them may have been about the contents of the message. */
  readonly isDoubtful: boolean
  /** What the last failure was, and what a person can do; for people. */
  readonly reason: string | null
  readonly advice: string | null
  /** Messages that may be sent now; refills over time. */
  readonly tokens: number
  readonly tokensAt: number
  /** By the service's own word no longer good; tried once a day, after a restart, and with other settings. */
  readonly off: boolean
  /** Whether the other channels were told of it. */
  readonly isAnnounced: boolean
  /** Whether the last message that was settled was refused for its contents in every form. */
  readonly hasGivenUp: boolean
  readonly deliveredAt: number | null
  /** What a person should change although it works. */
  readonly remark: string | null
  /** Never delivered: too old, too many, or refused. */
  readonly lost: Gap | null
  /** Delivered by a backup channel instead. */
  readonly covered: Gap | null
  /** Incidents of which it delivered an alert as a backup, by the id of the first alert, newest last. */
  readonly stoodIn: readonly string[]
}

/** Longer than sending one message may take. */
const CLAIM_MS = 45_000
/** Telegram accepts about one message a second per chat: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits */
const GAP_MS = 1_000
/** A burst of messages, then one a minute: alerts in between are batched into one message. */
const BURST = 10
const TOKEN_MS = 60_000
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 600_000
/** A channel may request a longer wait than our own backoff, up to this limit; so long a person may take, too. */
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** From this many refusals in a row that a person has to end, the other channels are told. */
const TELLING_REFUSALS = 3
/** So many failures in a row a channel is tried again after the wait that it states, however short that is. */
const MOST_HURRIED = 3
const MOST_STOOD_IN = 200

const FRESH: ChannelState = {
  claim: null,
  claimUntil: 0,
  nextAt: 0,
  isAsked: false,
  failures: 0,
  since: null,
  isDoubtful: false,
  reason: null,
  advice: null,
  tokens: BURST,
  tokensAt: 0,
  off: false,
  isAnnounced: false,
  hasGivenUp: false,
  deliveredAt: null,
  remark: null,
  lost: null,
  covered: null,
  stoodIn: [],
}

/** `isFirst`: this process has not tried the channel yet, so what it rests for may have been mended. */
export const isFree = (state: ChannelState, now: number, isFirst: boolean): boolean =>
  ((isFirst && !state.isAsked) || isPast(state.nextAt, now, state.off ? DAY_MS : HOUR_MS)) &&
  tokensAt(state, now) >= 1 &&
  !isClaimed(state, now)

/** Switched off by an earlier version, which did so for less than a definite word and kept no reason. */
export const isGivenUp = ({ off, reason }: ChannelState): boolean => off && reason === null

/** Every third try of a message that may be refused for its contents is in the plain short form. */
export const isPlainTry = ({ isDoubtful, failures }: ChannelState): boolean => isDoubtful && failures % 3 === 2

export const isClaimed = (state: ChannelState, now: number): boolean =>
  state.claim !== null && !isPast(state.claimUntil, now, CLAIM_MS)

/** A time further ahead than it can have been set means the clock was set back. */
const isPast = (at: number, now: number, mostMs: number) => now >= at || at - now > mostMs

export const claimed = (state: ChannelState, claim: string, now: number): ChannelState => ({
  ...state,
  claim,
  claimUntil: now + CLAIM_MS,
  tokens: tokensAt(state, now),
  tokensAt: now,
})

export const released = (state: ChannelState): ChannelState => ({ ...state, claim: null, claimUntil: 0 })

interface Moment {
  readonly now: number
  /** 0..1; spreads the retries. */
  readonly random: number
}

/** The channel has taken a message that said `saidLost` and `saidCovered`. */
export function afterSuccess(state: ChannelState, remark: string | undefined, said: Said, now: number): ChannelState {
  return {
    ...working(released(state)),
    nextAt: now + GAP_MS,
    tokens: state.tokens - 1,
    hasGivenUp: false,
    deliveredAt: now,
    remark: remark ?? null,
    lost: rest(state.lost, said.lost),
    covered: rest(state.covered, said.covered),
  }
}

type Said = Pick<ChannelState, 'lost' | 'covered'>

/** What has been added to a gap since it was said. */
const rest = (gap: Gap | null, said: Gap | null) => (gap?.count === said?.count ? null : gap)

/** A message was refused for its contents: the same one in another form, or the next, follows soon. */
export const afterRefusal = (state: ChannelState, hasGivenUp: boolean, now: number): ChannelState => ({
  ...released(state),
  hasGivenUp: hasGivenUp || state.hasGivenUp,
  nextAt: now + GAP_MS,
  isAsked: false,
})

/** Nothing went out, and the channel rests. */
export function afterFailure(
  state: ChannelState,
  delivery: Extract<Delivery, { ok: false }>,
  { now, random }: Moment,
): ChannelState {
  const { reason, advice, afterMs, next, needsPerson = false } = delivery
  const failures = state.failures + 1
  const off = next === 'off'
  const longest = needsPerson ? HOUR_MS : LONGEST_WAIT_MS
  const guessMs = Math.min(longest, FIRST_WAIT_MS * 2 ** Math.min(20, failures - 1)) * (0.75 + 0.5 * random)
  // A service that asks for no wait, again and again, means more than it says.
  const statedMs = afterMs === undefined || failures > MOST_HURRIED ? Math.max(guessMs, afterMs ?? 0) : afterMs
  const waitMs = off ? DAY_MS : Math.min(HOUR_MS, statedMs)
  return {
    ...released(state),
    failures,
    since: state.since ?? now,
    isDoubtful: delivery.isDoubtful === true,
    reason,
    advice,
    off,
    isAsked: !off && afterMs !== undefined && afterMs > 0,
    isAnnounced: state.isAnnounced || off || (needsPerson && failures >= TELLING_REFUSALS),
    nextAt: now + Math.ceil(waitMs),
  }
}

/** It works, as a delivery or a person's test has shown. */
export const working = (state: ChannelState): ChannelState => ({
  ...state,
  off: false,
  isAsked: false,
  failures: 0,
  since: null,
  isDoubtful: false,
  reason: null,
  advice: null,
  isAnnounced: false,
  nextAt: 0,
})

export function widened(gap: Gap | null, at: number): Gap {
  if (gap === null) return { count: 1, from: at, to: at }
  return { count: gap.count + 1, from: Math.min(gap.from, at), to: Math.max(gap.to, at) }
}

export const stoodInFor = (state: ChannelState, ids: readonly string[]): ChannelState => ({
  ...state,
  stoodIn: [...state.stoodIn, ...ids].slice(-MOST_STOOD_IN),
})

function tokensAt({ tokens, tokensAt: at }: ChannelState, now: number): number {
  return Math.min(BURST, tokens + Math.max(0, now - at) / TOKEN_MS)
}

export const writeState = (state: ChannelState): Json => ({
  ...state,
  lost: gapOf(state.lost),
  covered: gapOf(state.covered),
})

const gapOf = (gap: Gap | null): Json => (gap === null ? null : { ...gap })

export function readState(value: unknown): ChannelState {
  const record = asRecord(value)
  if (record === undefined) return FRESH
  const text = (name: string) => asString(record[name]) ?? null
  const number = (name: string) => asNumber(record[name])
  const flag = (name: string) => record[name] === true
  return {
    claim: text('claim'),
    claimUntil: number('claimUntil') ?? 0,
    nextAt: number('nextAt') ?? 0,
    isAsked: flag('isAsked'),
    failures: number('failures') ?? 0,
    since: number('since') ?? null,
    isDoubtful: flag('isDoubtful'),
    reason: text('reason'),
    advice: text('advice'),
    tokens: number('tokens') ?? BURST,
    tokensAt: number('tokensAt') ?? 0,
    off: flag('off'),
    isAnnounced: flag('isAnnounced'),
    hasGivenUp: flag('hasGivenUp'),
    deliveredAt: number('deliveredAt') ?? null,
    remark: text('remark'),
    lost: readGap(record['lost']),
    covered: readGap(record['covered']),
    stoodIn: (asArray(record['stoodIn']) ?? []).filter((id) => typeof id === 'string'),
  }
}

function readGap(value: unknown): Gap | null {
  const record = asRecord(value)
  const [count, from, to] = ['count', 'from', 'to'].map((name) => asNumber(record?.[name]))
  return count === undefined || from === undefined || to === undefined ? null : { count, from, to }
}
