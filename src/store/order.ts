/** Lists come in the same order from every engine: by name, UTF-16 unit by unit, as JavaScript compares. */

export function byName(a: readonly [name: string, value: unknown], b: readonly [name: string, value: unknown]): number {
  return a[0] < b[0] ? -1 : 1
}
