import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { publicPrefix } from './keyParts.ts'
import { maskKey, redactor } from './redact.ts'
import { SecretIndex } from './secretIndex.ts'

const PART = 'q7ZxV2mKp9LwT4sBn8RcY3dG'
const KEYS = [`gsk_${PART}`, `sk-or-v1-${'0f9e8d7c6b5a4938'.repeat(2)}`, PART.split('').reverse().join('')]

function indexOf(...secrets: readonly string[]): SecretIndex {
  const index = new SecretIndex()
  for (const secret of secrets) index.add(secret)
  return index
}

const escaped = (digits: number, sign: string) => (text: string) =>
  [...text].map((letter) => sign + letter.charCodeAt(0).toString(16).padStart(digits, '0')).join('')

/** Ways in which an upstream repeats a key. */
const ECHOES: Readonly<Record<string, (key: string) => string>> = {
  'as it is': (key) => key,
  'in capital letters': (key) => key.toUpperCase(),
  'in small letters': (key) => key.toLowerCase(),
  'cut to its first 20 characters': (key) => key.slice(0, 20),
  'masked in the middle': (key) => `${key.slice(0, 14)}****${key.slice(-4)}`,
  'masked at the front': (key) => `****${key.slice(-10)}`,
  'with a line break': (key) => `${key.slice(0, 11)}\n${key.slice(11)}`,
  'with a space after every character': (key) => [...key].join(' '),
  'with invisible characters': (key) => [...key].join('\u200b\u2060'),
  'with a line break of JSON': (key) => `${key.slice(0, 7)}\\n${key.slice(7)}`,
  'escaped for URLs': escaped(2, '%'),
  'escaped for URLs twice': escaped(2, '%25'),
  'escaped for JSON': escaped(4, '\\u'),
  'escaped for JSON twice': escaped(4, '\\\\u'),
  'escaped for HTML': (key) => [...key].map((letter) => `&#${letter.charCodeAt(0)};`).join(''),
  'in wide letters': (key) => key.replace(/[!-~]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
  'in base64': (key) => Buffer.from(key).toString('base64'),
  'in base64url with something before it': (key) => Buffer.from(`Bearer ${key}`).toString('base64url'),
  'in base64 of several lines': (key) =>
    (
      Buffer.from(`user:${key}`)
        .toString('base64')
        .match(/.{1,9}/g) ?? []
    ).join('\n'),
  'in hexadecimal': (key) => Buffer.from(key).toString('hex'),
}

const anyText = fc.array(fc.nat(0xffff), { maxLength: 100 }).map((codes) => String.fromCharCode(...codes))

/** Every run of 8 characters of the key's secret part. */
function runsOf(key: string): string[] {
  const part = key.slice(publicPrefix(key).length).toLowerCase()
  return Array.from({ length: part.length - 7 }, (_, at) => part.slice(at, at + 8))
}

function tracesOf(key: string, text: string): string[] {
  const plain = text.toLowerCase().replace(/[\s\u200b\u2060]/g, '')
  return runsOf(key).filter((run) => plain.includes(run))
}

describe('SecretIndex', () => {
  for (const [name, echo] of Object.entries(ECHOES))
    test(`hides a key that is repeated ${name}`, () => {
      const index = indexOf(...KEYS)
      for (const key of KEYS) {
        const text = `Incorrect API key provided: ${echo(key)}. You can find your key in your account.`
        const clean = index.hide(text, '…')
        expect(clean).toMatch(/^Incorrect API key provided: /)
        expect(clean).toMatch(/You can find your key in your account\.$/)
        expect(tracesOf(key, clean)).toEqual([])
        expect(index.knows(clean)).toBe(false)
      }
    })

  test('leaves what is too short to guess the rest by', () => {
    const index = indexOf(`gsk_${PART}`)
    expect(index.hide(`no key gsk_${PART}!`, '…')).toBe('no key …!')
    for (const text of [`gsk_${PART.slice(0, 7)}`, PART.slice(-7), maskKey(`gsk_${PART}`), 'gsk_'])
      expect(index.hide(text, '…')).toBe(text)
  })

  test('keeps readable what a healthy provider says', () => {
    const index = indexOf(
      ...KEYS,
      `my-decommissioned-key-${PART}`,
      'test-key',
      'local-key-1',
      'my-ollama-key',
      'none',
      'ollama',
      'x'.repeat(40),
    )
    for (const text of [
      'The model `llama-3.3-70b-versatile` has been decommissioned; see https://console.groq.com/docs/deprecations',
      'Rate limit reached for model in organization on tokens per minute (TPM): Limit 6000, Used 5954. Try again in 7.66s.',
      'none of the ollama models is local; my own key test is xxxxxxxx',
      '{"error":{"message":"Invalid value: \\"x\\"","code":"invalid_request_error"}}',
      Buffer.from('an innocent text of some length').toString('base64'),
    ])
      expect(index.hide(text, '…')).toBe(text)
  })

  test('takes a value of words as a whole, and one that stands for no key not at all', () => {
    expect(indexOf('test-key').hide('no such key: Test-Key', '…')).toBe('no such key: …')
    expect(indexOf('abcd').hide('abcd, but no abcdef', '…')).toBe('…, but no abcdef')
    expect(indexOf('none', 'a').hide('none is a key', '…')).toBe('none is a key')
    expect(indexOf('sk-local').hide('a local key is sk-local', '…')).toBe('a local key is …')
  })

  test('finds every run of 8 characters anywhere in any text, in any case', () => {
    const index = indexOf(...KEYS)
    fc.assert(
      fc.property(
        fc.constantFrom(...KEYS),
        fc.nat(),
        fc.integer({ min: 8, max: 40 }),
        fc.string({ maxLength: 30 }),
        anyText,
        (key, place, length, before, behind) => {
          const runs = runsOf(key)
          const part =
            runs[0] +
            runs
              .slice(1)
              .map((run) => run.at(-1))
              .join('')
          const at = place % runs.length
          const clean = index.hide(before + part.slice(at, at + length) + behind, '…')
          expect(tracesOf(key, clean)).toEqual([])
        },
      ),
    )
  })

  test('leaves every text alone that has nothing of a key', () => {
    const index = indexOf(...KEYS)
    fc.assert(
      fc.property(anyText, (text) => {
        expect(index.hide(text, '…')).toBe(text)
      }),
    )
  })
})

describe('redactor()', () => {
  test('removes what a cut would leave of a key at the end of a long text', () => {
    const key = KEYS[0] as string
    for (const shown of [8, 12, 20, 28]) {
      const clean = redactor(indexOf(key))('a '.repeat(8192).slice(0, 16_384 - shown) + key)
      expect(tracesOf(key, clean)).toEqual([])
    }
  })

  test('knows secrets that were added later', () => {
    const index = indexOf()
    const redact = redactor(index)
    expect(redact(`token ${PART}`)).toBe(`token ${PART}`)
    index.add(PART)
    expect(redact(`token ${PART}`)).toBe('token …')
  })
})
