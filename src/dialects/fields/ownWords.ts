/** What keywise adds, in parentheses, to a sentence of a vendor's that clients act on. */

/** What the words repeat of the sentence behind a colon is left out. */
export function withOwnWords(sentence: string, words: string): string {
  const colon = words.indexOf(': ')
  const isRepeated = colon >= 0 && sentence.includes(words.slice(colon + 2).trim())
  return `${sentence} (keywise: ${isRepeated ? words.slice(0, colon) : words})`
}
