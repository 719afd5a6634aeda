/** Admission to the gateway by host name, web origin and token, before anything is read. */

import type { IncomingMessage } from 'node:http'
import type { Token, TokenScope, Tokens } from './tokens.ts'

export interface DoorOptions {
  readonly tokens: Tokens
  /** Host names besides localhost under which the gateway may be called, without ports. */
  readonly allowedHosts: readonly string[]
  /** Origins of web pages that may call it. */
  readonly allowedOrigins: readonly string[]
}

export interface Refused {
  readonly status: 400 | 401 | 403
  readonly message: string
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]']

/** Stops DNS rebinding and foreign web pages: only known host names and origins. Null when the request is admitted. */
export function checkHost(request: IncomingMessage, { allowedHosts, allowedOrigins }: DoorOptions): Refused | null {
  const host = request.headers.host
  if (host === undefined || hasTwoHosts(request.rawHeaders))
    return { status: 400, message: 'exactly one Host header is needed' }
  const name = nameOf(host)
  if (!LOCAL_NAMES.includes(name) && !allowedHosts.includes(name)) {
    return {
      status: 403,
      message: `the host "${host.slice(0, 80)}" is not allowed; add it to settings.gateway.allowed_hosts`,
    }
  }
  const { origin } = request.headers
  if (origin === undefined || allowedOrigins.includes(origin) || origin === `http://${host}`) return null
  return {
    status: 403,
    message: `the page ${origin.slice(0, 80)} may not call the gateway; add it to settings.gateway.allowed_origins`,
  }
}

function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts !== 1
}

/** `127.0.0.1:5397` without its port; anything but a plain name and port is left as is and matches nothing. */
function nameOf(host: string): string {
  const match = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host)
  return match?.[1] === undefined ? host : match[1].toLowerCase()
}

/**
 * What may be the request's token, in the order in which it is looked for: some clients send a credential of their own
 * beside the key they were given. `inQuery`: Gemini's clients may write it into the address.
 */
function presentedTokens({ headers, url = '' }: IncomingMessage, inQuery: boolean): readonly string[] {
  const { authorization } = headers
  const bearer = authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7) : null
  const keys = [
    bearer,
    headers['x-api-key'],
    headers['x-goog-api-key'],
    headers['api-key'],
    inQuery ? keyIn(url) : null,
  ]
  return keys.flatMap((key) => (typeof key === 'string' && key.trim() !== '' ? [key.trim()] : []))
}

/** https://ai.google.dev/api#authentication (2026-11-30): `?key=` beside the header. */
function keyIn(url: string): string | null {
  const at = url.indexOf('?')
  return at < 0 ? null : new URLSearchParams(url.slice(at)).get('key')
}

/** The token the request presents; a refusal when it is missing, unknown, or of another scope. */
export function checkToken(
  request: IncomingMessage,
  tokens: Tokens,
  scopes: readonly TokenScope[],
  inQuery = false,
): Token | Refused {
  const presented = presentedTokens(request, inQuery)
  if (presented.length === 0)
    return {
      status: 401,
      message: 'a token is needed: send it as "Authorization: Bearer …" (keywise token list shows where it is)',
    }
  const token = firstKnown(presented, tokens, request)
  if (token === null)
    return {
      status: 401,
      message: 'the token is not known here; take the one of the token file, or make one: keywise token add NAME',
    }
  if (scopes.includes(token.scope)) return token
  return {
    status: 403,
    message: `this token may only be used for ${token.scope}; a token with ${scopes.join(' or ')} is needed`,
  }
}

function firstKnown(presented: readonly string[], tokens: Tokens, { socket }: IncomingMessage): Token | null {
  for (const one of presented) {
    const token = tokens.find(one, socket)
    if (token !== null) return token
  }
  return null
}
