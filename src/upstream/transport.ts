/** The sockets: one pool per origin, through the proxy the environment names, never following a redirect. */

import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { interimTolerant } from './interimAnswers.ts'

interface TransportOptions {
  /** Maximum milliseconds for TCP and TLS to connect. Default 3,000. */
  readonly connectMs?: number
  readonly httpProxy?: string
  readonly httpsProxy?: string
  /** Hosts that are reached directly, as in NO_PROXY. */
  readonly noProxy?: string
}

const CONNECT_MS = 3000
/** Idle sockets are kept this long: under the shortest keep-alive seen at providers, so that few are found dead. */
const KEEP_ALIVE_MS = 20_000

/**
 * Opens a dispatcher. Certificates are always verified; a private CA comes in by NODE_EXTRA_CA_CERTS, which node reads
 * itself. Timeouts of undici are off but for connecting: the deadlines of a call are kept by `deadlines.ts`.
 */
export function openTransport(options: TransportOptions = {}): Dispatcher {
  const common = {
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: 32_768,
  }
  const timeout = options.connectMs ?? CONNECT_MS
  if (options.httpProxy === undefined && options.httpsProxy === undefined)
    return new Agent({ ...common, connect: interimTolerant({ timeout }) })
  const agent = new EnvHttpProxyAgent({
    ...common,
    connect: interimTolerant({ timeout }),
    httpProxy: options.httpProxy ?? '',
    httpsProxy: options.httpsProxy ?? options.httpProxy ?? '',
    noProxy: options.noProxy ?? '',
  })
  // The password of a proxy stands in it, so it is not printed with a manager.
  const value = () => 'EnvHttpProxyAgent {}'
  return Object.defineProperties(agent, { [Symbol.for('nodejs.util.inspect.custom')]: { value }, toJSON: { value } })
}
