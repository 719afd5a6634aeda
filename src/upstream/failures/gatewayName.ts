/** Which gateway answered, known by headers that only it sends. */

export type GatewayName = 'keywise' | 'litellm'

/** Null for an API itself, and for gateways that do not show. */
export function gatewayOf(headers: Readonly<Record<string, string>>): GatewayName | null {
  for (const name in headers) {
    if (name.startsWith('x-keywise-')) return 'keywise'
    if (name.startsWith('x-litellm-')) return 'litellm'
  }
  return null
}
