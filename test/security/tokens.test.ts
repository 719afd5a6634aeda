/** S14: no secret that is empty, short or known is ever a token, and none has two meanings. */

import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tokenFault } from '../../src/server/tokenRules.ts'
import { makeHome, serving } from '../support/runKeywise.ts'

const KEYS = { mine: { dialect: 'openai', endpoint: 'http://127.0.0.1:9/v1', api_key: 'none', models: ['m'] } }
const GOOD = `fake-${'0a1b2c3d4e'.repeat(2)}-inference`
const OTHER = `fake-${'5f6a7b8c9d'.repeat(2)}-admin`

/** `keywise serve` that ends at once. */
function serve(env: Readonly<Record<string, string>>, config: object = KEYS, home = makeHome(config, env)) {
  return home.keywise('serve', '--port', '0', '--seconds', '0')
}

const WEAK = [
  ' ',
  '\t\t',
  ' '.repeat(30),
  '1',
  '123456',
  'password',
  'changeme',
  'admin',
  'test',
  'short-by-one-letter',
  'changemechangemechangeme',
  'changeme-changeme-changeme',
  'your-secret-token-here',
  'sk-1234567890abcdefghij',
  'CHANGEME_CHANGEME_1234',
  'passwordpassword2024!',
  '12345678901234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'zyxwvutsrqponmlkjihgfedcba0123456789',
  'qwertyuiop-asdfghjkl-1',
  'a blank in the middle of it',
  `tab\tin-${'0a1b2c3d4e'.repeat(2)}`,
  `ümlaut-${'0a1b2c3d4e'.repeat(2)}`,
  '0a1b2c3d4e'.repeat(60),
]

test.each(WEAK)('"%s" is no token', (value) => expect(tokenFault(value.trim())).toMatch(/^(?:is|has) /))

describe.each(['KEYWISE_TOKEN', 'KEYWISE_ADMIN_TOKEN'])('%s', (variable) => {
  const started = WEAK.filter((_, index) => (index + variable.length) % 7 === 0)
  test.each(started)('"%s" is refused with 78 and a sentence, without being repeated', async (value) => {
    const { code, stdout, stderr } = await serve({ [variable]: value })
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^keywise: ${variable} (?:is|has) .*; set it to a random value .*\\n$`))
    if (value.length > 8) expect(stderr).not.toContain(value.slice(0, 12))
  })

  test('set to nothing counts as unset, and that is said', async () => {
    const { code, stdout, stderr } = await serve({ [variable]: '' })
    expect(code).toBe(0)
    expect(stderr).toContain(`${variable} is set but empty, which counts as unset`)
    expect(stdout).toMatch(/new inference token, shown once: kwi_/)
  })
})

test.each([
  GOOD,
  'test-token-of-a-laboratory-17',
  'kwi_uJ3n0dD8kQ2yX5vB7wT1rL6mP9sA4hC',
  '9f86d081884c7d659a2feaa0c55ad015',
  '83719204857193047512',
  'correct-horse-battery-staple',
  `admin-${'0a1b2c3d'.repeat(3)}`,
])('%s may be one', (value) => expect(tokenFault(value)).toBeNull())

describe.each([
  'a'.repeat(24),
  '0'.repeat(20),
  'test'.repeat(5),
  'admin-'.repeat(5),
])('%s, which is one piece repeated', (value) => {
  test('is a warning where only this machine reaches the gateway, and refused elsewhere', async () => {
    const home = makeHome(KEYS, { KEYWISE_TOKEN: value })
    const near = await serve({}, KEYS, home)
    expect([near.code, near.stderr]).toEqual([0, expect.stringContaining('KEYWISE_TOKEN is the same few characters')])
    const far = await home.keywise('serve', '--host', '0.0.0.0', '--port', '0', '--seconds', '0')
    expect([far.code, far.stdout]).toEqual([78, ''])
    expect(far.stderr).toContain(
      'on 0.0.0.0 others can reach the gateway, and KEYWISE_TOKEN is the same few characters',
    )
  })
})

describe('a token of two meanings is refused with 78', () => {
  test('for inference and for administration', async () => {
    const { code, stderr } = await serve({ KEYWISE_TOKEN: GOOD, KEYWISE_ADMIN_TOKEN: GOOD })
    expect(code).toBe(78)
    expect(stderr).toMatch(/^keywise: KEYWISE_ADMIN_TOKEN is the same as KEYWISE_TOKEN: .* a value of its own/)
  })

  test('in a variable and in the file of the other, and in both files', async () => {
    const home = makeHome(KEYS, {})
    expect((await serve({}, KEYS, home)).code).toBe(0)
    const state = join(home.folder, 'home/state/keywise')
    const admin = readFileSync(join(state, 'admin-token'), 'utf8').trim()
    const set = makeHome(KEYS, { KEYWISE_TOKEN: admin, XDG_STATE_HOME: dirname(state) })
    expect(await serve({}, KEYS, set)).toMatchObject({
      code: 78,
      stderr: expect.stringContaining(`${join(state, 'admin-token')} is the same as KEYWISE_TOKEN`),
    })
    writeFileSync(join(state, 'token'), admin)
    expect(await serve({}, KEYS, home)).toMatchObject({ code: 78, stderr: expect.stringContaining('is the same as') })
  })

  test('that was made for a name', async () => {
    const home = makeHome(KEYS, {})
    const made = (await home.keywise('token', 'add', 'laptop', '--scope', 'admin')).stdout.split('\n')[0] ?? ''
    const state = join(home.folder, 'home/state')
    const { code, stderr } = await serve({ KEYWISE_TOKEN: made, XDG_STATE_HOME: state })
    expect(code).toBe(78)
    expect(stderr).toContain('KEYWISE_TOKEN is the same as the token "laptop" of keywise token list')
    expect(stderr).not.toContain(made)
  })

  test.each([
    ["a provider's key", { groq: { api_keys: [GOOD] } }, 'the key groq#1'],
    [
      "a bot's token",
      { ...KEYS, settings: { alerts: { telegram: { bot_token: GOOD, chat_id: '1' } } } },
      "the bot's token of settings.alerts.telegram",
    ],
  ])('that is %s', async (_, config, what) => {
    for (const variable of ['KEYWISE_TOKEN', 'KEYWISE_ADMIN_TOKEN']) {
      const { code, stderr } = await serve({ [variable]: GOOD }, config)
      expect(code).toBe(78)
      expect(stderr).toContain(`${variable} is the same as ${what}`)
      expect(stderr).not.toContain(GOOD)
    }
  })

  test("but for the key of a server on one's own network, which may be another keywise: a warning", async () => {
    const config = { mine: { ...KEYS.mine, api_key: GOOD } }
    const { code, stderr } = await serve({ KEYWISE_TOKEN: GOOD, KEYWISE_ADMIN_TOKEN: OTHER }, config)
    expect(code).toBe(0)
    expect(stderr).toContain('KEYWISE_TOKEN is the same as the key mine#1')
  })
})

describe('the token files', () => {
  const stateOf = (folder: string) => join(folder, 'home/state/keywise')

  test('are made for their owner alone, and kept', async () => {
    const home = makeHome(KEYS, {})
    await serve({}, KEYS, home)
    for (const name of ['token', 'admin-token']) {
      const file = join(stateOf(home.folder), name)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(readFileSync(file, 'utf8')).toMatch(/^kw[ia]_[\w-]{43}\n$/)
    }
    expect(statSync(stateOf(home.folder)).mode & 0o777).toBe(0o700)
    expect((await serve({}, KEYS, home)).stdout).not.toContain('shown once')
  })

  test.each(['keep me\n', `${'changeme'.repeat(4)}\n`])('that hold "%s" are not overwritten', async (content) => {
    const home = makeHome(KEYS, {})
    const file = join(stateOf(home.folder), 'token')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    const { code, stderr } = await serve({}, KEYS, home)
    expect([code, readFileSync(file, 'utf8')]).toEqual([78, content])
    expect(stderr).toContain(`${file}: what it holds is no token`)
    expect(existsSync(join(dirname(file), 'admin-token'))).toBe(false)
  })
})

test.each([
  'a file',
  'nothing',
  'an empty file',
])('S22: a link to %s in the place of a token is never written through', async (to) => {
  const home = makeHome(KEYS, {})
  const state = join(home.folder, 'home/state/keywise')
  const elsewhere = join(home.folder, 'elsewhere')
  mkdirSync(state, { recursive: true })
  if (to !== 'nothing') writeFileSync(elsewhere, to === 'a file' ? 'keep me' : '', { mode: 0o644 })
  symlinkSync(elsewhere, join(state, 'admin-token'))
  const { code, stderr } = await serve({}, KEYS, home)
  expect(code).toBe(78)
  expect(stderr).toContain(join(state, 'admin-token'))
  if (to === 'nothing') expect(existsSync(elsewhere)).toBe(false)
  else
    expect([readFileSync(elsewhere, 'utf8'), statSync(elsewhere).mode & 0o777]).toEqual([
      to === 'a file' ? 'keep me' : '',
      0o644,
    ])
})

test('the two of a gateway have no power over each other', async () => {
  const { origin } = await serving(makeHome(KEYS, { KEYWISE_TOKEN: GOOD, KEYWISE_ADMIN_TOKEN: OTHER }), '--port', '0')
  const statusOf = async (path: string, token: string) =>
    (await fetch(origin + path, { headers: { authorization: `Bearer ${token}` } })).status
  expect(await statusOf('/v1/models', GOOD)).toBe(200)
  expect(await statusOf('/api/keys', GOOD)).toBe(403)
  expect(await statusOf('/v1/models', OTHER)).toBe(403)
  expect(await statusOf('/api/keys', OTHER)).toBe(200)
})
