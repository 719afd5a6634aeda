/** Finds out whether the port of a gateway is free, and otherwise what holds it, before anything is opened. */

import { createServer } from 'node:net'
import { request } from 'undici'
import { loadConfig } from '../config/config.ts'
import { loadOptions, storeLocation } from '../manager/locations.ts'
import { INSTANCE_HEADER, type Instance, instanceOf, notedInstance } from '../server/instance.ts'
import { type CommandContext, UsageError } from './command.ts'
import { wholeNumber } from './output.ts'
import { engineOptions } from './withEngine.ts'

export interface GatewayPlace {
  readonly host: string
  readonly port: number
  readonly instance: Instance
}

/** What holds a port: nothing, a gateway of this configuration and state, another gateway, or another program. */
export type Occupant =
  | { readonly kind: 'none' }
  | { readonly kind: 'same' }
  | { readonly kind: 'program' }
  | { readonly kind: 'other'; readonly serves: string }

const MOST_PORT = 65_535
const TRIED_PORTS = 100
const PATIENCE_MS = 2000

/** Where the gateway of this command line would listen, and what it would serve. Throws ConfigError. */
export function gatewayPlace(context: CommandContext): GatewayPlace {
  const options = engineOptions(context)
  const config = loadConfig(loadOptions(options))
  const { gateway } = config.settings
  const port = wholeNumber(context.options['port'], '--port') ?? gateway.port
  if (port > MOST_PORT) throw new UsageError(`--port takes a number up to ${MOST_PORT}, not ${port}`)
  const { host } = context.options
  return {
    host: typeof host === 'string' ? host : gateway.host,
    port,
    instance: instanceOf(config, storeLocation(options), context.cwd),
  }
}

export async function occupantOf({ host, port, instance }: GatewayPlace): Promise<Occupant> {
  if (port === 0 || (await canListen(host, port))) return { kind: 'none' }
  const times = { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS }
  const answer = await request(`${originOf(host, port)}/healthz`, times).catch(() => null)
  await answer?.body.dump().catch(() => undefined)
  if (answer?.headers['server'] !== 'keywise') return { kind: 'program' }
  const id = String(answer.headers[INSTANCE_HEADER] ?? '')
  if (id === instance.id) return { kind: 'same' }
  return { kind: 'other', serves: servedBy(port, id) }
}

function servedBy(port: number, id: string): string {
  const noted = notedInstance(port, id)
  if (noted === null) return 'the configuration of another user'
  return `${noted.config ?? 'the keys of an environment'} with the state in ${noted.store}`
}

/** The first free port from `from` on; 0, which lets the system choose, when there is none nearby. */
export async function freePort(host: string, from: number): Promise<number> {
  for (let port = from; port <= Math.min(MOST_PORT, from + TRIED_PORTS); port++)
    if (await canListen(host, port)) return port
  return 0
}

export function originOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** Any other reason than a port in use is for the gateway itself to say. */
function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'))
    server.listen({ host, port }, () => server.close(() => resolve(true)))
  })
}
