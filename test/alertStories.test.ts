/** What a person is told when, story by story: every message with its time, none missing, none twice. */

import { describe } from 'vitest'
import {
  asks,
  at,
  changes,
  clockIsSet,
  clockStands,
  closes,
  fails,
  failsWith,
  opens,
  passes,
  restarts,
  revokes,
  type Step,
  sleeps,
  story,
  works,
} from './support/alertStory.ts'

const two = (minute: number) => String(minute).padStart(2, '0')

/** Everything fails from one time to another, and somebody asks at both. */
const outage = (from: string, to: string): readonly Step[] => [
  at(from),
  fails('groq', 'mistral'),
  asks(),
  at(to),
  works('groq', 'mistral'),
  asks(),
]

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
    'is ended by the first answer of a process that lives no longer',
    { stored: true },
    [
      ...[fails('groq', 'mistral'), asks(), passes('1 min'), closes(), works('groq', 'mistral'), clockIsSet('9 min')],
      ...[opens('second'), asks(), closes('second')],
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

describe('what comes and goes', () => {
  story(
    'is told three times an hour, and then when it lasts, though nothing else happens',
    {},
    [
      ...outage('12:01', '12:02'),
      ...outage('12:15', '12:16'),
      ...outage('12:28', '12:29'),
      ...[at('12:39'), fails('groq', 'mistral'), asks({ every: '10 min', until: '15:00' })],
      ...[works('groq', 'mistral'), asks(), passes('1 h')],
    ],
    `
      12:01:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:01 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:02:00 🟢 Requests are answered again, by groq/m#1, after 60 seconds
      Since: 12:01 UTC
      Still works: 1 of 2 targets (groq)

      12:15:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:15 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:16:00 🟢 Requests are answered again, by groq/m#1, after 60 seconds
      Since: 12:15 UTC
      Still works: 1 of 2 targets (groq)

      12:28:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:28 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: not reported again before 13:01 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:29:00 🟢 Requests are answered again, by mistral/m#1, after 60 seconds
      Since: 12:28 UTC
      Still works: 1 of 2 targets (mistral)

      12:49:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:39 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: it came and went 3 times since 12:01 UTC; not reported again before 13:15 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      15:00:00 🟢 Requests are answered again, by groq/m#1, after 2 hours
      Since: 12:39 UTC
      Still works: 1 of 2 targets (groq)
    `,
  )

  story(
    'is not told while it goes on flapping, and the last that was told is true',
    {},
    [...[0, 5, 10, 15, 20, 25].flatMap((minute) => outage(`12:${two(minute)}`, `12:${two(minute + 1)}`)), at('14:00')],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:01:00 🟢 Requests are answered again, by groq/m#1, after 60 seconds
      Since: 12:00 UTC
      Still works: 1 of 2 targets (groq)

      12:05:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:05 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:06:00 🟢 Requests are answered again, by mistral/m#1, after 60 seconds
      Since: 12:05 UTC
      Still works: 1 of 2 targets (mistral)

      12:10:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:10 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: not reported again before 13:00 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:11:00 🟢 Requests are answered again, by mistral/m#1, after 60 seconds
      Since: 12:10 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'and is there when the hour is over is told at once',
    {},
    [
      ...outage('12:00', '12:02'),
      ...outage('12:20', '12:22'),
      ...outage('12:40', '12:42'),
      ...[at('12:55'), fails('groq', 'mistral'), asks(), at('13:30')],
    ],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:02:00 🟢 Requests are answered again, by mistral/m#1, after 2 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      12:20:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:20 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:22:00 🟢 Requests are answered again, by mistral/m#1, after 2 minutes
      Since: 12:20 UTC
      Still works: 1 of 2 targets (mistral)

      12:40:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:40 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: not reported again before 13:00 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:42:00 🟢 Requests are answered again, by mistral/m#1, after 2 minutes
      Since: 12:40 UTC
      Still works: 1 of 2 targets (mistral)

      13:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:55 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: it came and went 3 times since 12:00 UTC; not reported again before 13:20 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers
    `,
  )

  story(
    'is told once by two processes, whichever sees it, and after a restart of one',
    { stored: true },
    [
      opens('second'),
      ...outage('12:01', '12:02'),
      ...outage('12:15', '12:16'),
      ...outage('12:28', '12:29'),
      ...[at('12:39'), fails('groq', 'mistral'), asks(), asks({ from: 'second' }), at('12:42'), restarts()],
      ...[at('14:00'), works('groq', 'mistral'), asks({ from: 'second' }), passes('10 min')],
    ],
    `
      12:01:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:01 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:02:00 🟢 Requests are answered again, by groq/m#1, after 60 seconds
      Since: 12:01 UTC
      Still works: 1 of 2 targets (groq)

      12:15:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:15 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:16:00 🟢 Requests are answered again, by groq/m#1, after 60 seconds
      Since: 12:15 UTC
      Still works: 1 of 2 targets (groq)

      12:28:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:28 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: not reported again before 13:01 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:29:00 🟢 Requests are answered again, by mistral/m#1, after 60 seconds
      Since: 12:28 UTC
      Still works: 1 of 2 targets (mistral)

      12:49:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:39 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: it came and went 3 times since 12:01 UTC; not reported again before 13:15 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      14:00:00 🟢 Requests are answered again, by groq/m#1, after 81 minutes
      Since: 12:39 UTC
      Still works: 1 of 2 targets (groq)
    `,
  )

  story(
    'is told when it lasts of an alias as well, and of no other',
    { providers: ['groq', 'mistral', 'cerebras'], settings: { models: { smart: ['groq/m'] } } },
    [
      ...['12:00', '12:10', '12:20', '12:30'].flatMap((time, index) => [
        ...[at(time), fails('groq'), asks({ model: 'smart' })],
        ...(index === 3 ? [] : [passes('1 min'), works('groq'), asks({ model: 'smart' })]),
      ]),
      at('13:30'),
      works('groq'),
      passes('10 min'),
    ],
    `
      12:00:01 🔴 Nothing answers for "smart": 1 of 1 targets are out
      Since: 12:00 UTC
      Why: groq: server errors
      Still works: 2 of 3 targets (mistral, cerebras)
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:01:00 🟢 "smart" is answered again, by groq/m#1, after 60 seconds
      Since: 12:00 UTC
      Still works: 3 of 3 targets (groq, mistral, cerebras)

      12:10:01 🔴 Nothing answers for "smart": 1 of 1 targets are out
      Since: 12:10 UTC
      Why: groq: server errors
      Still works: 2 of 3 targets (mistral, cerebras)
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:11:00 🟢 "smart" is answered again, by groq/m#1, after 60 seconds
      Since: 12:10 UTC
      Still works: 3 of 3 targets (groq, mistral, cerebras)

      12:20:01 🔴 Nothing answers for "smart": 1 of 1 targets are out
      Since: 12:20 UTC
      Why: groq: server errors
      Flapping: not reported again before 13:00 UTC unless it lasts 10 minutes
      Still works: 2 of 3 targets (mistral, cerebras)
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:21:00 🟢 "smart" is answered again, by groq/m#1, after 60 seconds
      Since: 12:20 UTC
      Still works: 3 of 3 targets (groq, mistral, cerebras)

      12:40:10 🔴 Nothing answers for "smart": 1 of 1 targets are out
      Since: 12:30 UTC
      Why: groq: server errors
      Flapping: it came and went 3 times since 12:00 UTC; not reported again before 13:10 UTC unless it lasts 10 minutes
      Still works: 2 of 3 targets (mistral, cerebras)
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      13:30:15 🟢 "smart" is answered again, by groq/m#1, after 60 minutes
      Since: 12:30 UTC
      Still works: 3 of 3 targets (groq, mistral, cerebras)
    `,
  )

  story(
    'is told when it lasts of a key as well',
    {},
    [
      ...['12:00', '12:12', '12:24', '12:36'].flatMap((time, index) => [
        ...[at(time), revokes('groq'), asks({ model: 'groq/m' })],
        ...(index === 3 ? [] : [passes('1 min'), works('groq'), passes('2 min'), asks({ model: 'groq/m' })]),
      ]),
      at('14:00'),
      works('groq'),
      passes('2 h'),
      asks({ model: 'groq/m' }),
      passes('1 min'),
    ],
    `
      12:00:01 🔴 Nothing answers for "groq/m": 1 of 1 targets are out
      Since: 12:00 UTC
      Why: groq: refused key
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; keywise tells you when it works again
      To do: replace key 1 of groq in the configuration

      12:00:02 🔑 groq key 1 is refused
      Since: 12:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      12:01:10 🟢 "groq/m" is answered again, by groq/m#1, after 70 seconds
      Since: 12:00 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:01:11 🟢 groq key 1 works again after 70 seconds
      Since: 12:00 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:12:01 🔴 Nothing answers for "groq/m": 1 of 1 targets are out
      Since: 12:12 UTC
      Why: groq: refused key
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; keywise tells you when it works again
      To do: replace key 1 of groq in the configuration

      12:12:02 🔑 groq key 1 is refused
      Since: 12:12 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      12:13:10 🟢 "groq/m" is answered again, by groq/m#1, after 70 seconds
      Since: 12:12 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:13:11 🟢 groq key 1 works again after 70 seconds
      Since: 12:12 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:24:01 🔴 Nothing answers for "groq/m": 1 of 1 targets are out
      Since: 12:24 UTC
      Why: groq: refused key
      Flapping: not reported again before 13:00 UTC unless it lasts 10 minutes
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; keywise tells you when it works again
      To do: replace key 1 of groq in the configuration

      12:24:02 🔑 groq key 1 is refused
      Since: 12:24 UTC
      Why: groq answered 401: Incorrect API key provided.
      Flapping: not reported again before 13:00 UTC unless it lasts 10 minutes
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      12:25:10 🟢 "groq/m" is answered again, by groq/m#1, after 70 seconds
      Since: 12:24 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:25:11 🟢 groq key 1 works again after 70 seconds
      Since: 12:24 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:46:10 🔴 Nothing answers for "groq/m": 1 of 1 targets are out
      Since: 12:36 UTC
      Why: groq: refused key
      Flapping: it came and went 3 times since 12:00 UTC; not reported again before 13:12 UTC unless it lasts 10 minutes
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; keywise tells you when it works again
      To do: replace key 1 of groq in the configuration

      🔑 groq key 1 is refused
      Since: 12:36 UTC
      Why: groq answered 401: Incorrect API key provided.
      Flapping: it came and went 3 times since 12:00 UTC; not reported again before 13:12 UTC unless it lasts 10 minutes
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      14:00:15 🟢 "groq/m" is answered again, by groq/m#1, after 84 minutes
      Since: 12:36 UTC
      Still works: 2 of 2 targets (groq, mistral)

      14:00:16 🟢 groq key 1 works again after 84 minutes
      Since: 12:36 UTC
      Still works: 2 of 2 targets (groq, mistral)
    `,
  )

  story(
    'is told when it lasts of a provider as well',
    { telegram: { events: ['provider_down'] } },
    [
      ...[0, 12, 24].flatMap((minute) => [
        ...[fails('groq'), asks({ every: '10 s', until: `12:${two(minute + 2)}` })],
        ...[works('groq'), asks({ every: '20 s', until: `12:${minute + 12}` })],
      ]),
      ...[fails('groq'), asks({ every: '1 min', until: '14:00' })],
      ...[works('groq'), asks({ every: '1 min', until: '14:30' })],
    ],
    `
      12:00:21 🟠 groq is down: all 1 targets
      Since: 12:00 UTC
      Why: server errors
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; it is tried again at 12:00 UTC
      To do: nothing to do while the others answer; groq's status page says more

      12:02:20 🟢 groq is back after 2 minutes
      Since: 12:00 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:12:21 🟠 groq is down: all 1 targets
      Since: 12:12 UTC
      Why: server errors
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; it is tried again at 12:12 UTC
      To do: nothing to do while the others answer; groq's status page says more

      12:14:20 🟢 groq is back after 2 minutes
      Since: 12:12 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:24:21 🟠 groq is down: all 1 targets
      Since: 12:24 UTC
      Why: server errors
      Flapping: not reported again before 13:00 UTC unless it lasts 10 minutes
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; it is tried again at 12:24 UTC
      To do: nothing to do while the others answer; groq's status page says more

      12:26:20 🟢 groq is back after 2 minutes
      Since: 12:24 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:47:15 🟠 groq is down: all 1 targets
      Since: 12:37 UTC
      Why: server errors
      Flapping: it came and went 3 times since 12:00 UTC; not reported again before 13:12 UTC unless it lasts 10 minutes
      Still works: 1 of 2 targets (mistral)
      Expected back: unknown; it is tried again at 12:54 UTC
      To do: nothing to do while the others answer; groq's status page says more

      14:00:00 🟢 groq is back after 83 minutes
      Since: 12:37 UTC
      Still works: 2 of 2 targets (groq, mistral)
    `,
  )
})

describe('a clock', () => {
  story(
    'that stands still hides no outage',
    {},
    [
      ...[fails('groq', 'mistral'), asks(), clockStands(3), works('groq', 'mistral'), asks(), clockStands(3)],
      ...[clockIsSet('7 min'), clockStands(1), fails('groq', 'mistral'), asks(), clockStands(3)],
      ...[works('groq', 'mistral'), asks(), clockStands(3)],
      ...[clockIsSet('7 min'), clockStands(1), fails('groq', 'mistral'), asks(), clockStands(3)],
      ...[clockIsSet('5 h'), clockStands(3)],
    ],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:07:00 🟢 Requests are answered again, by groq/m#1, after 1 second
      Since: 12:00 UTC
      Still works: 2 of 2 targets (groq, mistral)

      12:14:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:07 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      🟢 Requests are answered again, by groq/m#1, after 1 second
      Since: 12:07 UTC
      Still works: 1 of 2 targets (groq)

      17:14:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:14 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: not reported again before 13:00 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers
    `,
  )

  story(
    'that is set back by a day mutes nothing for a day',
    {},
    [
      ...outage('12:01', '12:02'),
      ...outage('12:15', '12:16'),
      ...outage('12:28', '12:29'),
      ...[clockIsSet('-1 d'), passes('1 min'), fails('groq', 'mistral'), asks(), passes('30 min')],
    ],
    `
      12:01:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:01 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:02:00 🟢 Requests are answered again, by groq/m#1, after 60 seconds
      Since: 12:01 UTC
      Still works: 1 of 2 targets (groq)

      12:15:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:15 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:16:00 🟢 Requests are answered again, by groq/m#1, after 60 seconds
      Since: 12:15 UTC
      Still works: 1 of 2 targets (groq)

      12:28:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:28 UTC
      Why: groq: server errors; mistral: server errors
      Flapping: not reported again before 13:01 UTC unless it lasts 10 minutes
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:29:00 🟢 Requests are answered again, by mistral/m#1, after 60 seconds
      Since: 12:28 UTC
      Still works: 1 of 2 targets (mistral)

      -1 12:30:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:30 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers
    `,
  )

  story(
    'that jumps before every request hides no outage, whatever the failure',
    {},
    [
      failsWith('reset', 'groq', 'mistral'),
      ...Array.from({ length: 4 }, () => [clockIsSet('10 min'), clockStands(1), asks()]).flat(),
      ...[clockIsSet('10 min'), clockStands(1), works('groq', 'mistral'), asks(), clockStands(3), passes('10 s')],
    ],
    `
      12:20:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:20 UTC
      Why: groq: failing connections; mistral: failing connections
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: check the network and the proxy of this machine; "keywise doctor" says more

      12:50:00 🟢 Requests are answered again, by groq/m#1, after 30 minutes
      Since: 12:20 UTC
      Still works: 2 of 2 targets (groq, mistral)
    `,
  )
})

const PRICE = { input: 1, output: 15 }
const budget = (facts: object) => ({ settings: { budgets: [{ scope: 'all', per: 'day', hard: true, ...facts }] } })
/** Every call costs this, whatever its length. */
const fixed = (usd: number) => ({ input: 0, output: 0, request: usd })

describe('a hard budget', () => {
  story(
    'that refuses long before it is spent is told at the first refusal, once a day, with what still works',
    { providers: ['groq'], prices: { groq: PRICE }, ...budget({ usd: 0.05 }) },
    [
      asks({ maxTokens: 2900, times: 60 }),
      ...[at('13:00'), asks({ maxTokens: 2900, times: 60 }), at('+1 12:00'), asks({ maxTokens: 2900, times: 60 })],
      passes('1 h'),
    ],
    `
      12:00:00 💰 Budget all: calls are refused at $0.0065 of $0.05 per day: a call may cost up to $0.044, more than is left
      Since: 12:00 UTC
      Still works: calls with at most 2,896 output tokens: 1 of 1 targets (groq)
      Expected back: next reset 00:00 UTC
      To do: lower "max_tokens", raise the budget, or wait for the reset

      +1 12:00:00 💰 Budget all: calls are refused at $0.0065 of $0.05 per day: a call may cost up to $0.044, more than is left
      Since: 12:00 UTC
      Still works: calls with at most 2,896 output tokens: 1 of 1 targets (groq)
      Expected back: next reset 00:00 UTC
      To do: lower "max_tokens", raise the budget, or wait for the reset
    `,
  )

  story(
    'that refuses one call before midnight and one after it is told twice',
    { providers: ['groq'], prices: { groq: PRICE }, ...budget({ usd: 0.01 }), startsAt: '2026-11-20T23:59:40Z' },
    [asks({ maxTokens: 2900 }), at('+1 00:00:10'), asks({ maxTokens: 2900 }), passes('1 h')],
    `
      23:59:40 💰 Budget all: calls are refused at $0.00 of $0.01 per day: a call may cost up to $0.044, more than all of it
      Since: 23:59 UTC
      Still works: calls with at most 664 output tokens: 1 of 1 targets (groq)
      To do: lower "max_tokens", or raise the budget

      +1 00:00:10 💰 Budget all: calls are refused at $0.00 of $0.01 per day: a call may cost up to $0.044, more than all of it
      Since: 00:00 UTC
      Still works: calls with at most 664 output tokens: 1 of 1 targets (groq)
      To do: lower "max_tokens", or raise the budget
    `,
  )

  story(
    'of a total that is spent promises no reset',
    { providers: ['groq'], prices: { groq: PRICE }, ...budget({ usd: 0.05, per: 'total' }) },
    [asks({ maxTokens: 2900, times: 60 }), passes('1 h')],
    `
      12:00:00 💰 Budget all: calls are refused at $0.0065 of $0.05: a call may cost up to $0.044, more than is left
      Since: 12:00 UTC
      Still works: calls with at most 2,896 output tokens: 1 of 1 targets (groq)
      To do: lower "max_tokens", or raise the budget
    `,
  )

  story(
    'whose small calls go on tells first that it refuses, then that nothing fits any more',
    { providers: ['groq'], prices: { groq: { input: 0, output: 10, request: 0.002 } }, ...budget({ usd: 0.02 }) },
    [
      ...[asks({ maxTokens: 1500, times: 4 }), at('12:10'), asks({ maxTokens: 12, times: 4 })],
      ...[at('12:20'), asks({ maxTokens: 12, times: 4 }), at('12:30'), asks({ maxTokens: 1, times: 4 }), passes('1 h')],
    ],
    `
      12:00:00 💰 Budget all: calls are refused at $0.0042 of $0.02 per day: a call may cost up to $0.017, more than is left
      Since: 12:00 UTC
      Still works: calls with at most 1,378 output tokens: 1 of 1 targets (groq)
      Expected back: next reset 00:00 UTC
      To do: lower "max_tokens", raise the budget, or wait for the reset

      12:10:00 💰 Budget all: 50 % reached, $0.011 of $0.02 per day
      Since: 12:10 UTC
      Still works: calls that may cost no more than the $0.0095 left
      Expected back: next reset 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      12:20:00 💰 Budget all: 80 % reached, $0.017 of $0.02 per day
      Since: 12:20 UTC
      Still works: calls that may cost no more than the $0.0031 left
      Expected back: next reset 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      12:20:01 💰 Budget all: calls are refused at $0.019 of $0.02 per day: a call may cost up to $0.0021, more than is left; no further call of this scope is made
      Since: 12:20 UTC
      Still works: nothing
      Expected back: next reset 00:00 UTC
      To do: raise the budget, or wait for the reset
    `,
  )

  story(
    'of requests is told at its thresholds, and that it is spent, once',
    { providers: ['groq'], ...budget({ requests: 10 }) },
    [asks({ every: '1 min', until: '12:15' }), asks({ times: 5 }), passes('2 h')],
    `
      12:04:00 💰 Budget all: 50 % reached, 5 of 10 requests per day
      Since: 12:04 UTC
      Still works: 5 more requests
      Expected back: next reset 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      12:07:00 💰 Budget all: 80 % reached, 8 of 10 requests per day
      Since: 12:07 UTC
      Still works: 2 more requests
      Expected back: next reset 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      12:09:00 💰 Budget all: 100 % reached, 10 of 10 requests per day; no further call of this scope is made
      Since: 12:09 UTC
      Still works: nothing
      Expected back: next reset 00:00 UTC
      To do: raise the budget in the configuration, or wait for the reset
    `,
  )

  story(
    'of tokens is told when it refuses',
    { providers: ['groq'], ...budget({ tokens: 1000 }) },
    [asks({ maxTokens: 600 }), at('12:05'), asks({ maxTokens: 1200 }), passes('1 h')],
    `
      12:05:00 💰 Budget all: calls are refused at 13 of 1000 tokens per day: a call may need up to 1238 tokens, more than all of it
      Since: 12:05 UTC
      Still works: calls with at most 949 output tokens: 1 of 1 targets (groq)
      To do: lower "max_tokens", or raise the budget
    `,
  )

  story(
    'of one provider is told with the others that answer',
    { prices: { groq: fixed(0.01), mistral: fixed(0.01) }, ...budget({ scope: 'groq', usd: 0.025 }) },
    [asks({ every: '1 min', until: '12:10' }), passes('1 h')],
    `
      12:01:00 💰 Budget groq: 80 % reached, $0.02 of $0.025 per day
      Since: 12:01 UTC
      Still works: calls that may cost no more than the $0.005 left
      Expected back: next reset 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      12:02:00 💰 Budget groq: calls are refused at $0.02 of $0.025 per day: a call may cost up to $0.01, more than is left
      Since: 12:02 UTC
      Still works: 1 of 2 targets (mistral)
      Expected back: next reset 00:00 UTC
      To do: raise the budget, or wait for the reset
    `,
  )

  story(
    'of a label is told when it refuses what has the label',
    {
      providers: ['groq'],
      prices: { groq: fixed(0.01) },
      ...budget({ scope: 'label:team=a', usd: 0.025 }),
    },
    [asks({ labels: { team: 'a' }, times: 4 }), asks({ labels: { team: 'b' }, times: 4 }), passes('1 h')],
    `
      12:00:00 💰 Budget label:team=a: 80 % reached, $0.02 of $0.025 per day
      Since: 12:00 UTC
      Still works: calls that may cost no more than the $0.005 left
      Expected back: next reset 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      12:00:01 💰 Budget label:team=a: calls are refused at $0.02 of $0.025 per day: a call may cost up to $0.01, more than is left; no further call of this scope is made
      Since: 12:00 UTC
      Still works: other calls: 1 of 1 targets (groq)
      Expected back: next reset 00:00 UTC
      To do: raise the budget, or wait for the reset
    `,
  )

  story(
    'that is paced says until when it refuses',
    {
      providers: ['groq'],
      prices: { groq: fixed(0.01) },
      ...budget({ usd: 0.24, pace: true }),
      startsAt: '2026-11-20T01:10:00Z',
    },
    [asks({ times: 4 }), at('02:00'), asks({ times: 4 }), at('06:00'), asks(), passes('1 h')],
    `
      01:10:00 💰 Budget all: calls are refused at $0.02 of $0.24 per day, paced: $0.02 until 02:00 UTC: a call may cost up to $0.01, more than is left
      Since: 01:10 UTC
      Still works: nothing
      Expected back: there is more room 02:00 UTC
      To do: raise the budget, or wait for the reset
    `,
  )

  story(
    'is told once by two processes, and not again after a restart',
    { stored: true, providers: ['groq'], prices: { groq: PRICE }, ...budget({ usd: 0.05 }) },
    [
      ...[opens('second'), asks({ maxTokens: 4000 }), asks({ maxTokens: 4000, from: 'second' }), at('12:10')],
      ...[restarts(), asks({ maxTokens: 4000, times: 3 }), restarts('second'), passes('1 h')],
      asks({ maxTokens: 4000, from: 'second' }),
      passes('1 h'),
    ],
    `
      12:00:00 💰 Budget all: calls are refused at $0.00 of $0.05 per day: a call may cost up to $0.06, more than all of it
      Since: 12:00 UTC
      Still works: calls with at most 3,330 output tokens: 1 of 1 targets (groq)
      To do: lower "max_tokens", or raise the budget
    `,
  )

  story(
    'that forbids all spending is told only where nothing else answers',
    { prices: { groq: fixed(0.01), mistral: fixed(0) }, ...budget({ usd: 0 }) },
    [asks({ times: 3 }), passes('10 min'), asks({ model: 'groq/m' }), passes('1 h')],
    `
      12:10:00 💰 Budget all: nothing may be spent, so calls are refused
      Since: 12:10 UTC
      Still works: other calls: 1 of 2 targets (mistral)
      To do: give the budget an amount, or add a free key
    `,
  )

  story(
    'beside a soft one: what is said to work is true of both',
    {
      providers: ['groq'],
      prices: { groq: PRICE },
      settings: {
        budgets: [
          { scope: 'all', usd: 0.05, per: 'day', hard: true },
          { scope: 'groq', requests: 4, per: 'day', hard: false },
        ],
      },
    },
    [asks({ maxTokens: 4000 }), asks({ times: 4, maxTokens: 5 }), passes('1 h')],
    `
      12:00:00 💰 Budget all: calls are refused at $0.00 of $0.05 per day: a call may cost up to $0.06, more than all of it
      Since: 12:00 UTC
      Still works: calls with at most 3,330 output tokens: 1 of 1 targets (groq)
      To do: lower "max_tokens", or raise the budget

      12:00:01 💰 Budget groq: 50 % reached, 2 of 4 requests per day
      Since: 12:00 UTC
      Still works: 1 of 1 targets (groq)
      Expected back: next reset 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      💰 Budget groq: 100 % reached, 4 of 4 requests per day
      Since: 12:00 UTC
      Still works: 1 of 1 targets (groq)
      Expected back: next reset 00:00 UTC
      To do: raise the budget in the configuration, or wait for the reset
    `,
  )
})

const NIGHT = { telegram: { quiet: '22-07 Europe/Madrid', events: ['all'] } }

describe('quiet hours', () => {
  story(
    'keep everything that is not urgent, and end with one message: what is still so, what came and went',
    {
      ...NIGHT,
      providers: ['groq', 'mistral', 'cerebras'],
      settings: { models: { smart: ['mistral/m'] } },
      startsAt: '2026-11-20T20:50:00Z',
    },
    [
      ...[revokes('groq'), asks(), at('22:10'), fails('mistral'), asks({ model: 'smart' }), at('22:30')],
      ...[works('mistral'), asks({ model: 'smart' }), at('23:10'), fails('mistral'), asks({ model: 'smart' })],
      ...[passes('5 min'), works('mistral'), asks({ model: 'smart' }), at('+1 01:00'), revokes('cerebras')],
      ...[asks({ model: 'cerebras/m' }), passes('1 min'), sleeps('4 h'), at('+1 05:50'), at('+1 06:30')],
    ],
    `
      20:50:02 🔑 groq key 1 is refused
      Since: 20:50 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 2 of 3 targets (mistral, cerebras)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      +1 06:00:00 🌅 In the quiet hours: 2 still so, 2 came and went
      Still so:
      - cerebras key 1 is refused, since 01:00 UTC
      - Nothing answers for "cerebras/m": 1 of 1 targets are out, since 01:00 UTC
      Came and went:
      - Nothing answers for "smart": 1 of 1 targets are out, 22:10 UTC to 23:15 UTC, 2 times
      - mistral is down: all 1 targets, 22:10 UTC to 23:15 UTC, 2 times
    `,
  )

  story(
    'call nothing "still so" that the configuration has no longer, as a budget that was raised',
    {
      ...NIGHT,
      stored: true,
      providers: ['groq', 'mistral'],
      prices: { groq: fixed(0.01), mistral: fixed(0.01) },
      startsAt: '2026-11-20T22:00:00Z',
      ...budget({ usd: 0.005, per: 'week' }),
    },
    [
      ...[asks(), passes('1 min'), changes(budget({ usd: 5, per: 'week' }).settings), restarts(), asks()],
      ...[sleeps('7 h'), at('+1 06:30')],
    ],
    `
      +1 06:00:00 🌅 In the quiet hours: 1 came and went
      Came and went:
      - Budget all: calls are refused at $0.00 of $0.005 per week: a call may cost up to $0.01, more than all of it; no further call of this scope is made, 22:00 UTC
    `,
  )

  story(
    'are not kept by the news that everything fails, nor by its end',
    { ...NIGHT, startsAt: '2026-11-20T22:00:00Z' },
    [
      fails('groq', 'mistral'),
      asks(),
      passes('20 min'),
      works('groq', 'mistral'),
      asks(),
      passes('1 min'),
      sleeps('7 h'),
      at('+1 06:30'),
    ],
    `
      22:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 22:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      22:20:00 🟢 Requests are answered again, by mistral/m#1, after 20 minutes
      Since: 22:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'in which nothing happened end without a message',
    { ...NIGHT, startsAt: '2026-11-20T20:00:00Z' },
    [asks(), sleeps('4 h'), asks(), sleeps('5 h'), asks(), at('+1 06:30')],
    ``,
  )

  story(
    'let through what the settings name',
    { telegram: { ...NIGHT.telegram, quiet_except: ['key_revoked'] }, startsAt: '2026-11-20T22:00:00Z' },
    [revokes('groq'), asks(), passes('5 min'), fails('mistral'), asks(), sleeps('7 h'), at('+1 06:30')],
    `
      22:00:02 🔑 groq key 1 is refused
      Since: 22:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      +1 06:00:00 🌅 In the quiet hours: 1 still so
      Still so:
      - Everything fails: 2 of 2 targets are out, since 22:05 UTC
    `,
  )

  const nothing = { telegram: { quiet: '22-06', quiet_except: [] }, startsAt: '2026-11-20T22:00:00Z' }
  const partly = [revokes('groq'), fails('mistral'), asks(), passes('20 min'), works('mistral'), asks()]

  story(
    'that keep the end of an outage tell of the key that is still refused',
    nothing,
    [...partly, passes('10 min'), sleeps('7 h'), at('+1 06:30')],
    `
      +1 06:00:00 🌅 In the quiet hours: 1 still so, 1 came and went
      Still so:
      - groq key 1 is refused, since 22:00 UTC
      Came and went:
      - Everything fails: 2 of 2 targets are out, 22:00 UTC to 22:20 UTC
    `,
  )

  story(
    'that keep the end of an outage let the key through that is still refused, where the settings name it',
    { ...nothing, telegram: { quiet: '22-06', quiet_except: ['key_revoked'] } },
    [...partly, passes('10 min')],
    `
      22:20:01 🔑 groq key 1 is refused
      Since: 22:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once
    `,
  )

  story(
    'of two processes, one of which restarts, end with one message',
    { ...NIGHT, stored: true, startsAt: '2026-11-20T22:00:00Z' },
    [
      opens('second'),
      revokes('groq'),
      asks({ from: 'second' }),
      passes('10 min'),
      restarts(),
      sleeps('7 h'),
      at('+1 05:59'),
      restarts('second'),
      at('+1 06:30'),
    ],
    `
      +1 06:00:00 🌅 In the quiet hours: 1 still so
      Still so:
      - groq key 1 is refused, since 22:00 UTC
    `,
  )

  story(
    'that are over while nothing runs are told of by the next process',
    { ...NIGHT, stored: true, startsAt: '2026-11-20T22:00:00Z' },
    [revokes('groq'), asks(), passes('10 min'), closes(), clockIsSet('12 h'), opens('second'), passes('1 min')],
    `
      +1 10:10:01 🌅 In the quiet hours: 1 still so
      Still so:
      - groq key 1 is refused, since 22:00 UTC
    `,
  )

  story(
    'end an hour of UTC earlier when clocks are put forward',
    { ...NIGHT, startsAt: '2026-03-28T21:30:00Z' },
    [revokes('groq'), asks(), passes('1 min'), sleeps('5 h'), at('+1 06:30')],
    `
      +1 05:00:00 🌅 In the quiet hours: 1 still so
      Still so:
      - groq key 1 is refused, since 21:30 UTC
    `,
  )

  story(
    'end an hour of UTC later when clocks are put back',
    { ...NIGHT, startsAt: '2026-10-24T21:30:00Z' },
    [revokes('groq'), asks(), passes('1 min'), sleeps('5 h'), at('+1 06:30')],
    `
      +1 06:00:00 🌅 In the quiet hours: 1 still so
      Still so:
      - groq key 1 is refused, since 21:30 UTC
    `,
  )

  story(
    'are those of one channel: the other is told at once',
    { ...NIGHT, webhook: {}, startsAt: '2026-11-20T22:00:00Z' },
    [revokes('groq'), asks(), passes('1 min'), sleeps('5 h'), at('+1 06:30')],
    `
      22:00:02 webhook: 🔑 groq key 1 is refused
      Since: 22:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      +1 06:00:00 telegram: 🌅 In the quiet hours: 1 still so
      Still so:
      - groq key 1 is refused, since 22:00 UTC
    `,
  )
})

describe('what goes on', () => {
  story(
    'is told again once a day, with what has changed',
    { telegram: { events: ['all'] } },
    [
      ...[fails('groq', 'mistral'), asks(), passes('1 min'), sleeps('22 h'), passes('10 min'), revokes('mistral')],
      ...[asks(), at('+1 11:50'), at('+1 12:10'), sleeps('23 h'), at('+2 12:10'), works('groq', 'mistral'), asks()],
      passes('10 min'),
    ],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      +1 12:00:00 🔴 Everything fails: 2 of 2 targets are out, still after 24 hours
      Since: 2026-11-20 12:00 UTC
      Changed: it was groq: server errors; mistral: server errors
      Why: groq: server errors; mistral: refused key
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: replace key 1 of mistral in the configuration

      +2 12:00:00 🔴 Everything fails: 2 of 2 targets are out, still after 2 days
      Since: 2026-11-20 12:00 UTC
      Changed: nothing since 2026-11-21 12:00 UTC
      Why: groq: server errors; mistral: refused key
      Still works: nothing
      Expected back: unknown; it is tried again at 12:05 UTC, and you are told when it works
      To do: replace key 1 of mistral in the configuration

      +2 12:10:00 🟢 Requests are answered again, by groq/m#1, after 48 hours
      Since: 2026-11-20 12:00 UTC
      Still works: 1 of 2 targets (groq)
    `,
  )

  story(
    'is not told again where its end is known, as that of a budget is',
    { providers: ['groq'], telegram: { events: ['all'] }, ...budget({ requests: 4, per: 'week' }) },
    [asks({ times: 6 }), passes('1 min'), sleeps('23 h'), at('+1 12:30'), sleeps('23 h'), at('+2 12:30')],
    `
      12:00:00 💰 Budget all: 50 % reached, 2 of 4 requests per week
      Since: 12:00 UTC
      Still works: 2 more requests
      Expected back: next reset 2026-11-23 00:00 UTC
      To do: "keywise budget" shows what was spent on what

      12:00:01 💰 Budget all: 100 % reached, 4 of 4 requests per week; no further call of this scope is made
      Since: 12:00 UTC
      Still works: nothing
      Expected back: next reset 2026-11-23 00:00 UTC
      To do: raise the budget in the configuration, or wait for the reset
    `,
  )

  story(
    'is told again once by two processes, and after a restart',
    { stored: true },
    [
      ...[opens('second'), revokes('groq'), asks(), passes('1 min'), sleeps('18 h'), restarts(), asks(), sleeps('5 h')],
      ...[at('+1 12:10'), sleeps('23 h'), at('+2 12:10')],
    ],
    `
      12:00:02 🔑 groq key 1 is refused
      Since: 12:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      +1 12:00:00 🔑 groq key 1 is refused, still after 24 hours
      Since: 2026-11-20 12:00 UTC
      Changed: nothing since 2026-11-20 12:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once

      +2 12:00:00 🔑 groq key 1 is refused, still after 2 days
      Since: 2026-11-20 12:00 UTC
      Changed: nothing since 2026-11-21 12:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once
    `,
  )
})

describe('what everything failing includes', () => {
  story(
    'and outlasts it is named with its end, and then told when it is over',
    { providers: ['groq', 'mistral'] },
    [
      ...[fails('mistral'), revokes('groq'), asks(), passes('5 min'), works('mistral'), passes('10 min')],
      ...[works('groq'), passes('1 h'), asks({ model: 'groq/m' }), passes('1 min')],
    ],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: refused key; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: replace key 1 of groq in the configuration

      12:10:20 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
      To do: still to fix: groq key 1 is refused

      13:15:00 🟢 groq key 1 works again after 75 minutes
      Since: 12:00 UTC
      Still works: 2 of 2 targets (groq, mistral)
    `,
  )

  story(
    'is told by itself to a channel that does not read of the end',
    { telegram: { events: ['key_revoked'] } },
    [fails('mistral'), revokes('groq'), asks(), passes('5 min'), works('mistral'), passes('10 min')],
    `
      12:10:30 🔑 groq key 1 is refused
      Since: 12:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once
    `,
  )

  story(
    'for longer than a day is named with its end, and told again a day after that, once',
    {},
    [
      revokes('groq'),
      fails('mistral'),
      asks(),
      sleeps('25 h'),
      passes('1 min'),
      works('mistral'),
      asks(),
      passes('25 h'),
    ],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: refused key; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: replace key 1 of groq in the configuration

      +1 13:00:00 🔴 Everything fails: 2 of 2 targets are out, still after 25 hours
      Since: 2026-11-20 12:00 UTC
      Changed: nothing since 2026-11-20 12:00 UTC
      Why: groq: refused key; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: replace key 1 of groq in the configuration

      +1 13:01:00 🟢 Requests are answered again, by mistral/m#1, after 25 hours
      Since: 2026-11-20 12:00 UTC
      Still works: 1 of 2 targets (mistral)
      To do: still to fix: groq key 1 is refused

      +2 13:01:00 🔑 groq key 1 is refused, still after 2 days
      Since: 2026-11-20 12:00 UTC
      Changed: nothing since 2026-11-21 13:01 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once
    `,
  )

  story(
    'for longer than a day is news to a channel that does not read of the end',
    { telegram: { events: ['key_revoked'] } },
    [
      revokes('groq'),
      fails('mistral'),
      asks(),
      sleeps('25 h'),
      passes('1 min'),
      works('mistral'),
      asks(),
      passes('1 h'),
    ],
    `
      +1 13:01:01 🔑 groq key 1 is refused
      Since: 2026-11-20 12:00 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once
    `,
  )

  story(
    'is no alias that ends with it; one that outlasts it is named, and its end is told',
    {
      providers: ['groq', 'mistral'],
      settings: { models: { smart: ['groq/m'], other: ['mistral/m'] }, routing: { probes: 'traffic' } },
    },
    [
      ...[fails('groq', 'mistral'), asks(), asks({ model: 'smart' }), asks({ model: 'other' }), passes('5 min')],
      ...[works('groq'), asks(), passes('10 min'), works('mistral'), asks({ model: 'other' }), passes('10 min')],
    ],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:05:00 🟢 Requests are answered again, by groq/m#1, after 5 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (groq)
      To do: still to fix: Nothing answers for "other": 1 of 1 targets are out

      12:15:00 🟢 "other" is answered again, by mistral/m#1, after 15 minutes
      Since: 12:00 UTC
      Still works: 2 of 2 targets (groq, mistral)
    `,
  )

  story(
    'and ends with it is not told',
    { telegram: { events: ['all'] } },
    [fails('mistral'), revokes('groq'), asks(), passes('5 min'), works('groq', 'mistral'), passes('1 h')],
    `
      12:00:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: refused key; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: replace key 1 of groq in the configuration

      12:05:10 🟢 Requests are answered again, by groq/m#1, after 5 minutes
      Since: 12:00 UTC
      Still works: 2 of 2 targets (groq, mistral)
    `,
  )
})
