const BACKSLASH = 0x5c

/** Whether the byte of a JSON text is part of an escape that an odd number of backslashes before it begins. */
export function isEscaped(bytes: Uint8Array, at: number): boolean {
  let backslashes = 0
  while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}
