/** Where a key is in a text that goes on from one that has gone. */

export type Place = readonly [start: number, end: number]

/** Where the key is in a text of which up to `gone` characters of it came before. */
export function placesOf(key: string, text: string, gone: number): readonly Place[] {
  const places: Place[] = []
  for (let before = Math.min(gone, key.length - 1); before > 0 && places.length === 0; before--)
    if (text.startsWith(key.slice(before))) places.push([0, key.length - before])
  const from = places[0]?.[1] ?? 0
  for (let at = text.indexOf(key, from); at >= 0; at = text.indexOf(key, at + key.length))
    places.push([at, at + key.length])
  return places
}
