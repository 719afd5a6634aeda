/** JSON in an answer that was to be nothing but JSON: as it is, or inside a code fence or prose. */

interface FoundJson {
  /** The JSON text. */
  readonly text: string
  /** Something stood around it. */
  readonly isHealed: boolean
}

/** `object` and `array`: only such a value is looked for in prose; text that is JSON as a whole may be any value. */
export type JsonKind = 'object' | 'array' | 'any'

/** Longer texts are taken as they are: nothing is looked for in them. */
const LONGEST = 400_000
/** Brackets that do not begin a value, after which the search ends. */
const MOST_TRIES = 64

/** Null when there is no JSON value, or more than one, so that it is unknown which is meant. */
export function findJson(answer: string, kind: JsonKind = 'any'): FoundJson | null {
  const text = answer.trim()
  if (isJson(text)) return { text, isHealed: false }
  if (text.length > LONGEST) return null
  const said = text.replace(THOUGHTS, '').trim()
  const found = fenced(said, kind) ?? onlyValue(said, kind)
  return found === null ? null : { text: found, isHealed: true }
}

/** Some models put their thoughts in front of the answer. */
const THOUGHTS = /^<(think|thinking|reasoning)>[\s\S]*?<\/\1>/

/** The inside of the only code fence that holds JSON. */
function fenced(text: string, kind: JsonKind): string | null {
  if (!text.includes('```')) return null
  // Every second piece is inside a fence; its first line may name a language.
  const insides = text.split('```').filter((_, index) => index % 2 === 1)
  const values = insides
    .map((inside) => inside.replace(/^[^\n{["]*/, '').trim())
    .filter((inside) => isKind(inside, kind))
  return values.length === 1 ? (values[0] ?? null) : null
}

/** The only value of that kind in the text. */
function onlyValue(text: string, kind: JsonKind): string | null {
  let found: string | null = null
  let tries = 0
  for (let at = nextOpening(text, 0, kind); at >= 0 && tries < MOST_TRIES; tries++) {
    const end = endOfValue(text, at)
    const value = end < 0 ? '' : text.slice(at, end)
    if (!isKind(value, kind)) at = nextOpening(text, at + 1, kind)
    else if (found !== null) return null
    else {
      found = value
      at = nextOpening(text, end, kind)
    }
  }
  return found
}

function nextOpening(text: string, from: number, kind: JsonKind): number {
  if (kind !== 'any') return text.indexOf(kind === 'object' ? '{' : '[', from)
  const object = text.indexOf('{', from)
  const array = text.indexOf('[', from)
  return object < 0 || (array >= 0 && array < object) ? array : object
}

/** The index behind the bracket that closes the one at `start`; -1 when none does. */
function endOfValue(text: string, start: number): number {
  let depth = 0
  let inString = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1
  }
  return -1
}

function isKind(text: string, kind: JsonKind): boolean {
  const opening = text[0]
  if (kind === 'object' ? opening !== '{' : kind === 'array' ? opening !== '[' : opening !== '{' && opening !== '[')
    return false
  return isJson(text)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
