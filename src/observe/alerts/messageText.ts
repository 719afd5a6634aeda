/** The text of a message: its note and its alerts, in full or in a plain short form. */

import { type Alert, alertText, moment } from './alert.ts'
import type { AlertMessage } from './channel.ts'

const BETWEEN = '\n\n'
const MOST_PLAIN = 300

export function messageText({ alerts, note, isPlain }: AlertMessage): string {
  const texts = alerts.map((alert) => (isPlain ? plainText(alert) : alertText(alert)))
  return [...(note === null ? [] : [isPlain ? ascii(note) : note]), ...texts].join(BETWEEN)
}

/** How many UTF-16 units an alert takes in a message of several. */
export const lengthOf = (alert: Alert): number => alertText(alert).length + BETWEEN.length

/** What is left when a service refuses the whole alert for its contents and does not say for which part. */
export function plainAlert({ changed: _, flapping: __, lines: ___, ...alert }: Alert): Alert {
  return {
    ...alert,
    subject: cutAscii(alert.subject, 80),
    what: cutAscii(alert.what, 160),
    why: null,
    works: null,
    returns: null,
    advice: null,
  }
}

/** `keywise alert: all failed (auto). Everything fails: 4 of 4 targets are out. Since 12:00 UTC.` */
function plainText(alert: Alert): string {
  const { event, subject, what, since, at } = plainAlert(alert)
  const text = `keywise alert: ${event.replaceAll('_', ' ')} (${subject}). ${what}. Since ${moment(since, at)}.`
  return cutAscii(text, MOST_PLAIN)
}

const cutAscii = (text: string, most: number) => {
  const plain = ascii(text)
  return plain.length <= most ? plain : `${plain.slice(0, most - 3).trimEnd()}...`
}

/** Letters without their marks; what has no ASCII form is a question mark. */
function ascii(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[\r\n]+/g, ' ')
    .replace(/[^\x20-\x7e]+/g, '?')
}
