/** A way to reach a person: what a channel is, and the possible results of sending. */

import type { Dispatcher } from 'undici'
import type { Alert } from './alert.ts'

export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false
      /** `retry`: try again later. `drop`: never send this message. `off`: send nothing until the settings change. */
      readonly next: 'retry' | 'drop' | 'off'
      /** For people; never an address, a token, or the alert's text. */
      readonly reason: string
      /** The wait requested by the channel, in milliseconds. */
      readonly afterMs?: number
      /** No response at all: either the host is down or this machine is offline. */
      readonly unreachable?: boolean
    }

export interface Channel {
  /** Identifies the channel and its settings without revealing them; another address is another channel. */
  readonly id: string
  readonly name: string
  readonly host: string
  readonly events: ReadonlySet<string>
  /** Maximum total characters of the texts one message may carry; null when each alert is a message of its own. */
  readonly mostCharacters: number | null
  /** Never rejects. */
  send(alerts: readonly Alert[], signal: AbortSignal): Promise<Delivery>
}

export interface ChannelTools {
  readonly id: string
  readonly dispatcher: Dispatcher
  readonly redact: (text: string) => string
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly userAgent: string
  /** A signal that aborts when that many milliseconds have passed. Default: `AbortSignal.timeout`. */
  readonly deadline?: (ms: number) => AbortSignal
}

/** Separates the alerts of one message. */
export const BETWEEN = '\n\n'
