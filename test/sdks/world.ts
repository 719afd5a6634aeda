/** The simulated upstreams behind the official clients: one of each dialect, with the same kinds of models. */

import type { DialectId } from '../../src/domain/chat.ts'
import type { FakeScenario } from '../../src/lab/fake/scenario.ts'

export const UPSTREAMS = ['openai', 'openai-responses', 'anthropic', 'google'] as const satisfies readonly DialectId[]

/** What every model answers unless it is asked for a tool or a format; long enough to be cut. */
export const REPLY = 'Once upon a time there was a gateway that never told half an answer as if it were whole.'

export function modelOf(
  upstream: DialectId,
  kind: 'talks' | 'thinks' | 'calls' | 'shapes' | 'embeds' | 'drips' = 'talks',
): string {
  return `${upstream}-${kind}`
}

export const WEATHER = { city: 'Valencia' }
export const CLOCK = { zone: 'Europe/Madrid' }

export function sdkScenario(): FakeScenario {
  const providers = UPSTREAMS.map((dialect) => [
    `up-${dialect}`,
    {
      dialect,
      keys: { [`fake-${dialect}-${'0'.repeat(12)}`]: {} },
      models: {
        [modelOf(dialect)]: { reply: REPLY },
        [modelOf(dialect, 'shapes')]: {},
        [modelOf(dialect, 'drips')]: { reply: REPLY, tokens_per_second: 50 },
        [modelOf(dialect, 'thinks')]: { reply: REPLY, thinks: 12 },
        [modelOf(dialect, 'calls')]: {
          calls: [
            { tool: 'weather', arguments: WEATHER },
            { tool: 'clock', arguments: CLOCK },
          ],
        },
        ...((dialect === 'openai' || dialect === 'google') && { [modelOf(dialect, 'embeds')]: { kind: 'embedding' } }),
      },
    },
  ])
  return { providers: Object.fromEntries(providers) }
}
