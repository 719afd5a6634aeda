/** For values that exist by construction, which the type of an indexed access cannot express. */

/** Returns the value; throws TypeError when it is missing after all. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a value that must be there is not')
  return value
}
