/** What a person is told when, story by story: every message with its time, none missing, none twice. */

import { describe } from 'vitest'
import { asks, at, fails, opens, passes, restarts, revokes, story, works } from './support/alertStory.ts'

describe('an outage', () => {
  story(
    'of two processes is told once, and so is its end',
    { stored: true },
    [
      opens('second'),
      fails('groq', 'mistral'),
      asks({ from: 'first', times: 2 }),
      asks({ from: 'second', times: 2 }),
      at('12:10'),
      works('groq', 'mistral'),
      asks({ from: 'second' }),
      passes('1 h'),
    ],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:10:00 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'that a restart meets is not told again, and its end is told by the next process',
    { stored: true },
    [fails('groq', 'mistral'), asks(), at('12:10'), restarts(), asks(), at('12:20'), works('groq'), passes('1 h')],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:20:15 🟢 Requests are answered again, by groq/m#1, after 20 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (groq)
    `,
  )
})

describe('a key', () => {
  story(
    'that is refused is told once',
    {},
    [revokes('groq'), asks({ times: 5 }), at('13:00'), asks(), passes('1 h')],
    `
      12:00:02 🔑 groq key 1 is refused
      Since: 12:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once
    `,
  )
})
