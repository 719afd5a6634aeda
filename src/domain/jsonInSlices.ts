/**
 * Reads a long JSON text a slice at a time, so that whoever waits beside it is served in between, and looks at its depth
 * and the number of its parts before memory is spent on them.
 *
 * Only brackets, quotes and commas are looked at. Runs of whole elements or fields are parsed as they are, by the parser
 * that is given; what is longer than a run is opened, and its own elements are read in runs.
 */

import { closingQuote, NestingError, parseJson } from './parseJson.ts'

export interface SliceOptions {
  /** Deepest nesting that is read. */
  readonly maxDepth: number
  /** Most objects, lists and fields together. */
  readonly maxParts: number
  /** Most elements of lists and fields together. */
  readonly maxElements: number
  /** Reads one run. Default: `parseJson`, which keeps numbers as they were sent. */
  readonly parse?: (text: string) => unknown
  /** Characters of a run. Default: 32,768, long enough for a native parser to pay, and too short to be noticed. */
  readonly run?: number
}

/** There are more parts than anyone needs. */
export class TooManyPartsError extends RangeError {}

const RUN = 32 * 1024
/** Runs of characters that are looked at between two pauses. */
const RUNS_AT_ONCE = 8

const COMMA = 0x2c
const COLON = 0x3a
const QUOTE = 0x22
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** An object or list whose end has not come. */
interface Frame {
  readonly isList: boolean
  /** Of its opening bracket. */
  readonly start: number
  /** Where its next run begins. */
  runStart: number
  /** Behind its last comma or opening bracket. */
  memberStart: number
  /** What was read of it; null while it may still be part of a run of what it is in. */
  value: unknown[] | Record<string, unknown> | null
  /** The element behind the last comma was opened and has ended: nothing may stand behind it. */
  hasMember: boolean
}

/**
 * A generator that pauses (`yield`) after each slice and returns the value. Throws SyntaxError, NestingError and
 * TooManyPartsError. The value is what `parse` would return for the whole.
 */
export function jsonInSlices(text: string, options: SliceOptions): Generator<undefined, unknown> {
  return new SlicedText(text, options).read()
}

class SlicedText {
  readonly #text: string
  readonly #options: SliceOptions
  readonly #parse: (text: string) => unknown
  readonly #run: number
  readonly #frames: Frame[] = []
  #parts = 0
  #elements = 0
  #root: { readonly value: unknown } | null = null

  constructor(text: string, options: SliceOptions) {
    this.#text = text
    this.#options = options
    this.#parse = options.parse ?? parseJson
    this.#run = options.run ?? RUN
  }

  *read(): Generator<undefined, unknown> {
    const text = this.#text
    const slice = RUNS_AT_ONCE * this.#run
    let pauseAt = slice
    for (let at = 0; at < text.length; at++) {
      if (at >= pauseAt) {
        pauseAt = at + slice
        yield
      }
      const code = text.charCodeAt(at)
      if (code === QUOTE) at = closingQuote(text, at)
      else if (code === COMMA) this.#comma(at)
      else if (code === COLON) this.#count()
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#open(at, code === OPEN_BRACKET)
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) this.#close(at, code === CLOSE_BRACKET)
    }
    if (this.#frames.length > 0) throw wrongAt(text.length)
    // A single value that is neither object nor list, or something around one.
    if (this.#root === null) return this.#parsed(text, 0)
    return this.#root.value
  }

  #count(): void {
    if (++this.#parts > this.#options.maxParts)
      throw new TooManyPartsError(`made of more than ${this.#options.maxParts} objects, lists and fields`)
  }

  #open(at: number, isList: boolean): void {
    this.#count()
    const { maxDepth } = this.#options
    if (this.#frames.length >= maxDepth) throw new NestingError(`nested more than ${maxDepth} levels deep`)
    const parent = this.#frames.at(-1)
    if (parent === undefined ? !this.#isBlank(0, at) : parent.hasMember) throw wrongAt(at)
    this.#frames.push({ isList, start: at, runStart: at + 1, memberStart: at + 1, value: null, hasMember: false })
  }

  #comma(at: number): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) throw wrongAt(at)
    if (++this.#elements > this.#options.maxElements)
      throw new TooManyPartsError(`made of more than ${this.#options.maxElements} elements`)
    if (frame.hasMember) this.#endMember(frame, at)
    else if (at - frame.runStart >= this.#run) {
      this.#materialise()
      this.#addRun(frame, at)
    }
    frame.memberStart = at + 1
  }

  /** Behind an element that was opened nothing but a comma or the end may come. */
  #endMember(frame: Frame, at: number): void {
    if (!this.#isBlank(frame.runStart, at)) throw wrongAt(at)
    frame.hasMember = false
    frame.runStart = at + 1
  }

  #close(at: number, isList: boolean): void {
    const frame = this.#frames.pop()
    if (frame === undefined || frame.isList !== isList) throw wrongAt(at)
    if (frame.value !== null) this.#finish(frame, at)
    else if (this.#frames.length === 0)
      this.#root = { value: this.#parsed(this.#text.slice(frame.start, at + 1), frame.start) }
    if (this.#frames.length === 0 && !this.#isBlank(at + 1, this.#text.length)) throw wrongAt(at + 1)
  }

  /** The end of what was read in runs. */
  #finish(frame: Frame, at: number): void {
    if (frame.hasMember) this.#endMember(frame, at)
    // At least one comma or element came before, so that something has to stand here.
    else this.#addRun(frame, at)
    const parent = this.#frames.at(-1)
    if (parent === undefined) this.#root = { value: frame.value }
    else {
      parent.hasMember = true
      parent.runStart = at + 1
    }
  }

  /** Gives every open object and list its value and, in what it is in, its place. */
  #materialise(): void {
    let parent: Frame | undefined
    for (const frame of this.#frames) {
      if (frame.value === null) {
        frame.value = frame.isList ? [] : {}
        if (parent !== undefined) this.#addMember(parent, frame)
      }
      parent = frame
    }
  }

  /** What stands in front of the opened element, then the element itself, empty as yet. */
  #addMember(parent: Frame, { start, value }: Frame): void {
    if (parent.memberStart > parent.runStart) this.#addRun(parent, parent.memberStart - 1)
    const before = this.#text.slice(parent.memberStart, start)
    if (Array.isArray(parent.value)) {
      if (!BLANK.test(before)) throw wrongAt(start)
      parent.value.push(value)
      return
    }
    const [name, ...more] = Object.keys(this.#parsed(`{${before}0}`, start) as object) // what parses is an object
    if (name === undefined || more.length > 0) throw wrongAt(start)
    setField(parent.value ?? {}, name, value)
  }

  /** Adds the elements or fields up to there, of which there has to be at least one. */
  #addRun(frame: Frame, end: number): void {
    const run = this.#text.slice(frame.runStart, end)
    if (BLANK.test(run)) throw wrongAt(end)
    const from = frame.runStart
    frame.runStart = end + 1
    if (Array.isArray(frame.value)) {
      for (const element of this.#parsed(`[${run}]`, from) as unknown[]) frame.value.push(element)
      return
    }
    const fields = this.#parsed(`{${run}}`, from) as Record<string, unknown> // the braces make it one
    for (const name of Object.keys(fields)) setField(frame.value ?? {}, name, fields[name])
  }

  #parsed(text: string, from: number): unknown {
    try {
      return this.#parse(text)
    } catch (error) {
      throw error instanceof SyntaxError ? wrongAt(from) : error
    }
  }

  #isBlank(from: number, to: number): boolean {
    return BLANK.test(this.#text.slice(from, to))
  }
}

/** As a field of its own, also where its name is `__proto__`. */
function setField(fields: object, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(fields, name, { value, writable: true, enumerable: true, configurable: true })
  else (fields as Record<string, unknown>)[name] = value
}

/** What may stand between the parts of a text. */
const BLANK = /^[ \t\n\r]*$/

const wrongAt = (place: number) => new SyntaxError(`near character ${place}`)
