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

/** Where a token may be, in the order in which it is looked for. */
const TOKEN_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key'] as const

/**
 * The token that the request presents: the first that is known, because some clients send a credential of their own
 * beside the key they were given. Null where none of them is known, undefined where there is none. `inQuery`: Gemini's
 * clients may write it into the address.
 */
function tokenOf(request: IncomingMessage, tokens: Tokens, inQuery: boolean): Token | null | undefined {
  const { headers, socket, url = '' } = request
  let unknown: null | undefined
  for (const name of TOKEN_HEADERS) {
    const presented = presentedIn(headers, name)
    if (presented === '') continue
    const token = tokens.find(presented, socket)
    if (token !== null) return token
    unknown = null
  }
  const key = inQuery ? keyIn(url) : ''
  return key === '' ? unknown : tokens.find(key, socket)
}

/** Empty where there is none. */
function presentedIn(headers: IncomingMessage['headers'], name: (typeof TOKEN_HEADERS)[number]): string {
  const value = headers[name]
  if (typeof value !== 'string') return ''
  if (name !== 'authorization') return value.trim()
  return /^bearer /i.test(value) ? value.slice('bearer '.length).trim() : ''
}

/** https://ai.google.dev/api#authentication (2026-11-30): `?key=` beside the header. */
function keyIn(url: string): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : (new URLSearchParams(url.slice(at)).get('key')?.trim() ?? '')
}

/** The token the request presents; a refusal when it is missing, unknown, or of another scope. */
export function checkToken(
  request: IncomingMessage,
  tokens: Tokens,
  scopes: readonly TokenScope[],
  inQuery = false,
): Token | Refused {
  const token = tokenOf(request, tokens, inQuery)
  if (token === undefined)
    return {
      status: 401,
      message: 'a token is needed: send it as "Authorization: Bearer …" (keywise token list shows where it is)',
    }
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
