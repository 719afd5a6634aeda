/** Where a file goes that cannot be used and must not be lost. */

import { existsSync } from 'node:fs'

/** `<path>.corrupt-<time>`, free to be used. Without colons, which Windows does not allow in names. */
export function asidePath(path: string, now: number): string {
  const base = `${path}.corrupt-${new Date(now).toISOString().replaceAll(':', '-')}`
  for (let copy = 1; ; copy++) {
    const name = copy === 1 ? base : `${base}-${copy}`
    if (!existsSync(name)) return name
  }
}
