/**
 * A lenient reader of data printed as text: JSON, Python's notation (`{'error': None}`), and either of them cut off in
 * the middle. Linear in the text and bounded in depth; never throws.
 */

const DEEPEST = 24
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['null', null],
  ['None', null],
  ['undefined', undefined],
])
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['f', '\f'],
])

interface LiteralFound {
  readonly value: unknown
  /** The index behind it. */
  readonly end: number
  /** The text ended before the literal did. */
  readonly isCut: boolean
}

/** The object or list that begins at `start`; undefined when what stands there is neither. */
export function literalAt(text: string, start: number): LiteralFound | undefined {
  const first = text[start]
  if (first !== '{' && first !== '[') return undefined
  const reader = new LiteralReader(text, start)
  const value = reader.value(0)
  return reader.isBroken ? undefined : { value, end: reader.at, isCut: reader.isCut }
}

class LiteralReader {
  readonly #text: string
  at: number
  /** Something stood where it must not: this is prose with brackets. */
  isBroken = false

  constructor(text: string, start: number) {
    this.#text = text
    this.at = start
  }

  get isCut(): boolean {
    return this.at >= this.#text.length && !this.#closed
  }

  #closed = false

  value(depth: number): unknown {
    this.#skip(/\s*/y)
    const first = this.#text[this.at]
    if (depth > DEEPEST) this.isBroken = true
    if (this.isBroken || first === undefined) return undefined
    if (first === '{') return this.#object(depth)
    if (first === '[' || first === '(') return this.#list(depth, first === '[' ? ']' : ')')
    const quoted = this.#skip(/[bru]?(?=["'])/iy)
    return quoted === undefined ? this.#word() : this.#string()
  }

  #object(depth: number): unknown {
    const fields: Record<string, unknown> = Object.create(null)
    this.at++
    while (!this.#closes('}')) {
      const name = this.value(depth + 1)
      if (typeof name !== 'string' && typeof name !== 'number') return this.#broken(fields)
      if (this.#skip(/\s*:/y) === undefined) return this.#broken(fields)
      fields[String(name)] = this.value(depth + 1)
      if (this.isBroken) return fields
    }
    return fields
  }

  #list(depth: number, closing: string): unknown {
    const items: unknown[] = []
    this.at++
    while (!this.#closes(closing)) {
      items.push(this.value(depth + 1))
      if (this.isBroken) return items
    }
    return items
  }

  /** At the end of what it closes, or of the text. A comma before it is skipped. */
  #closes(closing: string): boolean {
    this.#skip(/[\s,]*/y)
    if (this.#text[this.at] === closing) {
      this.at++
      this.#closed = this.at >= this.#text.length
      return true
    }
    return this.at >= this.#text.length
  }

  #string(): string {
    const quote = this.#text[this.at]
    let read = ''
    for (this.at++; this.at < this.#text.length; this.at++) {
      const character = this.#text[this.at] ?? ''
      if (character === quote) {
        this.at++
        return read
      }
      if (character !== '\\') read += character
      else read += this.#escaped()
    }
    return read
  }

  #escaped(): string {
    this.at++
    const character = this.#text[this.at] ?? ''
    const code = this.#text.slice(this.at + 1, this.at + 5)
    if (character !== 'u' || !/^[\da-f]{4}$/i.test(code)) return ESCAPES.get(character) ?? character
    this.at += 4
    return String.fromCharCode(Number.parseInt(code, 16))
  }

  #word(): unknown {
    const word = this.#skip(/-?[\w.+]{1,40}/y)
    if (word === undefined) return this.#broken(undefined)
    if (WORDS.has(word)) return WORDS.get(word)
    const number = Number(word)
    return Number.isNaN(number) ? this.#broken(undefined) : number
  }

  /** Cut off in the middle is not broken. */
  #broken<T>(value: T): T {
    if (this.at < this.#text.length) this.isBroken = true
    return value
  }

  #skip(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.at = pattern.lastIndex
    return found[0]
  }
}
