/** How deep JSON is nested, seen from its text: what is nested too deep uses up the stack of whoever reads or writes it. */

/** Texts with fewer opening brackets than `most`, nearly all, are only counted; the others are scanned. */
export function isNestedDeeper(text: string, most: number): boolean {
  if (text.length <= most || countOf(text, '[', most) + countOf(text, '{', most) <= most) return false
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === 0x5c) at++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > most) return true
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return false
}

/** No further than the count decides. */
function countOf(text: string, character: string, most: number): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0 && count <= most; at = text.indexOf(character, at + 1)) count++
  return count
}
