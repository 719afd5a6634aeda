import { expect, test } from 'vitest'
import { cleanText } from './cleanText.ts'
import { cutBytes, cutText } from './cutText.ts'

const FAMILY = '👩\u200d👩\u200d👧\u200d👦'
const FLAG = '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'

const cases: readonly { name: string; text: string; most: number; expected: string }[] = [
  { name: 'keeps what fits', text: 'abc', most: 3, expected: 'abc' },
  { name: 'marks what it cuts', text: 'abcd', most: 3, expected: 'ab…' },
  { name: 'leaves no space before the mark', text: 'ab cd', most: 4, expected: 'ab…' },
  { name: 'cuts before an emoji, not inside', text: `ab🔴cd`, most: 4, expected: 'ab…' },
  { name: 'takes an emoji that fits', text: `ab🔴cd`, most: 5, expected: 'ab🔴…' },
  { name: 'cuts before a joined emoji', text: `ab${FAMILY}cd`, most: 8, expected: 'ab…' },
  { name: 'takes a letter with all its marks or not at all', text: 'cafe\u0301\u0323 au', most: 5, expected: 'caf…' },
  { name: 'cuts before a flag of tags', text: `a${FLAG}bc`, most: 12, expected: 'a…' },
  {
    name: 'cuts one endless character between code points',
    text: `e${'\u0301'.repeat(99)}`,
    most: 4,
    expected: 'e\u0301\u0301…',
  },
  {
    name: 'cuts one endless emoji between code points',
    text: `🔴${'\u200d🔴'.repeat(99)}`,
    most: 5,
    expected: '🔴\u200d…',
  },
  { name: 'gives nothing where there is no room', text: 'abc', most: 0, expected: '' },
]
for (const { name, text, most, expected } of cases) {
  test(`cutText() ${name}`, () => {
    expect(cutText(text, most)).toBe(expected)
  })
}

test('cutText() is well-formed and short enough at every length', () => {
  const text = `Ünïcödé ${FAMILY} 🔴 नमस्ते 가각 ${FLAG} e\u0301\u0302 end`
  for (let most = 0; most <= text.length; most++) {
    const cut = cutText(text, most)
    expect(cut.length).toBeLessThanOrEqual(most)
    expect(cut.isWellFormed()).toBe(true)
    expect(text.startsWith(cut.replace(/…$/, ''))).toBe(true)
  }
})

test('cutText() is quick where a text is long', () => {
  expect(cutText('🔴'.repeat(100_000), 4096)).toHaveLength(4095)
})

test('cutBytes() counts UTF-8', () => {
  expect(cutBytes('abc', 3)).toBe('abc')
  for (const text of ['語'.repeat(900), `${'a'.repeat(900)}${'語'.repeat(300)}`, '🔴'.repeat(500)]) {
    const cut = cutBytes(text, 1000)
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1000)
    expect(Buffer.byteLength(cut)).toBeGreaterThan(600)
    expect(cut.isWellFormed()).toBe(true)
  }
})

test('cleanText() takes what cannot be sent and what deceives, and nothing else', () => {
  expect(cleanText('a\ud83d b')).toBe('a\ufffd b')
  expect(cleanText('a\r\nTo do: pay\t\u0007b\u2028c')).toBe('a To do: pay b c')
  expect(cleanText('\u202eevil\u202c \u2066x\u2069\u200f\ufeff')).toBe('evil x')
  const fine = `${FAMILY} ${FLAG} क\u200dष e\u0301 ✔️`
  expect(cleanText(fine)).toBe(fine)
})
