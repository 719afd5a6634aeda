/** For values that are there by construction, which the type of an index cannot say. */

/** The value itself; a TypeError where the construction was wrong. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a value that must be there is not')
  return value
}
