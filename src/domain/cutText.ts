/** Cuts a text for people at a character as they see one: a letter with its marks, an emoji with all its parts. */

const MARK = '…'

/**
 * The text in at most `most` UTF-16 units, in which services count; one that is cut ends in `…`. It never ends inside a
 * character, except where one alone is longer than the limit: then it is cut between code points.
 */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text
  const room = most - MARK.length
  return room < 0 ? '' : text.slice(0, boundaryBefore(text, room)).trimEnd() + MARK
}

/** The text in at most `most` bytes of UTF-8, cut likewise. */
export function cutBytes(text: string, most: number): string {
  if (text.length * 3 <= most) return text
  let cut = text
  // Bytes per unit differ along a text, so one step may not be enough; each one shortens it.
  for (let bytes = sizeOf(cut); bytes > most; bytes = sizeOf(cut))
    cut = cutText(cut, Math.min(cut.length - 1, Math.floor((cut.length * most) / bytes)))
  return cut
}

const encoder = new TextEncoder()
const sizeOf = (text: string) => encoder.encode(text).length

let graphemes: Intl.Segmenter | null = null

/** The last place at or before `place` that is between two characters. */
function boundaryBefore(text: string, place: number): number {
  graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  // What follows the place by more than this cannot change where the character around it begins.
  const near = text.slice(0, place + 64)
  const start = graphemes.segment(near).containing(place)?.index ?? place
  if (start > 0) return start
  return /[\udc00-\udfff]/.test(text.charAt(place)) ? Math.max(0, place - 1) : place
}
