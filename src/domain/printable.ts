/**
 * Text from elsewhere for a terminal, a log, a table or a message: without characters that move the cursor, break lines,
 * turn the direction in which it is read, or cannot be seen.
 */

/**
 * Control characters (C0, DEL, C1), separators of lines and paragraphs, marks of direction, what has no width, and lone
 * halves of characters. Not what joins letters and emoji (U+200C, U+200D) or makes up flags (U+E0020 to U+E007F).
 */
const STEERING =
  '\\p{Cc}\\p{Zl}\\p{Zp}\\p{Cs}\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb'
const IN_A_LINE = new RegExp(`[${STEERING}]`, 'gu')
const IN_LINES = new RegExp(`(?![\\n\\t]|\\r\\n)[${STEERING}]`, 'gu')

/** One line. */
export function printable(text: string): string {
  return text.replace(IN_A_LINE, '\ufffd')
}

/** Lines and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(IN_LINES, '\ufffd')
}

/** The same JSON with what would steer a terminal escaped. */
export function printableJson(json: string): string {
  return json.replace(IN_LINES, (sign) =>
    Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )
}

const NAME = new RegExp(`^[^${STEERING}…]{1,200}$`, 'u')

/** Whether an upstream's name of a model can stand in logs, headers and tables, and holds nothing that was masked. */
export function isModelName(name: string): boolean {
  return NAME.test(name)
}
