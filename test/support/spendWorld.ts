/** Providers with prices and a manager that spends on them, for tests of budgets through the public surface. */

import type { APIManagerOptions } from '../../src/manager/apiManager.ts'
import { type Lab, type LabOptions, openLab, own } from './lab.ts'

/** Every call costs exactly this; nothing depends on its length. */
export const PER_CALL = 0.001
export const priced = { input: 0, output: 0, request: PER_CALL }

export interface SpendOptions {
  readonly settings?: object
  /** Beside `paid`, as `{ provider: price }`; the price 0 is a free one. */
  readonly others?: Readonly<Record<string, object>>
  readonly price?: object
  readonly faults?: object
  readonly manager?: APIManagerOptions
  readonly world?: LabOptions['world']
}

export const FREE = { input: 0, output: 0 }

/** One provider `paid` that costs, then the others; tried in that order. */
export function openSpending(options: SpendOptions = {}): Promise<Lab> {
  const { others = {}, price = priced, faults, settings, manager, world } = options
  const prices: Record<string, object> = { paid: price, ...others }
  const providers = Object.keys(prices).map((name) => own(name, 1, ['m'], name === 'paid' && faults ? { faults } : {}))
  return openLab(
    { providers: Object.assign({}, ...providers) },
    {
      ...(settings !== undefined && { settings }),
      ...(manager !== undefined && { manager }),
      ...(world !== undefined && { world }),
      config: (config) => pricedConfig(config, prices),
    },
  )
}

/** The configuration with a price for the one model of each provider. */
export function pricedConfig(
  config: Readonly<Record<string, Record<string, unknown>>>,
  prices: Readonly<Record<string, object>>,
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(config).map(([name, block]) => [name, { ...block, models: [{ id: 'm', price: prices[name] }] }]),
  )
}

export const budget = (usd: number, more: object = {}) => ({ scope: 'all', usd, per: 'day', ...more })
