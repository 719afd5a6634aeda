/**
 * Text from elsewhere for a terminal, a table or a message: without characters that move the cursor, break lines or turn
 * the direction in which it is read.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}
