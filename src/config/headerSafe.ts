/** What a key may consist of. */

/** Whether an HTTP header can carry it: visible ASCII without spaces. */
export function isHeaderSafe(secret: string): boolean {
  return /^[\x21-\x7e]+$/.test(secret)
}
