/**
 * A text as a search for a secret reads it: without white space and invisible characters, and with escapes of URLs, JSON
 * and HTML undone or not. Each character keeps the place where it stood.
 */

export interface PlainForm {
  /** UTF-16 units. */
  readonly codes: Uint16Array
  /** Where each of them begins in the text. */
  readonly starts: Int32Array
  /** Where each of them ends. */
  readonly ends: Int32Array
}

const [PERCENT, BACKSLASH, AMPERSAND, HASH, SEMICOLON] = [0x25, 0x5c, 0x26, 0x23, 0x3b]

/** Both ways of reading: what looks like an escape may be the beginning of a secret behind a percent sign. */
export function plainForms(text: string): readonly PlainForm[] {
  const asIs = plainForm(text, false)
  return /[%\\&]/.test(text) ? [asIs, plainForm(text, true)] : [asIs]
}

function plainForm(text: string, unescapes: boolean): PlainForm {
  const codes = new Uint16Array(text.length)
  const starts = new Int32Array(text.length)
  const ends = new Int32Array(text.length)
  let count = 0
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    const mayEscape = unescapes && (code === PERCENT || code === BACKSLASH || code === AMPERSAND)
    const escaped = mayEscape ? escapeAt(text, at, code) : null
    const read = escaped?.code ?? code
    const end = escaped?.end ?? at + 1
    if (!isInvisible(read)) {
      // Wide forms of ASCII stand for it.
      codes[count] = read >= 0xff01 && read <= 0xff5e ? read - 0xfee0 : read
      starts[count] = at
      ends[count++] = end
    }
    at = end
  }
  return { codes: codes.subarray(0, count), starts, ends }
}

interface Escaped {
  readonly code: number
  readonly end: number
}

function escapeAt(text: string, at: number, sign: number): Escaped | null {
  if (sign === PERCENT) return percentAt(text, at)
  return sign === BACKSLASH ? backslashAt(text, at) : entityAt(text, at)
}

/** `%2D`, also encoded twice or more often: `%252D`. */
function percentAt(text: string, at: number): Escaped | null {
  let code = hexAt(text, at + 1, 2)
  let end = at + 3
  while (code === PERCENT && hexAt(text, end, 2) >= 0) {
    code = hexAt(text, end, 2)
    end += 2
  }
  return code < 0 ? null : { code, end }
}

/** `\u0073`, `\x73`, `\n`, `\/`, after any number of backslashes: JSON inside JSON has more of them. */
function backslashAt(text: string, at: number): Escaped | null {
  let next = at + 1
  while (text.charCodeAt(next) === BACKSLASH) next++
  const letter = text.charAt(next)
  const digits = letter === 'u' ? 4 : letter === 'x' ? 2 : 0
  const code = digits === 0 ? -1 : hexAt(text, next + 1, digits)
  if (code >= 0) return { code, end: next + 1 + digits }
  if (letter !== '' && 'nrtfv0'.includes(letter)) return { code: 0x20, end: next + 1 }
  // Before anything else the backslashes alone are left out.
  return { code: 0x20, end: next }
}

/** `&#115;`, `&#x73;` */
function entityAt(text: string, at: number): Escaped | null {
  if (text.charCodeAt(at + 1) !== HASH) return null
  const end = text.indexOf(';', at)
  if (end < 0 || end - at > 9 || text.charCodeAt(end) !== SEMICOLON) return null
  const [, hex, decimal] = /^&#(?:[xX]([\da-fA-F]+)|(\d+));$/.exec(text.slice(at, end + 1)) ?? []
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
  return Number.isInteger(code) && code > 0 && code < 0x10000 ? { code, end: end + 1 } : null
}

/** The value of so many hexadecimal digits; -1 where there are fewer. */
function hexAt(text: string, at: number, digits: number): number {
  let value = 0
  for (let place = at; place < at + digits; place++) {
    const digit = hexDigit(text.charCodeAt(place))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

/** -1 for what is none, NaN included. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** White space, control characters, and what has no width or only turns the direction of reading. */
function isInvisible(code: number): boolean {
  if (code < 0x7f) return code <= 0x20
  if (code <= 0xa0 || code === 0xad) return true
  if (code < 0x34f) return false
  return (
    code === 0x34f ||
    code === 0x61c ||
    code === 0x1680 ||
    (code >= 0x180b && code <= 0x180f) ||
    (code >= 0x2000 && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202f) ||
    (code >= 0x205f && code <= 0x206f) ||
    code === 0x3000 ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    code === 0xfeff ||
    // Tags, and the further variation selectors.
    code === 0xdb40 ||
    (code >= 0xdc00 && code <= 0xdfff)
  )
}
