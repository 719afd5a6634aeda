/** The routing part of the configuration, as the router takes it. */

import type { Config } from '../config/config.ts'
import { readHours } from '../domain/hoursRule.ts'
import type { RoutingSettings } from '../routing/settings.ts'

/** More zones than this in one configuration are not looked at: each is compared in the days after a change of clocks. */
const MOST_ZONES = 8

export function routingSettings(config: Config): RoutingSettings {
  const { weights, routing } = config.settings
  const { rate, burst, margin, width, freePulls } = routing.exploration
  return {
    strategy: routing.strategy,
    weights,
    latencyRefMs: routing.latencyRefMs,
    costMargin: routing.costMargin,
    exploration: width === 0 ? 0 : rate,
    curiosity: { burst, margin, width, freePulls },
    zones: zonesNear(config),
  }
}

/** The zones that the configuration names in its hours, contracts and budgets, then the machine's own. */
function zonesNear({ providers, settings }: Config): readonly string[] {
  const keys = providers.flatMap((provider) => provider.keys)
  const contracts = keys.flatMap(({ contract }) => contract ?? [])
  const rules = [
    ...Object.values(settings.hours).flat(),
    ...keys.flatMap(({ hours }) => hours ?? []),
    ...contracts.flatMap(({ hours, models }) =>
      [hours, ...Object.values(models ?? {}).map((terms) => terms.hours)].flatMap((times) => Object.keys(times ?? {})),
    ),
  ]
  const zones = [
    ...rules.map((rule) => readHours(rule)?.timeZone),
    ...contracts.flatMap(({ free }) => (free ?? []).map(({ timezone }) => timezone)),
    ...settings.budgets.map(({ timezone }) => timezone),
    new Intl.DateTimeFormat().resolvedOptions().timeZone,
  ]
  const named = zones.filter((zone) => zone !== undefined)
  return [...new Set(named)].filter((zone) => zone !== 'UTC').slice(0, MOST_ZONES)
}
