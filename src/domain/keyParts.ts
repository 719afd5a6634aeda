/** What of a key is secret: its part after the prefix that every key of its provider has, and how much of that counts. */

/** Longest first, because some begin like others. All keys of a kind share them, so they tell nothing. */
const PUBLIC_PREFIXES = [
  'sk-ant-api03-',
  'sk-ant-admin01-',
  'sk-ant-oat01-',
  'github_pat_',
  'sk-svcacct-',
  'sk-or-v1-',
  'sk-admin-',
  'sk-proj-',
  'sk-ant-',
  'tgp_v1_',
  'whsec_',
  'AIzaSy',
  'nvapi-',
  'pplx-',
  'tvly-',
  'AIza',
  'csk-',
  'kwi_',
  'kwa_',
  'kwr_',
  'gsk_',
  'ghp_',
  'xai-',
  'hf_',
  'fw_',
  'r8_',
  'AQ.',
  'sk-',
] as const

/** A word in front, as services and people put it: `mistral-`. What is drawn by lot has both cases or a number in it. */
const WORD_IN_FRONT = /^(?:[a-z]{2,12}|[A-Z]{2,12})[-_.]/

/** `gsk_`, `sk-proj-`, or a word in front; '' for none. */
export function publicPrefix(key: string): string {
  return PUBLIC_PREFIXES.find((prefix) => key.startsWith(prefix)) ?? WORD_IN_FRONT.exec(key)?.[0] ?? ''
}

/** The prefix that ends there; '' for none. */
export function prefixBefore(text: string, end: number): string {
  return PUBLIC_PREFIXES.find((prefix) => text.endsWith(prefix, end)) ?? ''
}

/** Values that people write where a local server takes any key. Masking them would garble texts and hide nothing. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  'none',
  'null',
  'undefined',
  'no-key',
  'no_key',
  'nokey',
  'not-needed',
  'no-key-required',
  'sk-no-key-required',
  'unused',
  'dummy',
  'empty',
  'local',
  'ollama',
  'lm-studio',
  'anything',
  'test',
])

/** Shorter values are found in ordinary words. */
const LEAST_SECRET = 4

export function isSecret(value: string): boolean {
  return value.length >= LEAST_SECRET && !PLACEHOLDERS.has(value.toLowerCase())
}

/** One word, one number, or a word with a short number, as people make up keys: `local-key-2`. */
const WORD = /^(?:[A-Z]?[a-z]*|[A-Z]+)\d{0,3}$|^\d{1,6}$/
const LONGEST_WORD = 15

/** Words inside of a key, which are in other texts as well, such as names of models: `my-openai-responses-key-…`. */
const WORDS_INSIDE = /(?<![A-Za-z0-9])[A-Za-z]{3}[A-Za-z0-9]{0,12}(?![A-Za-z0-9])/g

/** Whether a run of a key is made of its words alone, and of what stands between them. */
export function insideWord(key: string): (start: number, length: number) => boolean {
  const isPlain = Array.from({ length: key.length }, (_, at) => !/[A-Za-z0-9]/.test(key.charAt(at)))
  for (const { 0: word, index } of key.matchAll(WORDS_INSIDE))
    if (WORD.test(word)) isPlain.fill(true, index, index + word.length)
  return (start, length) => key !== '' && isPlain.slice(start, start + length).every(Boolean)
}

/** Rows of one or two characters (`xxxxxxxx`, `--------`, the zeros of a number) are in many texts. */
export function isRow(codes: ArrayLike<number>, start: number, end: number): boolean {
  const first = codes[start]
  let second: number | undefined
  for (let at = start + 1; at < end; at++) {
    if (codes[at] === first || codes[at] === second) continue
    if (second !== undefined) return false
    second = codes[at]
  }
  return true
}

/**
 * Whether a value looks drawn by lot, so that no run of its characters stands in another text by chance. Of a value of
 * words only the whole counts: `local-key` is in many an innocent sentence.
 */
export function looksRandom(part: string): boolean {
  return part.split(/[^A-Za-z0-9]+/).some((word) => word.length > LONGEST_WORD || !WORD.test(word))
}
