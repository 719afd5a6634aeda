/** Checks beyond this machine: the gateway's port, the providers' hosts and clocks, and the keys. */

import type { Failure } from '../../domain/failure.ts'
import type { Engine } from '../../engine/engine.ts'
import type { EngineReader } from '../../engine/reader.ts'
import type { Credential } from '../../engine/targets/targetRegistry.ts'
import { type Reached, reach } from '../../upstream/discovery/reach.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

/** Whether the gateway can bind its port, or a gateway already listens there. */
export async function checkPort(host: string, port: number): Promise<Finding> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (port === 0) return fine('port', 'any free port')
  try {
    const response = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(2000), redirect: 'manual' })
    const page = await response.text()
    if (/keywise/i.test(page)) return fine('port', `${address}: keywise is serving there`)
    return taken(address)
  } catch (error) {
    return isRefused(error) ? fine('port', `${address} is free`) : taken(address)
  }
}

const taken = (address: string) =>
  warning('port', `${address} is in use by another program`, 'set settings.gateway.port, or keywise serve --port N')

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}

/** Half a minute shifts rate-limit windows; more makes "today" wrong. */
const MOST_SKEW_MS = 30_000

/** One finding per host, and one for the clock. */
export async function checkHosts(engine: EngineReader): Promise<Finding[]> {
  const hosts = new Map<string, Credential>()
  for (const credential of engine.registry.credentials)
    if (!hosts.has(credential.connection.origin)) hosts.set(credential.connection.origin, credential)
  const credentials = [...hosts.values()]
  const reached = await Promise.all(
    credentials.map(async (credential) => {
      const answer = await reach(credential.connection, engine.tools)
      return { answer, finding: hostFinding(credential, answer) }
    }),
  )
  return [...reached.map(({ finding }) => finding), ...clockFinding(reached.map(({ answer }) => answer))]
}

function hostFinding({ connection, provider }: Credential, reached: Reached): Finding {
  if (reached.ok) return fine('network', `${connection.origin} (${provider.spec.name}) answers`)
  return problem(
    'network',
    `${connection.origin} (${provider.spec.name}) cannot be reached: ${reached.failure.message}`,
    adviceFor(reached.failure),
  )
}

function adviceFor(failure: Failure): string {
  if (failure.kind !== 'network') return 'check the connection, the firewall, and HTTPS_PROXY'
  if (/ENOTFOUND|EAI_AGAIN/.test(failure.code)) return 'check the name in "endpoint", the DNS server and the connection'
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(failure.code)) return "name the proxy's certificate in NODE_EXTRA_CA_CERTS"
  return failure.code === 'ECONNREFUSED'
    ? 'nothing listens there: start the server, or correct "endpoint"'
    : 'check the connection, the firewall, and HTTPS_PROXY'
}

/** The median of the hosts' clocks, since any one of them may be wrong. */
function clockFinding(reached: readonly Reached[]): Finding[] {
  const ahead = reached.flatMap((one) => (one.ok && one.clockAheadMs !== null ? [one.clockAheadMs] : []))
  const middle = ahead.sort((a, b) => a - b)[Math.floor(ahead.length / 2)]
  if (middle === undefined) return []
  const seconds = Math.round(Math.abs(middle) / 1000)
  if (Math.abs(middle) <= MOST_SKEW_MS) return [fine('clock', 'agrees with the providers')]
  const direction = middle > 0 ? 'ahead of' : 'behind'
  return [problem('clock', `is ${seconds} s ${direction} the providers'`, 'turn on time synchronisation (NTP)')]
}

/** One finding per key; the checks are free at the provider. */
export async function checkKeys({ registry, checks }: Pick<Engine, 'registry' | 'checks'>): Promise<Finding[]> {
  return Promise.all(
    registry.credentials.map(async (credential) => {
      const name = `${credential.provider.id}#${credential.key.index} ${credential.key.secret}`
      const checked = await checks.checkNow(credential)
      if (checked.state === 'valid') return fine('key', `${name} is accepted`)
      if (checked.state === 'unproven')
        return fine('key', `${name}: ${credential.provider.spec.name} has no free check; "keywise call" proves it`)
      const said = `${name}: ${checked.failure.message}`
      return checked.failure.kind === 'auth_invalid'
        ? problem('key', said, `replace it (${credential.key.source}), or remove it`)
        : warning('key', `${said} (the check itself failed; the key may be good)`, 'try again later')
    }),
  )
}
