/** Every engine lists in the same order: by name, comparing UTF-16 units as JavaScript does. */

export function byName(a: readonly [name: string, value: unknown], b: readonly [name: string, value: unknown]): number {
  return a[0] < b[0] ? -1 : 1
}
