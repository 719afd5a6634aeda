/** What people get when the channels of alerts themselves fail: every message with its time, none missing, none twice. */

import { describe } from 'vitest'
import { blocked, tooMany, unauthorized } from './support/alertDoubles.ts'
import {
  asks,
  at,
  channelIs,
  closes,
  does,
  fails,
  meets,
  opens,
  passes,
  restarts,
  revokes,
  sleeps,
  story,
  works,
} from './support/alertStory.ts'

const BOTH = { stored: true, webhook: {} }
const BACKUP = { stored: true, webhook: { backup: true } }
const down = [fails('groq', 'mistral'), asks()]
const up = [works('groq', 'mistral'), asks()]

describe('a channel', () => {
  story(
    'that answers one 404 gets its alert five seconds later',
    { telegram: false, webhook: {} },
    [meets('webhook', { status: 404, page: '<html>no backend</html>' }), ...down, at('12:10'), ...up, passes('10 min')],
    `
      12:00:05 🔴 Everything fails: 2 of 2 targets are out
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
    'behind a captive portal gets everything in one message when it is gone',
    {},
    [
      channelIs('telegram', { status: 302, location: 'http://portal.invalid' }),
      ...down,
      at('12:10'),
      ...up,
      at('12:20'),
      revokes('groq'),
      asks({ times: 3 }),
      at('12:30'),
      channelIs('telegram', 'ok'),
      passes('10 min'),
    ],
    `
      12:30:40 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      🔑 groq key 1 is refused
      Since: 12:20 UTC
      Why: groq answered 401: Incorrect API key provided.
      Still works: 1 of 2 targets (mistral)
      Expected back: not by itself; it is checked regularly
      To do: replace it in the configuration; it is taken over at once
    `,
  )

  story(
    'that is asked to wait is not hurried by a restart',
    { stored: true },
    [meets('telegram', tooMany(300)), ...down, at('12:01'), restarts(), at('12:20'), ...up, passes('10 min')],
    `
      12:05:00 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:20:00 🟢 Requests are answered again, by mistral/m#1, after 20 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'whose token is revoked is off, which the other one says once',
    BOTH,
    [
      channelIs('telegram', unauthorized),
      ...down,
      at('12:10'),
      ...up,
      at('12:30'),
      ...down,
      at('12:40'),
      ...up,
      passes('10 min'),
    ],
    `
      12:00:00 webhook: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:00:01 webhook: 📪 No alert is delivered by telegram any more
      Since: 12:00 UTC
      Why: 401 Unauthorized
      Still works: webhook
      Expected back: not by itself; it is tried once a day, after a restart, and when its settings change
      To do: check settings.alerts.telegram.bot_token; "keywise doctor --alerts" tries it

      12:10:00 webhook: 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      12:30:00 webhook: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:30 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:40:00 webhook: 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:30 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'that is off and mended is tried by the next process, and tells what waited',
    BOTH,
    [
      channelIs('telegram', unauthorized),
      ...down,
      at('12:10'),
      ...up,
      at('13:00'),
      channelIs('telegram', 'ok'),
      restarts(),
      passes('10 min'),
    ],
    `
      12:00:00 webhook: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:00:01 webhook: 📪 No alert is delivered by telegram any more
      Since: 12:00 UTC
      Why: 401 Unauthorized
      Still works: webhook
      Expected back: not by itself; it is tried once a day, after a restart, and when its settings change
      To do: check settings.alerts.telegram.bot_token; "keywise doctor --alerts" tries it

      12:10:00 webhook: 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      13:00:01 telegram: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      13:00:02 webhook: 📬 Alerts are delivered by telegram again
      Since: 12:00 UTC
    `,
  )

  story(
    'from which the bot is blocked rests, and the other one says it after three refusals',
    BOTH,
    [
      channelIs('telegram', blocked),
      ...down,
      at('12:30'),
      channelIs('telegram', 'ok'),
      passes('1 h'),
      ...up,
      passes('1 min'),
    ],
    `
      12:00:00 webhook: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:00:16 webhook: 📪 No alert is delivered by telegram
      Since: 12:00 UTC
      Why: 403 Forbidden: bot was blocked by the user
      Still works: webhook
      Expected back: it is tried again with growing pauses, at least once an hour
      To do: unblock the bot, or add it to the chat; "keywise doctor --alerts" tries it

      12:42:40 telegram: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:42:50 webhook: 📬 Alerts are delivered by telegram again
      Since: 12:00 UTC

      13:30:00 telegram: 🟢 Requests are answered again, by groq/m#1, after 90 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (groq)

      13:30:00 webhook: 🟢 Requests are answered again, by groq/m#1, after 90 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (groq)
    `,
  )

  story(
    'that fails for a day says what it could not deliver',
    {},
    [
      channelIs('telegram', { status: 502 }),
      ...down,
      at('12:10'),
      ...up,
      passes('25 h'),
      channelIs('telegram', 'ok'),
      passes('1 h'),
      ...down,
      passes('10 min'),
      ...up,
      passes('10 min'),
    ],
    `
      +1 14:10:00 2 alerts between 2026-11-20 12:00 UTC and 2026-11-20 12:10 UTC could not be delivered here.

      🔴 Everything fails: 2 of 2 targets are out
      Since: 14:10 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      +1 14:20:00 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 14:10 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'that refuses a text gets it short, and the next one whole',
    {},
    [
      meets('telegram', { status: 400, body: { ok: false, error_code: 400, description: 'Bad Request: bad luck' } }),
      ...down,
      at('12:10'),
      ...up,
      passes('10 min'),
    ],
    `
      12:00:01 keywise alert: all failed (auto). Everything fails: 2 of 2 targets are out. Since 12:00 UTC.

      12:10:00 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'that hangs is left by a process that ends, and served by the next',
    { stored: true },
    [
      channelIs('telegram', 'hang'),
      ...down,
      at('12:01'),
      does(({ bot }) => bot.drop()),
      at('12:02'),
      channelIs('telegram', 'ok'),
      restarts(),
      passes('10 min'),
      ...up,
      passes('10 min'),
    ],
    `
      12:02:01 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:12:00 🟢 Requests are answered again, by mistral/m#1, after 12 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )
})

describe('a backup channel', () => {
  story(
    'gets nothing while the first one delivers',
    BACKUP,
    [...down, at('12:10'), ...up, passes('10 min')],
    `
      12:00:00 telegram: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:10:00 telegram: 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'gets what the first has not delivered for five minutes, and its end',
    BACKUP,
    [
      channelIs('telegram', { status: 502 }),
      ...down,
      at('12:20'),
      ...up,
      at('12:21'),
      channelIs('telegram', 'ok'),
      passes('10 min'),
    ],
    `
      12:05:00 webhook: telegram has not delivered this for 5 minutes.

      🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:20:00 webhook: 🟢 Requests are answered again, by mistral/m#1, after 20 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      12:25:20 telegram: 1 alert of 12:00 UTC came by another channel instead.

      🟢 Requests are answered again, by mistral/m#1, after 20 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'of two processes tells it once, though the one that saw it ends',
    BACKUP,
    [
      opens('second'),
      channelIs('telegram', { status: 502 }),
      ...down,
      at('12:02'),
      closes('first'),
      at('12:20'),
      channelIs('telegram', 'ok'),
      works('groq', 'mistral'),
      asks({ from: 'second' }),
      passes('10 min'),
    ],
    `
      12:05:00 webhook: telegram has not delivered this for 5 minutes.

      🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:20:00 telegram: 1 alert of 12:00 UTC came by another channel instead.

      🟢 Requests are answered again, by mistral/m#1, after 20 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      12:20:00 webhook: 🟢 Requests are answered again, by mistral/m#1, after 20 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'after a restart keeps to its five minutes',
    BACKUP,
    [channelIs('telegram', { status: 502 }), ...down, at('12:03'), restarts(), at('12:04'), passes('10 min')],
    `
      12:05:00 webhook: telegram has not delivered this for 5 minutes.

      🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers
    `,
  )

  story(
    'gets everything at once while the first is off, and is told when it is back',
    BACKUP,
    [
      channelIs('telegram', unauthorized),
      ...down,
      at('12:10'),
      ...up,
      at('12:20'),
      channelIs('telegram', 'ok'),
      restarts(),
      at('12:30'),
      ...down,
      at('12:40'),
      ...up,
      passes('10 min'),
    ],
    `
      12:00:01 webhook: telegram is off, so this comes here.

      🔴 Everything fails: 2 of 2 targets are out
      Since: 12:00 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:00:02 webhook: 📪 No alert is delivered by telegram any more
      Since: 12:00 UTC
      Why: 401 Unauthorized
      Still works: webhook
      Expected back: not by itself; it is tried once a day, after a restart, and when its settings change
      To do: check settings.alerts.telegram.bot_token; "keywise doctor --alerts" tries it

      12:10:00 webhook: 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      12:20:01 telegram: 1 alert of 12:00 UTC came by another channel instead.

      🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:00 UTC
      Still works: 1 of 2 targets (mistral)

      12:20:02 webhook: 📬 Alerts are delivered by telegram again
      Since: 12:00 UTC

      12:30:00 telegram: 🔴 Everything fails: 2 of 2 targets are out
      Since: 12:30 UTC
      Why: groq: server errors; mistral: server errors
      Still works: nothing
      Expected back: unknown; it is tried again with the next request, and you are told when it works
      To do: nothing to fix on your side; check the status pages of the providers

      12:40:00 telegram: 🟢 Requests are answered again, by mistral/m#1, after 10 minutes
      Since: 12:30 UTC
      Still works: 1 of 2 targets (mistral)
    `,
  )

  story(
    'gets what the first one was to be told after its quiet hours',
    { ...BACKUP, telegram: { quiet: '22-06' }, startsAt: '2026-11-20T22:00:00Z' },
    [revokes('groq'), asks(), passes('5 min'), channelIs('telegram', { status: 502 }), sleeps('7 h'), at('+1 07:00')],
    `
      +1 06:05:00 webhook: telegram has not delivered this for 5 minutes.

      🌅 In the quiet hours: 1 still so
      Still so:
      - groq key 1 is refused, since 22:00 UTC
    `,
  )
})
