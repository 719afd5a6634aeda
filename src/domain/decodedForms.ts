/** A text read as the base64 or the hexadecimal form of another, whatever it is. */

import type { PlainForm } from './plainForm.ts'

/** Stands for what cannot be decoded; in no secret. */
const UNREADABLE = 0xffff

/** By the code of the character; -1 for what is no digit. Both alphabets of base64: RFC 4648 sections 4 and 5. */
const BASE64 = digits('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', [
  ['-', 62],
  ['_', 63],
])
const HEX = digits(
  '0123456789abcdef',
  [...'ABCDEF'].map((letter, index) => [letter, 10 + index]),
)

function digits(alphabet: string, more: readonly (readonly [string, number])[]): Int8Array {
  const table = new Int8Array(0x10000).fill(-1)
  for (const [letter, value] of [...[...alphabet].map((letter, value) => [letter, value] as const), ...more])
    table[letter.charCodeAt(0)] = value
  return table
}

/** `from`: where the first group of four digits begins, 0 to 3. */
export function base64Form({ codes, starts, ends }: PlainForm, from: number): PlainForm {
  const form = emptyForm(codes.length)
  let count = 0
  // Each of the first three of four digits begins a byte, which ends in the next digit.
  for (let at = from; at + 1 < codes.length; at++) {
    const turn = (at - from) & 3
    if (turn === 3) continue
    const digit = BASE64[codes[at] ?? 0] ?? -1
    const next = BASE64[codes[at + 1] ?? 0] ?? -1
    const byte = ((digit << (2 + turn * 2)) | (next >> (4 - turn * 2))) & 0xff
    form.codes[count] = digit < 0 || next < 0 ? UNREADABLE : byte
    form.starts[count] = starts[at] ?? 0
    form.ends[count++] = ends[at + 1] ?? 0
  }
  return { ...form, codes: form.codes.subarray(0, count) }
}

/** `from`: where the first pair of digits begins, 0 or 1. */
export function hexForm({ codes, starts, ends }: PlainForm, from: number): PlainForm {
  const form = emptyForm(codes.length >> 1)
  let count = 0
  for (let at = from; at + 1 < codes.length; at += 2) {
    const high = HEX[codes[at] ?? 0] ?? -1
    const low = HEX[codes[at + 1] ?? 0] ?? -1
    form.codes[count] = high < 0 || low < 0 ? UNREADABLE : high * 16 + low
    form.starts[count] = starts[at] ?? 0
    form.ends[count++] = ends[at + 1] ?? 0
  }
  return { ...form, codes: form.codes.subarray(0, count) }
}

function emptyForm(length: number): PlainForm {
  return { codes: new Uint16Array(length), starts: new Int32Array(length), ends: new Int32Array(length) }
}
