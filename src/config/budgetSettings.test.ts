/** What the configuration reports about invalid budgets and prices: each with its location and the remedy. */

import { describe, expect, test } from 'vitest'
import { ConfigError } from '../domain/errors.ts'
import { loadConfig } from './config.ts'

const groq = { api_key: 'fake-groq-key', models: ['m'] }

function load(config: object) {
  return loadConfig({ config, env: {}, cwd: '/', home: '/', platform: 'linux' })
}

function problem(config: object): string {
  try {
    load(config)
  } catch (error) {
    if (error instanceof ConfigError) return `${error.path}: ${error.message}`
    throw error
  }
  return 'nothing'
}

const day = { scope: 'all', usd: 1, per: 'day' }

describe('a budget', () => {
  test('is hard, in UTC, by the calendar month, with fallback, unless it says otherwise', () => {
    const { settings } = load({ groq, settings: { budgets: [{ scope: 'groq', usd: 10 }] } })
    expect(settings.budgets).toEqual([
      {
        scope: 'groq',
        usd: 10,
        per: 'month',
        hard: true,
        rolling: false,
        timezone: 'UTC',
        pace: false,
        onExceeded: 'fallback',
      },
    ])
  })

  for (const [value, message] of [
    ['x', 'settings.budgets: '],
    [[5], 'settings.budgets[0]: '],
    [[{ usd: 1 }], 'settings.budgets[0].scope" is missing'],
    [[{ ...day, scope: 'label:team' }], 'settings.budgets[0].scope" is not a scope; use all'],
    [[{ ...day, scope: 'google#0' }], 'is not a scope'],
    [[{ scope: 'all' }], 'settings.budgets[0]" needs an amount: "usd", "requests" or "tokens"'],
    [[{ scope: 'all', eur: 10 }], 'no other currency is counted'],
    [[{ ...day, tokens: 5 }], 'write one budget for each'],
    [[{ ...day, usd: '10' }], 'settings.budgets[0].usd" is wrong: expected number'],
    [[{ ...day, usd: Number.NaN }], 'expected number, received NaN'],
    [[{ ...day, usd: -1 }], 'settings.budgets[0].usd" is negative; 0 means that nothing may be spent'],
    [[{ ...day, usd: 1e8 }], 'is more than keywise can count ($9007199); leave the budget out'],
    [[{ scope: 'all', tokens: 1e300 }], 'settings.budgets[0].tokens" '],
    [[{ scope: 'all', requests: 1.5 }], 'settings.budgets[0].requests" must be a whole number'],
    [[{ ...day, per: 'year' }], 'settings.budgets[0].per" is wrong: expected one of'],
    [
      [{ ...day, timezone: 'Europe/Madird' }],
      'settings.budgets[0].timezone" is wrong: "Europe/Madird" is not a time zone; did you mean Europe/Madrid?',
    ],
    [[{ ...day, hard: 'yes' }], 'settings.budgets[0].hard" is wrong: expected boolean'],
    [[{ ...day, pace: 1 }], 'settings.budgets[0].pace" is wrong: expected boolean'],
    [
      [{ ...day, per: 'total', pace: true }],
      'settings.budgets[0].pace" spreads a budget over a period of the calendar, which "per": "total" and "rolling": true do not have; leave one of them out',
    ],
    [[{ ...day, rolling: true, pace: true }], 'settings.budgets[0].pace" spreads a budget over a period'],
    [[{ ...day, on_exceeded: 'wait' }], 'settings.budgets[0].on_exceeded" is wrong'],
    [[day, { ...day, usd: 2 }], 'settings.budgets[1]" is the same kind of budget as settings.budgets[0]; keep one'],
  ] as const)
    test(`is refused with a reason when it is ${JSON.stringify(value)}`, () => {
      expect(problem({ groq, settings: { budgets: value } })).toContain(message)
    })

  test('may be paced in the settings and beside a key, but only over a period of the calendar', () => {
    const keyed = (budget: object) => ({ groq: { keys: [{ key: 'fake-groq-key', budget }], models: ['m'] } })
    expect(load(keyed({ usd: 1, per: 'day', pace: true })).providers[0]?.keys[0]?.budget).toMatchObject({ pace: true })
    expect(problem(keyed({ usd: 1, per: 'total', pace: true }))).toContain(
      'groq.keys[0].budget.pace" spreads a budget over a period of the calendar',
    )
  })

  test('accepts any of the names of a provider', () => {
    const google = { api_key: 'fake-google-key', models: ['m'] }
    const { settings, warnings } = load({ google, settings: { budgets: [{ ...day, scope: 'Gemini/m' }] } })
    expect(settings.budgets[0]?.scope).toBe('google/m')
    expect(warnings).toEqual([])
  })

  for (const [budgets, remark] of [
    [
      [{ ...day, scope: 'groqq' }],
      'settings.budgets[0]" covers nothing: "groqq" has no key here (did you mean "groq"?)',
    ],
    [[{ ...day, scope: 'groq#3' }], 'covers nothing: groq has no key 3'],
    [[{ ...day, usd: 0 }], 'is 0: nothing in its scope may be spent'],
    [[day, { ...day, per: 'month' }], 'settings.budgets[0]" never binds: settings.budgets[1] allows no more per month'],
  ] as const)
    test(`is remarked on when it is ${JSON.stringify(budgets)}`, () => {
      expect(load({ groq, settings: { budgets } }).warnings.join('\n')).toContain(remark)
    })

  test('may overlap with others without a remark', () => {
    const budgets = [day, { ...day, scope: 'groq' }, { ...day, usd: 10, per: 'month' }, { ...day, scope: 'token:ci' }]
    expect(load({ groq, settings: { budgets } }).warnings).toEqual([])
  })
})

describe('a price', () => {
  const priced = (price: unknown) => ({ groq: { api_key: 'fake-groq-key', models: [{ id: 'm', price }] } })

  test('may state every rate', () => {
    const price = { input: 0.5, output: 1.5, cached_input: 0.05, cache_write: 0.6, reasoning: 2, request: 0.01 }
    expect(load(priced(price)).providers[0]?.models).toEqual([
      { id: 'm', price: { input: 0.5, output: 1.5, cachedInput: 0.05, cacheWrite: 0.6, reasoning: 2, request: 0.01 } },
    ])
  })

  test('may state what parts, tools and tiers cost, by the names of the provider', () => {
    const price = {
      input: 1,
      output: 4,
      cache_write_1h: 2,
      input_audio: 8,
      tools: { web_search: 10 },
      tiers: { priority: 2 },
    }
    expect(load(priced(price)).providers[0]?.models).toEqual([
      {
        id: 'm',
        price: {
          input: 1,
          output: 4,
          cacheWrite1h: 2,
          inputAudio: 8,
          tools: { web_search: 10 },
          tiers: { priority: 2 },
        },
      },
    ])
  })

  for (const [price, message] of [
    [5, 'groq.models[0]'],
    [{ input: -1, output: 1 }, 'price.input" must be an amount of USD from 0 to 100000'],
    [{ input: 1 }, 'price.output" is missing'],
    [{ input: 1, output: Number.NaN }, 'price.output" is wrong: expected number, received NaN'],
    [{ input: 1, output: 1e9 }, 'must be an amount of USD from 0 to 100000'],
    [{ input: 1, output: '2' }, 'price.output" is wrong: expected number'],
  ] as const)
    test(`is refused with a reason when it is ${JSON.stringify(price)}`, () => {
      expect(problem(priced(price))).toContain(message)
    })
})

describe('a contract', () => {
  const under = (contract: object) => ({ groq: { ...groq, contract } })

  test('of a block is that of its keys, unless they have one', () => {
    const block = { contract: { times: 0.9 }, models: ['m'] }
    const api_keys = [
      'fake-groq-1',
      { key: 'fake-groq-2', contract: { models: { 'm*': { cached_input: 1, input: 2, output: 3 } } } },
    ]
    const [provider] = load({ groq: { ...block, api_keys } }).providers
    expect(provider?.keys.map(({ contract }) => contract)).toEqual([
      { times: 0.9 },
      { models: { 'm*': { cachedInput: 1, input: 2, output: 3 } } },
    ])
  })

  for (const [contract, message] of [
    [{ times: -1 }, 'groq.contract.times" is wrong'],
    [{ times: '0.85' }, 'groq.contract.times" is wrong: expected number'],
    [{ hours: { '25-26': 0.5 } }, 'groq.contract.hours.25-26" is wrong: expected hours such as'],
    [
      { hours: { '1-2 Europe/Madird': 0.5 } },
      'is wrong: "Europe/Madird" is not a time zone; did you mean Europe/Madrid?',
    ],
    [{ models: { m: { input: 1 } } }, 'groq.contract.models.m.output" is missing: an agreed price has'],
    [{ models: { m: { cached_input: 1 } } }, 'groq.contract.models.m.cached_input" stands alone'],
    [{ models: { m: { cache_write_1h: 1 } } }, 'groq.contract.models.m.cache_write_1h" stands alone'],
    [{ models: { m: { input: 1, output: 1, times: 0.5 } } }, 'groq.contract.models.m.times" changes the usual price'],
    [{ free: [{ per: 'day' }] }, 'groq.contract.free[0]" needs an amount: "tokens", "requests" or "usd"'],
    [{ free: [{ tokens: 1, usd: 1 }] }, 'groq.contract.free[0]" has more than one amount; write one entry for each'],
    [{ free: [{ tokens: 0 }] }, 'groq.contract.free[0].tokens'],
    [{ free: [{ tokens: 1, per: 'hour' }] }, 'groq.contract.free[0].per" is wrong: expected one of "day"'],
    [
      { free: [{ tokens: 1, timezone: 'Mars' }] },
      'groq.contract.free[0].timezone" is wrong: "Mars" is not a time zone',
    ],
    [{ free: [{ tokens: 1, models: [] }] }, 'groq.contract.free[0].models'],
    [{ models: { m: { input: -1, output: 1 } } }, 'must be an amount of USD from 0 to 100000'],
  ] as const)
    test(`${JSON.stringify(contract)} is refused with what is wrong`, () =>
      expect(problem(under(contract))).toContain(message))

  test('with an unknown field says so', () => {
    expect(load(under({ discount: 0.15 })).warnings.join()).toContain('groq.contract.discount')
  })
})
