/** The first value that is there twice; null when there is none. */
export function repeated(values: readonly string[]): string | null {
  return values.find((value, index) => values.indexOf(value) < index) ?? null
}
