/** The values that a refusal says are taken. */

const TAKEN =
  /(?:(?:supported|allowed|valid|accepted|permitted) (?:values|options) (?:are|is)|(?:must|should) be (?:one of|either)|expected(?: one of)?|input should be)[: ]{1,3}(?=["'`])/i
const ONE_TAKEN = /(?:, |,|and |or |,? ?and |,? ?or )?["'`]([\w.-]{1,40})["'`] ?/y

/** The values of a list as the services write it: `'none', 'low', and 'high'`. */
export function wordsTaken(words: string): readonly string[] {
  const start = TAKEN.exec(words)
  if (start === null) return []
  const taken: string[] = []
  ONE_TAKEN.lastIndex = start.index + start[0].length
  for (let one = ONE_TAKEN.exec(words); one !== null && taken.length < 16; one = ONE_TAKEN.exec(words))
    taken.push(one[1] ?? '')
  return taken
}
