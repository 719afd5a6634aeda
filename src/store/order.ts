/** Every engine lists in the same order: by name, comparing UTF-16 units as JavaScript does. */

export function byName(a: readonly [name: string, value: unknown], b: readonly [name: string, value: unknown]): number {
  return a[0] < b[0] ? -1 : 1
}

/** Rows come in the order in which attempts ended, which is nearly that in which they began. Sorts in place. */
export function inOrderOfStart<Row extends { readonly startedAt: number }>(rows: Row[]): Row[] {
  return rows.sort((a, b) => a.startedAt - b.startedAt)
}
