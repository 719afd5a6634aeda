/** The state of a channel shared by all processes: its claim, when it may be used again, whether it is off. Pure. */

import { asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { Delivery } from './channel.ts'

interface ChannelState {
  /** The claim of the sending process; null when no process is sending. */
  readonly claim: string | null
  /** A claim older than this belongs to a killed process. */
  readonly claimUntil: number
  readonly nextAt: number
  readonly failures: number
  /** Messages that may be sent now; refills over time. */
  readonly tokens: number
  readonly tokensAt: number
  /** Refused in a way that only changed settings can fix. */
  readonly off: boolean
}

/** Longer than sending one message may take. */
export const CLAIM_MS = 30_000
/** Telegram accepts about one message a second per chat: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits */
const GAP_MS = 1_000
/** A burst of messages, then one a minute: alerts in between are batched into one message. */
const BURST = 10
const TOKEN_MS = 60_000
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 600_000
/** A channel may request a longer wait than our own backoff, up to this limit. */
const LONGEST_STATED_MS = 3_600_000

const FRESH: ChannelState = {
  claim: null,
  claimUntil: 0,
  nextAt: 0,
  failures: 0,
  tokens: BURST,
  tokensAt: 0,
  off: false,
}

export const isFree = (state: ChannelState, now: number): boolean =>
  !state.off &&
  isPast(state.nextAt, now, LONGEST_STATED_MS) &&
  tokensAt(state, now) >= 1 &&
  (state.claim === null || isPast(state.claimUntil, now, CLAIM_MS))

/** A time further ahead than it can have been set means the clock was set back. */
const isPast = (at: number, now: number, mostMs: number) => now >= at || at - now > mostMs

export const claimed = (state: ChannelState, claim: string, claimUntil: number, now: number): ChannelState => ({
  ...state,
  claim,
  claimUntil,
  tokens: tokensAt(state, now),
  tokensAt: now,
})

/** Releases the channel; `delivery` is null when there was nothing to send. `random` (0..1) spreads the retries. */
export function afterDelivery(
  state: ChannelState,
  delivery: Delivery | null,
  { now, random }: { readonly now: number; readonly random: number },
): ChannelState {
  const free = { ...state, claim: null, claimUntil: 0 }
  if (delivery === null) return free
  if (delivery.ok || delivery.next === 'drop')
    return { ...free, failures: 0, nextAt: now + GAP_MS, tokens: state.tokens - 1 }
  if (delivery.next === 'off') return { ...free, off: true }
  const failures = state.failures + 1
  const guessMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, failures - 1)) * (0.75 + 0.5 * random)
  const waitMs = delivery.afterMs === undefined ? guessMs : Math.min(LONGEST_STATED_MS, delivery.afterMs)
  return { ...free, failures, nextAt: now + Math.ceil(waitMs) }
}

/** After a person has shown that it works. */
export const turnedOn = (state: ChannelState): ChannelState => ({ ...state, off: false, failures: 0, nextAt: 0 })

function tokensAt({ tokens, tokensAt: at }: ChannelState, now: number): number {
  return Math.min(BURST, tokens + Math.max(0, now - at) / TOKEN_MS)
}

export const writeState = (state: ChannelState): Json => ({ ...state })

export function readState(value: unknown): ChannelState {
  const record = asRecord(value)
  if (record === undefined) return FRESH
  return {
    claim: asString(record['claim']) ?? null,
    claimUntil: asNumber(record['claimUntil']) ?? 0,
    nextAt: asNumber(record['nextAt']) ?? 0,
    failures: asNumber(record['failures']) ?? 0,
    tokens: asNumber(record['tokens']) ?? BURST,
    tokensAt: asNumber(record['tokensAt']) ?? 0,
    off: record['off'] === true,
  }
}
