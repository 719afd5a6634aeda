import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VAULT_NOW, vaultEntry, vaultWith } from '../../../test/support/makeVault.ts'
import { VaultError } from '../../domain/errors.ts'
import { Secret } from '../../domain/redact.ts'
import { freshKey, type NewWay, OpenVault, type VaultMeans } from './openVault.ts'
import { freshStretching, hasArgon2, passphraseKey, type Stretching, whyRefused } from './passphraseKey.ts'
import { keyFor, seal, unseal } from './seal.ts'
import { parseVault, type VaultFormat } from './vaultFile.ts'

const KEY = freshKey()
const GROQ = `gsk_${'fake'.repeat(12)}`
const OPENAI = `sk-${'fake'.repeat(11)}`
/** The cheapest that is accepted. */
const CHEAP: Stretching = hasArgon2()
  ? { ...freshStretching('argon2id'), name: 'argon2id', memoryKib: 19_456, passes: 2, parallelism: 1 }
  : { ...freshStretching('scrypt'), name: 'scrypt', cost: 2 ** 15, blockSize: 8, parallelism: 3 }
const PHRASE = new Secret('four words of nonsense')

const byKey = (...keys: Secret[]): VaultMeans => ({ keys, passphrase: null })
const byPhrase = (passphrase: string): VaultMeans => ({ keys: [], passphrase: new Secret(passphrase) })
const example = (ways: readonly NewWay[] = [{ kind: 'file', key: KEY }], format?: VaultFormat) =>
  vaultWith(
    [
      { name: 'groq-1', key: GROQ },
      { name: 'openai', provider: 'openai', key: OPENAI, note: 'work' },
    ],
    ways,
    format,
  )

function opened(text: string | Uint8Array, means: VaultMeans = byKey(KEY), format: VaultFormat = 'keywise-vault') {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return OpenVault.open(parseVault(bytes, 'vault.json', format), means, 'vault.json')
}

function errorOf(open: () => unknown): VaultError {
  try {
    open()
  } catch (error) {
    if (error instanceof VaultError) return error
    throw error
  }
  throw new Error('it opened')
}

const keysOf = (vault: OpenVault) => vault.entries.map(({ name, secret }) => [name, secret.reveal()])
const BOTH = [
  ['groq-1', GROQ],
  ['openai', OPENAI],
]

test('an object in the place of a text is damage like any other', () => {
  const note = { length: { toString: 1 } }
  const text = JSON.stringify({ format: 'keywise-vault', version: 1, entries: [{ note }] })
  expect(errorOf(() => opened(text))).toBeInstanceOf(VaultError)
})

test('what was put into a vault is there when it is opened, and stands nowhere in its file', () => {
  const text = example().text()
  expect(keysOf(opened(text))).toEqual(BOTH)
  expect(opened(text).find('openai')).toMatchObject({ provider: 'openai', note: 'work', address: null })
  for (const secret of [GROQ, OPENAI, KEY.reveal()]) expect(text).not.toContain(secret.slice(0, 12))
})

test('a vault with one byte changed, whichever, gives one error and no key', () => {
  const bytes = Buffer.from(example().text())
  bytes.forEach((byte, at) => {
    for (const other of [byte ^ 1, 0x20]) {
      if (other === byte) continue
      const changed = Buffer.from(bytes)
      changed[at] = other
      const { code, message } = errorOf(() => opened(changed))
      expect(code).toBe('VAULT')
      for (const secret of [GROQ, OPENAI]) expect(message).not.toContain(secret.slice(0, 8))
    }
  })
})

test('a vault that is cut off, wherever, gives one error', () => {
  const bytes = Buffer.from(example().text())
  for (let length = 0; length < bytes.length; length++)
    expect(errorOf(() => opened(bytes.subarray(0, length))).reason).toBe('damaged')
})

test('a vault that a formatter has spread over lines still opens', () => {
  expect(keysOf(opened(`${JSON.stringify(JSON.parse(example().text()), null, 2)}\r\n`))).toEqual(BOTH)
})

type Parsed = { [field: string]: unknown; entries: Record<string, unknown>[]; ways: Record<string, unknown>[] }
/** A change that somebody makes who has no key. */
const tampering: Readonly<Record<string, (file: Parsed) => void>> = {
  'two entries swap their keys': ({ entries: [a, b] }) => {
    const { nonce, data } = { ...a }
    Object.assign(a!, { nonce: b!['nonce'], data: b!['data'] })
    Object.assign(b!, { nonce, data })
  },
  'an entry is moved to another provider': ({ entries: [a] }) => Object.assign(a!, { provider: 'evil' }),
  'an entry is given an address': ({ entries: [a] }) => Object.assign(a!, { address: 'https://evil.example' }),
  'an entry gets another name': ({ entries: [a] }) => Object.assign(a!, { name: 'other' }),
  'an entry is taken away': ({ entries }) => entries.pop(),
  'an entry stands twice': ({ entries: [a, ...rest] }) => rest.push(a!),
  'entries change places': ({ entries }) => entries.reverse(),
  'the age of a key is changed': ({ entries: [a] }) => Object.assign(a!, { createdAt: '2020-01-01T00:00:00.000Z' }),
  'a note is changed': ({ entries: [a] }) => Object.assign(a!, { note: 'unused, remove' }),
  'a field is added': (file) => Object.assign(file, { extra: 1 }),
  'the vault takes another id': (file) => Object.assign(file, { id: Buffer.alloc(16).toString('base64') }),
  'a way in is taken away': ({ ways }) => ways.pop(),
}

for (const [name, change] of Object.entries(tampering))
  test(`it is noticed when ${name}`, () => {
    const file = JSON.parse(
      example([
        { kind: 'file', key: KEY },
        { kind: 'keyring', key: freshKey() },
      ]).text(),
    ) as Parsed
    const before = JSON.stringify(file)
    change(file)
    if (name !== 'an entry stands twice') expect(JSON.stringify(file)).not.toBe(before)
    else file.entries.push(file.entries[0]!)
    expect(errorOf(() => opened(JSON.stringify(file))).reason).toMatch(/damaged|refused/)
  })

test('an entry of another vault with the same keys does not open', () => {
  const [one, two] = [example().text(), example().text()].map((text) => JSON.parse(text) as Parsed)
  one!.entries[0] = two!.entries[0]!
  expect(errorOf(() => opened(JSON.stringify(one))).reason).toBe('damaged')
})

test('what is sealed for one purpose or one identity does not open for another', () => {
  const secret = Buffer.from(KEY.reveal(), 'base64')
  const salt = Buffer.alloc(16).toString('base64')
  const purposes = [
    'seal entry',
    'authenticate file',
    'wrap data key with key',
    'wrap data key with passphrase',
  ] as const
  const keys = purposes.map((purpose) => keyFor(purpose, secret, salt))
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(purposes.length)
  for (const sealing of keys) {
    const sealed = seal(Buffer.from(GROQ), sealing, 'a')
    expect(keys.map((key) => unseal(sealed, key, 'a')?.toString() ?? null)).toEqual(
      keys.map((key) => (key === sealing ? GROQ : null)),
    )
    expect(unseal(sealed, sealing, 'b')).toBeNull()
  }
})

test('an export cannot take the place of the vault, nor the vault that of an export', () => {
  const vault = example().text()
  const exported = example([{ kind: 'file', key: KEY }], 'keywise-vault-export').text()
  expect(errorOf(() => opened(exported)).message).toContain('keywise vault import FILE')
  expect(errorOf(() => opened(vault, byKey(KEY), 'keywise-vault-export')).message).toContain(
    'keywise vault export FILE',
  )
  const renamed = exported.replace('keywise-vault-export', 'keywise-vault')
  expect(errorOf(() => opened(renamed)).reason).toBe('refused')
  expect(keysOf(opened(exported, byKey(KEY), 'keywise-vault-export'))).toEqual(BOTH)
})

test('it opens in each of its ways, and says the same whatever wrong was given', () => {
  const keyring = freshKey()
  const text = example([
    { kind: 'passphrase', passphrase: PHRASE, stretching: CHEAP },
    { kind: 'file', key: KEY },
    { kind: 'keyring', key: keyring },
  ]).text()
  for (const means of [byKey(KEY), byKey(keyring), byKey(freshKey(), keyring), byPhrase(PHRASE.reveal())])
    expect(keysOf(opened(text, means))).toEqual(BOTH)
  expect(keysOf(opened(text, byPhrase(` ${PHRASE.reveal()}\n`)))).toEqual(BOTH)
  const wrong = [
    byKey(freshKey()),
    byPhrase('x'),
    byPhrase(PHRASE.reveal().slice(0, -1)),
    { ...byPhrase('y'), keys: [freshKey()] },
  ]
  const errors = wrong.map((means) => errorOf(() => opened(text, means)))
  expect(new Set(errors.map(({ reason, message }) => `${reason} ${message}`)).size).toBe(1)
  expect(errors[0]?.reason).toBe('refused')
  expect(errorOf(() => opened(text, { keys: [], passphrase: null }))).toMatchObject({ reason: 'locked' })
})

test('a newer vault is left alone, and other files are not taken for one', () => {
  const newer = errorOf(() => opened(example().text().replace('"version":1', '"version":2')))
  expect(newer).toMatchObject({ reason: 'newer' })
  expect(newer.message).toMatch(/newer keywise .* update keywise/)
  for (const text of ['', '{}', '[]', 'null', '1', '"x"', '\u0000', '{"format":"other"}', '['.repeat(100_000)])
    expect(errorOf(() => opened(text)).reason).toBe('damaged')
})

test('parameters that are too weak or too expensive are refused', () => {
  const scrypt = { name: 'scrypt', cost: 2 ** 17, blockSize: 8, parallelism: 1, salt: '' } as const
  const argon2id = { name: 'argon2id', memoryKib: 65_536, passes: 3, parallelism: 1, salt: '' } as const
  const cases: [Stretching, RegExp | null][] = [
    [scrypt, null],
    [argon2id, null],
    [CHEAP, null],
    [{ ...scrypt, cost: 2 ** 14 }, /weaker/],
    [{ ...scrypt, cost: 2 ** 15 }, /weaker/],
    [{ ...scrypt, cost: 100_000 }, /power of two/],
    [{ ...scrypt, blockSize: 1 }, /weaker/],
    [{ ...scrypt, cost: 2 ** 24 }, /expensive/],
    [{ ...scrypt, parallelism: 1000 }, /lanes/],
    [{ ...argon2id, memoryKib: 8 }, /weaker/],
    [{ ...argon2id, passes: 1 }, /weaker/],
    [{ ...argon2id, memoryKib: 2 ** 30 }, /expensive/],
    [{ ...argon2id, passes: 1000 }, /expensive/],
  ]
  for (const [stretching, refused] of cases)
    if (refused === null) expect(whyRefused(stretching)).toBeNull()
    else expect(whyRefused(stretching)).toMatch(refused)
})

test('weaker parameters written into the file are refused before the passphrase is used', () => {
  const text = example([{ kind: 'passphrase', passphrase: PHRASE, stretching: CHEAP }]).text()
  const weak = text.replace(/"memoryKib":\d+/, '"memoryKib":8').replace(/"cost":\d+/, '"cost":16')
  expect(errorOf(() => opened(weak, byPhrase(PHRASE.reveal()))).message).toMatch(/refused \(weaker/)
})

test('a new data key leaves the keys, their age and the given ways, and makes old copies useless for new keys', () => {
  const vault = example()
  const before = vault.text()
  const other = freshKey()
  vault.rekey([{ kind: 'file', key: other }], VAULT_NOW + 1)
  const after = vault.text()
  expect(keysOf(opened(after, byKey(other)))).toEqual(BOTH)
  expect(opened(after, byKey(other)).find('groq-1')).toMatchObject({ createdAt: new Date(VAULT_NOW).toISOString() })
  expect(errorOf(() => opened(after)).reason).toBe('refused')
  const [old, fresh] = [before, after].map((text) => JSON.parse(text) as Parsed)
  old!.entries = fresh!.entries
  expect(errorOf(() => opened(JSON.stringify(old))).reason).toBe('damaged')
})

test('a changed vault keeps everything else; any names, notes and keys come back as they were', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/)
  const key = fc.stringMatching(/^[\x21-\x7e]{1,200}$/)
  const note = fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => /^\P{C}*$/u.test(text)))
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ name, key, note }), { selector: (one) => one.name, maxLength: 6 }),
      (entries) => {
        const vault = vaultWith(entries, [{ kind: 'file', key: KEY }])
        const again = opened(vault.text())
        expect(again.entries.map(({ name, secret, note }) => ({ name, key: secret.reveal(), note }))).toEqual(entries)
        const [first] = entries
        if (first === undefined) return
        again.put(vaultEntry({ name: first.name, key: 'another-key' }))
        again.remove(entries.at(-1)!.name)
        const names = entries.slice(0, -1).map(({ name }) => name)
        expect(opened(again.text()).entries.map(({ name }) => name)).toEqual(names)
      },
    ),
    { numRuns: 40 },
  )
})

test('nothing that is printed of an opened vault shows a key', () => {
  const vault = example()
  for (const text of [JSON.stringify(vault.entries), String(vault.find('openai')?.secret), JSON.stringify(vault)])
    for (const secret of [GROQ, OPENAI]) expect(text).not.toContain(secret.slice(0, 10))
})

test('a key is derived once for a passphrase and its parameters', () => {
  const first = passphraseKey('the same words', CHEAP)
  expect(passphraseKey('the same words', CHEAP)).toBe(first)
  expect(passphraseKey('other words', CHEAP).equals(first)).toBe(false)
})
