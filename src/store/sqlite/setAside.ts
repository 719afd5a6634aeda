/** Where a file that cannot be used, but must not be lost, is moved. */

import { existsSync } from 'node:fs'

/** An unused `<path>.corrupt-<time>`. No colons, which Windows does not allow in names. */
export function asidePath(path: string, now: number): string {
  const base = `${path}.corrupt-${new Date(now).toISOString().replaceAll(':', '-')}`
  for (let copy = 1; ; copy++) {
    const name = copy === 1 ? base : `${base}-${copy}`
    if (!existsSync(name)) return name
  }
}
