/** A way to reach a person: what a channel is, what it sends, and the possible results of sending. */

import type { Dispatcher } from 'undici'
import type { Alert } from './alert.ts'

export type Delivery =
  | {
      readonly ok: true
      /** What a person should change although it was delivered. */
      readonly remark?: string
    }
  | {
      readonly ok: false
      /**
       * `retry`: the channel rests, and the message waits. `shorten`: its contents were refused; it is tried once more in
       * a plain short form. `off`: by the service's own definite word the address or token is no longer good.
       */
      readonly next: 'retry' | 'shorten' | 'off'
      /** For people; never an address, a token, or the alert's text. */
      readonly reason: string
      /** What a person can do; null when nothing but waiting helps. */
      readonly advice: string | null
      /** The wait requested by the channel, in milliseconds. */
      readonly afterMs?: number
      /** No response at all: either the host is down or this machine is offline. */
      readonly unreachable?: boolean
      /** A page that says 400 or the like: of something before the receiver, or of the receiver about the contents. */
      readonly isDoubtful?: boolean
      /** The service itself says that it cannot deliver until a person acts, who may do so at any time. */
      readonly needsPerson?: boolean
    }

/** What is sent at once. */
export interface AlertMessage {
  /** At least one; several only to a channel with `mostCharacters`. */
  readonly alerts: readonly Alert[]
  /** Said before them: why this channel gets them, or what it has missed. */
  readonly note: string | null
  /** A few hundred ASCII characters and nothing else, because the whole message was refused. */
  readonly isPlain: boolean
}

export interface Channel {
  /** Identifies the channel and its settings without revealing them; another address is another channel. */
  readonly id: string
  readonly name: string
  readonly host: string
  readonly events: ReadonlySet<string>
  /** Maximum total characters of the texts one message may carry; null when each alert is a message of its own. */
  readonly mostCharacters: number | null
  /**
   * Milliseconds after which it gets an alert that the other channels have not delivered; null for a channel that gets
   * its alerts at once.
   */
  readonly backupAfterMs: number | null
  /** Never rejects. */
  send(message: AlertMessage, signal: AbortSignal): Promise<Delivery>
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
