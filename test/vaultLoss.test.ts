/** What would lose keys for good, or give away what opens the vault: too large, deleted, or named where it is sent. */

import { existsSync, linkSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshKey } from '../src/config/vault/openVault.ts'
import { type Home, makeHome, type Ran } from './support/runKeywise.ts'
import { put } from './support/temporaryFolder.ts'

const keyOf = (name: string) => `gsk_${name.padEnd(48, '0')}`
const [FIRST, SECOND] = [keyOf('fakeFirst'), keyOf('fakeSecond')]
/** Of no known shape, as many providers have them. */
const SHAPELESS = `fake${'0a1b2c3d'.repeat(4)}`
const KEY = freshKey().reveal()
const CONFIG = { groq: { api_key: FIRST, models: ['g'] }, settings: { free_only: true } }

/** A home with a vault that holds the first key. */
async function filled(): Promise<Home> {
  const made = makeHome(CONFIG, { KEYWISE_VAULT_KEY: KEY })
  const ran = await made.keywise('vault', 'init', '--yes')
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  return made
}

const textOf = ({ folder }: Home, file: string) => readFileSync(join(folder, file), 'utf8')
const said = ({ stdout, stderr }: Ran) => stdout + stderr
const names = async (of: Home) => {
  const { entries } = JSON.parse((await of.keywise('vault', 'list', '--json')).stdout) as {
    entries: { name: string }[]
  }
  return entries.map(({ name }) => name)
}

test('no key is so large that the vault could not be read any more', async () => {
  const made = await filled()
  const before = textOf(made, 'config/vault.json')
  for (const length of [16_385, 100_000, 5_000_000]) {
    const ran = await made.answering(['x'.repeat(length)], 'vault', 'add', 'large', '--provider', 'groq')
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/at most 16384 characters; nothing was changed/)])
  }
  expect(textOf(made, 'config/vault.json')).toBe(before)
  const most = await made.answering(['x'.repeat(16_384)], 'vault', 'add', 'large', '--provider', 'groq')
  expect([most.code, await names(made)]).toEqual([0, ['groq', 'large']])
})

test('a change after which the vault could not be read any more is not written', async () => {
  const made = await filled()
  const before = textOf(made, 'config/vault.json')
  // Plain keys files may be larger than a key: 300 keys of 16 KB are more than a vault may have.
  const keys = Array.from({ length: 300 }, (_, index) => `${index}-${'x'.repeat(12_000)}`)
  put(made.folder, 'many.json', JSON.stringify({ groq: { api_keys: keys } }))
  const ran = await made.keywise('vault', 'import', 'many.json', '--yes')
  expect([ran.code, ran.stderr]).toEqual([78, expect.stringMatching(/nothing was changed.*larger than 4 MiB/)])
  expect([textOf(made, 'config/vault.json'), existsSync(join(made.folder, 'many.json'))]).toEqual([before, true])
})

test('what says where a key is, is no key', async () => {
  const made = await filled()
  for (const value of ['env:GROQ_API_KEY', 'vault:groq', 'file:key.txt', 'none']) {
    const ran = await made.answering([value], 'vault', 'add', 'other', '--provider', 'groq')
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/give the key itself/)])
  }
})

test('a plain copy with a key that is not in the vault is left, whatever was agreed to', async () => {
  const made = makeHome(CONFIG, { KEYWISE_VAULT_KEY: KEY })
  put(made.folder, 'config/api-keys.json.bak', JSON.stringify({ groq: { api_keys: [FIRST, SECOND] } }))
  put(made.folder, 'config/api-keys.json.old', JSON.stringify(CONFIG))
  put(
    made.folder,
    'config/api-keys.1.json',
    JSON.stringify({ groq: { api_key: FIRST }, x: { api_key: 'a-short-one' } }),
  )
  const ran = await made.keywise('vault', 'init', '--yes')
  expect(ran.stdout).toMatch(/Left, because .* is not in the vault:\n.*api-keys\.1\.json\n.*api-keys\.json\.bak\n/)
  const isThere = (file: string) => existsSync(join(made.folder, 'config', file))
  expect(['api-keys.json.bak', 'api-keys.1.json', 'api-keys.json.old'].map(isThere)).toEqual([true, true, false])
})

test('an imported file that holds more than was taken in is left', async () => {
  const made = await filled()
  const files = {
    'comment.json': `{ // the old one: ${keyOf('fakeOld')}\n "groq": { "api_key": "${SECOND}" } }`,
    'field.json': JSON.stringify({ groq: { api_key: SECOND, api_key_2: 'fake-groq-1' } }),
    'whole.json': JSON.stringify({ groq: { api_key: SECOND } }),
  }
  for (const [file, text] of Object.entries(files)) {
    put(made.folder, file, text)
    const ran = await made.keywise('vault', 'import', file, '--yes')
    expect([ran.code, existsSync(join(made.folder, file))]).toEqual([0, file !== 'whole.json'])
  }
})

test('the keys file is never deleted, by whichever name it is imported', async () => {
  for (const name of ['linked/api-keys.json', 'hard.json']) {
    const made = makeHome(CONFIG, { KEYWISE_VAULT_KEY: KEY })
    await made.keywise('vault', 'init')
    symlinkSync(join(made.folder, 'config'), join(made.folder, 'linked'))
    linkSync(join(made.folder, 'config/api-keys.json'), join(made.folder, 'hard.json'))
    const ran = await made.keywise('vault', 'import', name, '--yes')
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect(JSON.parse(textOf(made, 'config/api-keys.json'))).toEqual({
      ...CONFIG,
      groq: { ...CONFIG.groq, api_key: 'vault:groq' },
    })
  }
})

test('what was edited while a question was open is not overwritten', async () => {
  const { replacePlain } = await import('../src/cli/vault/init.ts')
  const made = makeHome(CONFIG)
  const file = join(made.folder, 'config/api-keys.json')
  const entry = { name: 'groq', provider: 'groq', address: null }
  const move = { path: ['groq', 'api_key'], value: SECOND, use: entry, name: 'groq', entry }
  const desk = { document: { file, name: 'config/api-keys.json' } }
  // The keys file has another key there by now, which is nowhere else.
  const replaced = replacePlain(desk as never, [move] as never, {} as never)
  await expect(replaced).rejects.toThrow(/was changed meanwhile and left as it is/)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(CONFIG)
})

test('a key that was typed among the arguments is not repeated', async () => {
  const made = await filled()
  const typed = [
    ['vault', 'add', 'name', SECOND],
    ['vault', 'add', 'name', SHAPELESS],
    ['vault', SHAPELESS],
    ['vault', 'import', SHAPELESS],
    ['vault', 'list', `--${SHAPELESS}`],
    ['keys', 'list', 'x', 'y', SHAPELESS],
    [SHAPELESS],
  ]
  for (const args of typed) {
    const ran = await made.keywise(...args)
    expect(ran.code).toBe(2)
    for (const key of [SECOND, SHAPELESS]) expect(said(ran)).not.toContain(key.slice(4, 16))
  }
  const provider = await made.answering([SECOND], 'vault', 'add', 'name', '--provider', SHAPELESS)
  expect([provider.code, said(provider).includes(SHAPELESS.slice(0, 12))]).toEqual([2, false])
  const note = await made.answering([SHAPELESS], 'vault', 'add', 'n', '--provider', 'groq', '--note', `my ${SHAPELESS}`)
  expect([note.code, textOf(made, 'config/vault.json').includes(SHAPELESS)]).toEqual([2, false])
})

test('commands that change the vault at once wait for each other', async () => {
  const made = await filled()
  const adds = Array.from({ length: 8 }, (_, index) =>
    made.answering([keyOf(`fake${index}`)], 'vault', 'add', `k${index}`, '--provider', 'groq'),
  )
  const lock = put(made.folder, 'config/.vault.json.new', '')
  setTimeout(() => rmSync(lock), 120)
  expect((await Promise.all(adds)).map(({ code }) => code)).toEqual(adds.map(() => 0))
  expect((await names(made)).length).toBe(9)
})
