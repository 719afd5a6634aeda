/** JSON as programs save it: one value, one a line, or page after page in one file. */

/** What is in the text, one value after another. Throws SyntaxError where it is no JSON. */
export function* jsonValues(text: string): Generator<unknown> {
  const whole = parsedOrUndefined(text)
  if (whole !== undefined) {
    yield whole
    return
  }
  for (const piece of pieces(text)) yield JSON.parse(piece)
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Objects and lists at the top level, whatever stands between them. */
function* pieces(text: string): Generator<string> {
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = closingQuote(text, at)
    else if (character === '{' || character === '[') {
      if (depth++ === 0) start = at
    } else if ((character === '}' || character === ']') && depth > 0 && --depth === 0) yield text.slice(start, at + 1)
  }
  if (depth > 0) yield text.slice(start)
}

function closingQuote(text: string, open: number): number {
  let at = open + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
