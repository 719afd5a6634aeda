/** The one message about everything that was not told in quiet hours: what is still so, and what came and went. */

import { cutText } from '../../domain/cutText.ts'
import { type Alert, moment } from './alert.ts'
import type { Kept } from './quietHours.ts'

/** Events that tell the end of others. */
const ENDS: ReadonlySet<string> = new Set([
  'recovered',
  'key_back',
  'credit_back',
  'provider_back',
  'model_back',
  'store_back',
  'channel_back',
])

/** Further ones are counted, so that the message fits everywhere. */
const MOST_LINES = 8
const MOST_OF_A_LINE = 150

interface Digest extends Pick<Alert, 'what' | 'since'> {
  readonly lines: readonly string[]
}

/** `isOpen`: whether an incident goes on. */
export function quietDigest(entries: readonly Kept[], isOpen: (key: string) => boolean, now: number): Digest {
  const byKey = new Map<string, Kept[]>()
  for (const kept of entries) byKey.set(kept.key, [...(byKey.get(kept.key) ?? []), kept])
  const open: string[] = []
  const over: string[] = []
  for (const [key, own] of byKey) {
    if (isOpen(key)) open.push(openText(own, now))
    else over.push(overText(own, now))
  }
  const since = Math.min(...entries.map(({ alert }) => alert.at))
  const counts = [
    ...(open.length > 0 ? [`${open.length} still so`] : []),
    ...(over.length > 0 ? [`${over.length} came and went`] : []),
  ]
  return {
    what: `In the quiet hours: ${counts.join(', ')}`,
    since,
    lines: [...listed('Still so:', open), ...listed('Came and went:', over)],
  }
}

function listed(title: string, texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return []
  const more = texts.length - MOST_LINES
  return [title, ...texts.slice(0, MOST_LINES).map((text) => `- ${text}`), ...(more > 0 ? [`- and ${more} more`] : [])]
}

function openText(own: readonly Kept[], now: number): string {
  const openings = openingsOf(own)
  const last = (openings.at(-1) ?? own.at(-1))?.alert
  if (last === undefined) return ''
  return `${short(last.what)}, since ${moment(last.since, now)}${timesText(openings.length - 1, 'before')}`
}

function overText(own: readonly Kept[], now: number): string {
  const openings = openingsOf(own)
  const first = (openings[0] ?? own[0])?.alert
  const end = own.findLast(({ alert }) => ENDS.has(alert.event))?.alert
  if (first === undefined) return ''
  // What began before the quiet hours has been told; only its end is news.
  if (openings.length === 0) return `${short(first.what)}, at ${moment(first.at, now)}`
  const until = end === undefined ? '' : ` to ${moment(end.at, now)}`
  return `${short(first.what)}, ${moment(first.since, now)}${until}${openings.length > 1 ? `, ${openings.length} times` : ''}`
}

/** A reminder is no opening. */
const openingsOf = (own: readonly Kept[]) =>
  own.filter(({ alert }) => !ENDS.has(alert.event) && alert.changed === undefined)

const timesText = (count: number, word: string) =>
  count <= 0 ? '' : `; it came and went ${count === 1 ? 'once' : `${count} times`} ${word}`

const short = (text: string) => cutText(text, MOST_OF_A_LINE)
