/** A path inside the configuration, and how a message shows it without revealing a secret. */

import { redactShapes } from '../domain/redact.ts'

export type Path = readonly (string | number)[]

/** `groq.api_keys[1].key`; names that look like secrets are masked. */
export function showPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`
      const shown = showName(part)
      return index === 0 ? shown : `.${shown}`
    })
    .join('')
}

/** A name made safe for a message: a key pasted in the wrong place is not repeated. */
export function showName(name: string): string {
  const secretive = name.length > 80 || /[A-Za-z0-9]{20}|[0-9a-f]{8}-[0-9a-f]{4}-/i.test(name)
  return secretive ? '…' : redactShapes(name).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '�')
}
