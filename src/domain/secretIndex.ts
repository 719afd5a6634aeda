/**
 * Finds known secrets in a text, whole or in part: any 8 characters in a row of a secret, in any case, with white space
 * between them, escaped, or in base64 or hexadecimal. The time it takes depends on the text alone, not on how many secrets
 * there are; of the secrets themselves only hashes are kept.
 */

import { base64Form, hexForm } from './decodedForms.ts'
import { insideWord, isRow, isSecret, looksRandom, prefixBefore, publicPrefix } from './keyParts.ts'
import { type PlainForm, plainForms } from './plainForm.ts'
import { fold, hashRun, RunHashes } from './runHashes.ts'

/** Fewer characters of a secret may stay: enough to recognise a key by, too few to guess the rest. */
const RUN = 8

/** What is left of a secret that is all escapes is no secret. */
const LEAST_LENGTH = 4

/** First and behind the last unit of the text. */
type Range = readonly [start: number, end: number]

export class SecretIndex {
  /** Hashes of what was added. */
  readonly #added = new Set<string>()
  readonly #runs = new RunHashes()
  /** Lengths of secrets of which only the whole counts. */
  readonly #wholes = new Set<number>()

  /** Values that are no secrets, such as `none`, are ignored. */
  add(secret: string): void {
    const raw = Uint16Array.from(secret, (letter) => letter.charCodeAt(0))
    // Both cases count as equal here too: what is found of the one is found of the other.
    const id = `${raw.length} ${hashRun(raw, 0, raw.length).join()}`
    if (this.#added.has(id) || !isSecret(secret)) return
    this.#added.add(id)
    const part = secret.slice(publicPrefix(secret).length)
    const isGuarded = part.length >= RUN && looksRandom(part)
    const isWord = insideWord(part)
    const counts = (codes: Uint16Array) => (start: number) =>
      !isRow(codes, start, start + RUN) && (codes.length !== part.length || !isWord(start, RUN))
    for (const { codes } of plainForms(isGuarded ? part : secret)) {
      const added = isGuarded ? this.#addRuns(codes, Math.min(RUN, codes.length), counts(codes)) : 0
      if (added === 0) this.#addRuns(codes, codes.length, () => true)
    }
  }

  /** Returns how many count. */
  #addRuns(codes: Uint16Array, length: number, counts: (start: number) => boolean): number {
    if (length < LEAST_LENGTH) return 0
    if (length !== RUN) this.#wholes.add(length)
    let added = 0
    for (let start = 0; start + length <= codes.length; start++) {
      if (!counts(start)) continue
      this.#runs.add(codes, start, length)
      added++
    }
    return added
  }

  /** Whether anything of a secret is in the text. */
  knows(text: string): boolean {
    return this.#rangesIn(text).length > 0
  }

  /** The text with `mask` in the place of everything of a secret; the same text where there is nothing. */
  hide(text: string, mask: string): string {
    const ranges = this.#rangesIn(text)
    if (ranges.length === 0) return text
    let clean = ''
    let from = 0
    for (const [start, end] of ranges) {
      // With its prefix, where that is known: a bare one tells nothing.
      const begin = Math.max(from, start - prefixBefore(text, start).length)
      clean += text.slice(from, begin) + mask
      from = end
    }
    return clean + text.slice(from)
  }

  /** In order, apart from each other. */
  #rangesIn(text: string): readonly Range[] {
    if (this.#runs.isEmpty || text.length < LEAST_LENGTH) return NOTHING
    const found: Range[] = []
    for (const form of formsOf(text)) {
      this.#findRuns(form, found)
      for (const length of this.#wholes) this.#findWholes(form, length, found)
    }
    return found.length === 0 ? NOTHING : merged(found)
  }

  /**
   * Every run of 8 holds 4 characters that begin at a fifth place, so only those are looked at; what they may belong to is
   * looked at closely.
   */
  #findRuns(form: PlainForm, found: Range[]): void {
    const { codes, starts, ends } = form
    for (let at = 0; at + 4 <= codes.length; at += 5) {
      if (!this.#runs.mayHave(codes, at)) continue
      for (let start = Math.max(0, at - 4); start <= at && start + RUN <= codes.length; start++)
        if (this.#runs.has(codes, start, RUN)) found.push([starts[start] ?? 0, ends[start + RUN - 1] ?? 0])
    }
  }

  #findWholes({ codes, starts, ends }: PlainForm, length: number, found: Range[]): void {
    for (let start = 0; start + length <= codes.length; start++)
      if (this.#runs.mayHave(codes, start) && this.#runs.has(codes, start, length))
        if (length > RUN || standsAlone(codes, start, start + length))
          found.push([starts[start] ?? 0, ends[start + length - 1] ?? 0])
  }
}

const NOTHING: readonly Range[] = []

/** The text, and those that it may be the base64 or the hexadecimal form of, from each place where one can begin. */
function formsOf(text: string): readonly PlainForm[] {
  const plain = plainForms(text)
  return plain.flatMap((form) => {
    // So many digits are 8 characters in the shorter of the two.
    if (form.codes.length < (RUN * 4) / 3) return [form]
    return [form, ...[0, 1, 2, 3].map((from) => base64Form(form, from)), ...[0, 1].map((from) => hexForm(form, from))]
  })
}

function merged(ranges: Range[]): readonly Range[] {
  ranges.sort(([one], [other]) => one - other)
  const all: [number, number][] = []
  for (const [start, end] of ranges) {
    const last = all.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else all.push([start, end])
  }
  return all
}

/** A short word is not looked for inside of other words. */
function standsAlone(codes: Uint16Array, start: number, end: number): boolean {
  return !isAlphanumeric(codes[start - 1]) && !isAlphanumeric(codes[end])
}

function isAlphanumeric(code = 0): boolean {
  const folded = fold(code)
  return (folded >= 0x30 && folded <= 0x39) || (folded >= 0x61 && folded <= 0x7a)
}
