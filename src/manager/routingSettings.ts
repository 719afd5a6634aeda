/** The routing part of the configuration, as the router takes it. */

import type { Settings } from '../config/config.ts'
import type { RoutingSettings } from '../routing/settings.ts'

export function routingSettings({ weights, routing }: Settings): RoutingSettings {
  const { rate, burst, margin, width, freePulls } = routing.exploration
  return {
    strategy: routing.strategy,
    weights,
    latencyRefMs: routing.latencyRefMs,
    costMargin: routing.costMargin,
    exploration: width === 0 ? 0 : rate,
    curiosity: { burst, margin, width, freePulls },
  }
}
