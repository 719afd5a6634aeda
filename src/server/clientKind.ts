/** What kind of client asks: the product that its `user-agent` names first, without a version. */

const LONGEST = 64
/** `/1.2.3`, `/v0.4`: what stands before it may have slashes itself, as `OpenAI/Python` has. */
const VERSION = /\/v?\d.*$/

let lastAgent: string | undefined
let lastKind = '?'

/** https://www.rfc-editor.org/rfc/rfc9110#name-user-agent ; `?` for one that says nothing. */
export function clientKind(userAgent: string | undefined): string {
  // One client asks many times.
  if (userAgent !== lastAgent) {
    lastKind = kindOf(userAgent)
    lastAgent = userAgent
  }
  return lastKind
}

function kindOf(userAgent: string | undefined): string {
  const [product = ''] =
    userAgent
      ?.trimStart()
      .slice(0, 2 * LONGEST)
      .split(/[\s;(]/, 1) ?? []
  return product.replace(VERSION, '').slice(0, LONGEST) || '?'
}
