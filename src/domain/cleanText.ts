/**
 * A text from elsewhere made fit for one line of a message, with everything that a reader sees kept as it is. What
 * `printable` marks is left out here: nobody looks into an alert for what it hides.
 */

/** Invisible characters (U+00AD, byte order marks, directions), except what joins letters and emoji or makes up flags. */
const INVISIBLE = /(?!\u200c|\u200d|[\u{e0020}-\u{e007f}])\p{Cf}/gu
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/**
 * Without lone halves of characters, which are not UTF-8 and which the Bot API refuses; without control characters and
 * those that turn the direction of reading; line breaks are spaces, so that no text can pretend to be another line.
 */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(INVISIBLE, '').replace(BREAKS, ' ').trim()
}
