/** Which secrets may be tokens: random enough that nobody guesses one, and of such characters that a header takes it. */

/** Shorter ones can be guessed; docs/gateway.md states this minimum. */
export const LEAST_LENGTH = 20
/** Longer ones are no token of ours. */
export const MOST_LENGTH = 512

/** A token that is one piece over and over is hardly longer than the piece. */
const LONGEST_PIECE = 10
/** Passwords that every list of common ones begins with, and what examples tell people to replace. */
const KNOWN_WORDS =
  /^(?:changeme|changethis|replaceme|replacethis|password|passwort|passwd|passphrase|letmein|qwerty(?:uiop)?|asdfgh(?:jkl)?|welcome|your|my|secret|token|api|key|here|example|insert|enter|default|sk|keywise)+$/
/** A year or the like behind a word does not help. */
const MOST_DIGITS = 6
/** `123456`, `9876`, `abcdef`: long enough to be no accident. */
const LEAST_RUN = 4

/** Why a secret may not be a token, as the end of a sentence that begins with its name; null where it may. */
export function tokenFault(token: string): string | null {
  if (token.trim() === '') return 'is blank'
  if (token.length < LEAST_LENGTH) return `has ${token.length} characters, at least ${LEAST_LENGTH} are needed`
  if (token.length > MOST_LENGTH) return `has ${token.length} characters, at most ${MOST_LENGTH} can be checked`
  if (!/^[\x21-\x7e]+$/.test(token)) return 'has a blank or a character that no HTTP header can carry'
  return isKnown(token) ? 'is made of well-known words and numbers, which can be guessed' : null
}

/**
 * What makes a token easier to guess than it looks, in the same form; null for nothing. Where only this machine reaches
 * the gateway it is no reason to refuse it.
 */
export function tokenWeakness(token: string): string | null {
  return isRepeated(token) ? 'is the same few characters over and over, which can be guessed' : null
}

function isRepeated(token: string): boolean {
  for (let size = 1; size <= LONGEST_PIECE; size++) {
    const piece = token.slice(0, size)
    if (piece.repeat(Math.ceil(token.length / size)).slice(0, token.length) === token) return true
  }
  return false
}

/** Nothing of weight is left beside words, runs of neighbours and marks between them. */
function isKnown(token: string): boolean {
  const rest = withoutRuns(token.toLowerCase()).replace(/[^a-z0-9]+/g, '')
  const letters = rest.replace(/\d+/g, '')
  return (letters === '' || KNOWN_WORDS.test(letters)) && rest.length - letters.length <= MOST_DIGITS
}

/** Without stretches in which every character follows or precedes the one before: `1234`, `dcba`. */
function withoutRuns(text: string): string {
  let kept = ''
  for (let from = 0; from < text.length; ) {
    const length = runAt(text, from)
    if (length < LEAST_RUN) kept += text.slice(from, from + length)
    from += length
  }
  return kept
}

function runAt(text: string, from: number): number {
  const step = text.charCodeAt(from + 1) - text.charCodeAt(from)
  // After a 9 comes a 0, as on the keyboard.
  if (Math.abs(step) !== 1) return 1
  let end = from + 2
  while (end < text.length && text.charCodeAt(end) - text.charCodeAt(end - 1) === step) end++
  return end - from
}
