/** Server-sent events as any program may write them, read as `eventsource-parser` reads them. */

import { type SseEvent, SseReader } from '../../../src/dialects/stream/sse.ts'
import { referenceEvents } from '../../support/referenceEvents.ts'
import type { FuzzTarget, Random } from '../driver.ts'
import { cutsOf, smallerTexts } from '../mutate.ts'
import { same } from '../promises.ts'

interface Written {
  readonly text: string
  readonly cuts: readonly number[]
}

const HEADS = [
  'data: ',
  'data:',
  'data',
  'event: ',
  'event:',
  'id: ',
  'id:',
  'retry: ',
  ': ',
  ':',
  '',
  ' data: ',
  'DATA: ',
]
const WORDS = [
  'a',
  'data',
  'event',
  ':',
  ' ',
  '  ',
  '\t',
  'é',
  '𝄞',
  '\u2028',
  '\0',
  '[DONE]',
  '{"a":1}',
  '10',
  '\ufeff',
  'x'.repeat(40),
]
const ENDS = ['\n', '\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '\r\r', '\n\r', '']

/**
 * Differences that are meant, and kept out of the comparison: keywise has no use for `retry`, forgets an id with its
 * event, counts comments, and tells of an event that the end of the stream cut off (`incomplete`).
 */
export const events: FuzzTarget<Written> = {
  name: 'events',
  share: 42,
  make(random) {
    const lines = Array.from({ length: random.below(16) }, () => someLine(random))
    const text = (random.chance(0.1) ? '\ufeff' : '') + lines.join('')
    return { text, cuts: cutsOf(Buffer.byteLength(text), random) }
  },
  check({ text, cuts }) {
    const bytes = Buffer.from(text)
    const reader = new SseReader()
    const read: SseEvent[] = []
    let from = 0
    for (const to of [...cuts, bytes.length]) {
      read.push(...reader.push(bytes.subarray(from, to)))
      from = to
    }
    same(read, referenceEvents(text), 'other events than eventsource-parser reads')
  },
  *smaller({ text, cuts }) {
    if (cuts.length > 0) yield { text, cuts: [] }
    for (const smaller of smallerTexts(text)) yield { text: smaller, cuts: cuts.slice(0, 1) }
  },
  show: ({ text, cuts }) => `${JSON.stringify(text)} cut at [${cuts.join(', ')}]`,
}

function someLine(random: Random): string {
  const words = Array.from({ length: random.below(4) }, () => random.of(WORDS))
  return random.of(HEADS) + words.join('') + random.of(ENDS)
}
