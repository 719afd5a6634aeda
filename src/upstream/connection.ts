/** Everything a call needs to reach one key's account at its provider, prepared once. */

import type { Dispatcher } from 'undici'
import type { DialectId } from '../domain/chat.ts'
import { MASK, type Secret } from '../domain/redact.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import { KeyTraces } from './keyTraces.ts'

export interface Connection {
  readonly dispatcher: Dispatcher
  readonly spec: ProviderSpec
  readonly dialect: DialectId
  /** `https://api.groq.com` */
  readonly origin: string
  /** `api.groq.com` */
  readonly hostname: string
  /** `/openai/v1`, without a slash at the end. */
  readonly basePath: string
  /** Name, value, name, value …: the key's header and the provider's own, for calls with a JSON body. */
  readonly headers: readonly string[]
  /** What of its key no answer may show; null where there is nothing to hide. */
  readonly traces: KeyTraces | null
}

interface ConnectionFacts {
  readonly dispatcher: Dispatcher
  readonly spec: ProviderSpec
  readonly secret: Secret | null
  /** `keywise/1.2.3`; providers behind a bot wall refuse calls without one. */
  readonly userAgent: string
}

/** Prepares the connection of one key. Needs a base URL: from the provider, the configuration, or the key itself. */
export function connect(facts: ConnectionFacts): Connection {
  const { spec } = facts
  const key = facts.secret?.reveal() ?? ''
  const credential = spec.quirks?.credential?.(key) ?? { key }
  const base = new URL(credential.baseUrl ?? spec.baseUrl ?? 'http://invalid.invalid')
  let traces: KeyTraces | null | undefined
  return {
    dispatcher: facts.dispatcher,
    spec,
    dialect: spec.dialect,
    origin: base.origin,
    hostname: base.hostname,
    basePath: base.pathname.replace(/\/+$/, ''),
    headers: unseen([
      'user-agent',
      facts.userAgent,
      'accept-encoding',
      'identity',
      ...Object.entries(spec.headers ?? {}).flat(),
      ...authHeader(spec, credential.key),
    ]),
    // Only when a call needs it: some have thousands of keys.
    get traces() {
      traces ??= KeyTraces.of(credential.key)
      return traces
    },
  }
}

/** Not shown where a manager is printed or serialised: the last place where a key stands as it is. */
function unseen(headers: readonly string[]): readonly string[] {
  const value = () => MASK
  return Object.defineProperties(headers, { [Symbol.for('nodejs.util.inspect.custom')]: { value }, toJSON: { value } })
}

function authHeader(spec: ProviderSpec, key: string): readonly string[] {
  if (key === '' || spec.auth === 'none') return []
  if (spec.auth === 'bearer') return ['authorization', `Bearer ${key}`]
  return [spec.auth, key]
}

/** The path of a URL below the connection's origin; absolute URLs (key checks elsewhere) keep their own origin. */
export function resolvePath(connection: Connection, path: string): { readonly origin: string; readonly path: string } {
  const isAbsolute = /^https?:\/\//.test(path)
  if (!isAbsolute && !path.startsWith('/../')) return { origin: connection.origin, path: connection.basePath + path }
  // `/../models/search` climbs out of the version segment (Cloudflare).
  const url = isAbsolute ? new URL(path) : new URL(connection.origin + connection.basePath + path)
  return { origin: url.origin, path: url.pathname + url.search }
}
