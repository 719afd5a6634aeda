/** The oracle of our reader of server-sent events: a reader that others wrote. */

import { createParser } from 'eventsource-parser'
import type { SseEvent } from '../../src/dialects/stream/sse.ts'

/** What eventsource-parser makes of the text, in our words. */
export function referenceEvents(text: string): SseEvent[] {
  const events: SseEvent[] = []
  const parser = createParser({
    onEvent: ({ event, data, id }) => {
      events.push({ event: event ?? '', data, ...(id !== undefined && { id }) })
    },
  })
  parser.feed(text)
  return events
}
