/** Every route of a gateway, as it lists them itself. */

import type { ListedRoute } from '../../src/server/routeList.ts'
import type { GatewayWorld } from './gatewayWorld.ts'

export async function routesOf({ origin, adminToken }: GatewayWorld): Promise<readonly ListedRoute[]> {
  const response = await fetch(`${origin}/api/routes`, { headers: { authorization: `Bearer ${adminToken}` } })
  const { routes } = (await response.json()) as { readonly routes: readonly ListedRoute[] } // our own answer
  return routes
}
