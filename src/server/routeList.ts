/** Every route of the gateway with the scopes that may use it, as the router itself has them. */

import { ADMIN_ROUTES } from './management/admin.ts'
import { EXAMPLE_PATHS, findRoute } from './routes.ts'
import { ANY_SCOPE, INFERENCE_ONLY, type TokenScope } from './tokens.ts'

export interface ListedRoute {
  readonly method: string
  /** `MODEL` and `ID` stand for any. */
  readonly path: string
  /** Null for what needs no token. */
  readonly scopes: readonly TokenScope[] | null
}

/** The paths that need no token: signs of life, and the page that says where to log in. */
export const OPEN_PATHS = ['/', '/healthz', '/readyz'] as const
export const METRICS_PATH = '/metrics'

export function routeList(): readonly ListedRoute[] {
  return [
    ...OPEN_PATHS.map((path) => ({ method: 'GET', path, scopes: null })),
    { method: 'GET', path: METRICS_PATH, scopes: ANY_SCOPE },
    ...Object.entries(ADMIN_ROUTES).map(([row, { scopes }]) => {
      const [method = '', path = ''] = row.split(' ')
      return { method, path, scopes }
    }),
    ...EXAMPLE_PATHS.flatMap(inferenceRoutes),
  ]
}

function inferenceRoutes(path: string): ListedRoute[] {
  const routes: ListedRoute[] = []
  for (let route = findRoute(path, {}); route !== undefined; route = route.other)
    routes.push({ method: route.method, path, scopes: route.scopes ?? INFERENCE_ONLY })
  return routes
}
