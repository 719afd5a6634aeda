/**
 * The events of a streamed text differ in nothing but the text. Once one of them was read in full, others that begin
 * and end with the same characters are known to say the same of everything else, and only their text has to be taken
 * out: a tenth of the work of parsing them, and just as sure.
 */

/** More readings in vain than this, and the upstream puts something new into every event (OpenAI's `obfuscation`). */
const MOST_TRIES = 3
/** What stands in place of the text while the place is proved. */
const PROBE = 'keywise'
const UNUSUAL = /["\\\p{Cc}]/u

export class TextFastPath {
  readonly #key: RegExp
  readonly #textOf: (body: unknown) => unknown
  /** Everything before and behind the text, framing included; empty while nothing is known. */
  #head = ''
  #tail = ''
  #tries = 0

  /** `key`: the field that carries the text, in front of its opening quote. `textOf`: the text of a parsed event. */
  constructor(key: RegExp, textOf: (body: unknown) => unknown) {
    this.#key = key
    this.#textOf = textOf
  }

  /** An event was read in full, and `text` is all it said. */
  learn(data: string, text: string): void {
    this.#head = ''
    if (this.#tries >= MOST_TRIES) return
    this.#tries++
    const found = this.#key.exec(data)
    if (found === null) return
    const start = found.index + found[0].length
    const written = JSON.stringify(text)
    const end = start + written.length - 2
    const head = data.slice(0, start)
    const tail = data.slice(end)
    if (data.slice(start - 1, end + 1) !== written || !this.#isPlace(head, tail)) return
    this.#head = `data: ${head}`
    this.#tail = `${tail}\n\n`
  }

  /** Something else was read: what comes after it has to be read in full once. */
  forget(): void {
    this.#head = ''
  }

  /** The text of bytes that hold whole events of the run and nothing else; null for all others. Never an empty text. */
  read(bytes: Buffer): string | null {
    if (this.#head === '') return null
    const all = bytes.toString('utf8')
    let text = ''
    for (let at = 0; at < all.length; ) {
      if (!all.startsWith(this.#head, at)) return null
      const start = at + this.#head.length
      const end = all.indexOf(this.#tail, start)
      const piece = end < 0 ? null : unquoted(all.slice(start, end))
      if (piece === null || piece === '') return null
      text += piece
      at = end + this.#tail.length
    }
    this.#tries = 0
    return text === '' ? null : text
  }

  #isPlace(head: string, tail: string): boolean {
    try {
      return this.#textOf(JSON.parse(head + PROBE + tail)) === PROBE
    } catch {
      return false
    }
  }
}

/** What stands between the quotes of a JSON string; null when it is not the inside of exactly one. */
function unquoted(inside: string): string | null {
  if (!UNUSUAL.test(inside)) return inside
  if (hasOpenQuote(inside)) return null
  try {
    return JSON.parse(`"${inside}"`) as string // a JSON string is a string
  } catch {
    return null
  }
}

function hasOpenQuote(inside: string): boolean {
  for (let quote = inside.indexOf('"'); quote >= 0; quote = inside.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (inside[quote - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return true
  }
  return false
}
