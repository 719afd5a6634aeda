/** An alert queued for one channel, as stored. Pure. */

import { asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import { type Alert, readAlert } from './alert.ts'
import type { Channel } from './channel.ts'
import { lengthOf } from './messageText.ts'

export interface OutboxEntry {
  readonly key: string
  readonly channel: string
  readonly alert: Alert
  /** Tells apart what one process queued within the same millisecond. */
  readonly order: number
  /** Epoch milliseconds; until then it may still be folded into another, or be delivered by the other channels. */
  readonly notBefore: number
  /** Whether it goes out only if the other channels do not deliver it. */
  readonly isBackup: boolean
  /** What its contents were refused in; it is tried in the next form. */
  readonly refused: RefusedForm
}

/** `together`: in a message with others. `whole`: on its own. `plain`: in the plain short form. */
export type RefusedForm = 'nothing' | 'together' | 'whole' | 'plain'
const REFUSED: readonly RefusedForm[] = ['nothing', 'together', 'whole', 'plain']

export const entryKey = (channelId: string, { at, id }: Alert): string =>
  `${channelId} ${String(at).padStart(15, '0')} ${id}`

export function writeEntry({ channel, alert, order, notBefore, isBackup, refused }: Omit<OutboxEntry, 'key'>): Json {
  return { channel, alert, order, notBefore, ...(isBackup && { isBackup }), ...(refused !== 'nothing' && { refused }) }
}

export function readEntry(key: string, value: unknown): OutboxEntry | undefined {
  const record = asRecord(value)
  const channel = asString(record?.['channel'])
  const alert = readAlert(record?.['alert'])
  const notBefore = asNumber(record?.['notBefore'])
  if (record === undefined || channel === undefined || alert === undefined || notBefore === undefined) return undefined
  const refused = REFUSED.find((one) => one === record['refused']) ?? 'nothing'
  const order = asNumber(record['order']) ?? 0
  return { key, channel, alert, order, notBefore, isBackup: record['isBackup'] === true, refused }
}

/** Oldest first; what was refused in every form comes after what is still to be tried. */
export function inOrder(entries: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const isStuck = ({ refused }: OutboxEntry) => Number(refused === 'plain')
  return [...entries].sort(
    (one, other) => isStuck(one) - isStuck(other) || one.alert.at - other.alert.at || one.order - other.order,
  )
}

/**
 * As many of the first as fit into one message beside a note; at least one. What was refused goes alone, and what a
 * backup delivers for others is not mixed with its own.
 */
export function batchOf(entries: readonly OutboxEntry[], channel: Channel, noteLength: number): readonly OutboxEntry[] {
  const [first] = entries
  if (first === undefined || channel.mostCharacters === null || first.refused !== 'nothing') return entries.slice(0, 1)
  let length = noteLength
  let count = 0
  for (const { alert, isBackup, refused } of entries) {
    length += lengthOf(alert)
    if (count > 0 && (length > channel.mostCharacters || isBackup !== first.isBackup || refused !== 'nothing')) break
    count++
  }
  return entries.slice(0, count)
}
