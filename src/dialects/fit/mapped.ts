/** `list.map(change)`, or the list itself where nothing of it changes, as of most: what is not copied costs nothing. */
export function mapped<T>(list: readonly T[], change: (item: T) => T): readonly T[] {
  for (const [index, item] of list.entries()) {
    const other = change(item)
    if (other !== item) return [...list.slice(0, index), other, ...list.slice(index + 1).map(change)]
  }
  return list
}
