/** A way to reach a person: what a channel is, and what can become of a message. */

import type { Dispatcher } from 'undici'
import type { Alert } from './alert.ts'

export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false
      /** `retry`: later. `drop`: this message never. `off`: nothing until the settings change. */
      readonly next: 'retry' | 'drop' | 'off'
      /** For people; never an address, a token, or what the alert says. */
      readonly reason: string
      /** The wait the channel asked for, in milliseconds. */
      readonly afterMs?: number
      /** Nothing came back: the host, or we, may be off the network. */
      readonly unreachable?: boolean
    }

export interface Channel {
  /** Names the channel and its settings without telling them; another address is another channel. */
  readonly id: string
  readonly name: string
  readonly host: string
  readonly events: ReadonlySet<string>
  /** Most characters of the texts that one message may carry; null when each alert is a message of its own. */
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
  /** Most milliseconds until the answer. Default 10,000. */
  readonly timeoutMs?: number
}

/** Between the alerts of one message. */
export const BETWEEN = '\n\n'
