/** `vault:NAME` in a configuration: who gets which key, and what is said when nobody does. */

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type MadeVault, makeVault } from '../../../test/support/makeVault.ts'
import { put, temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { KeywiseError, VaultError } from '../../domain/errors.ts'
import { type Config, loadConfig } from '../config.ts'

const GROQ = `gsk_${'fake'.repeat(12)}`
const OTHER = `fake-${'other'.repeat(6)}`
const ENTRIES = [
  { name: 'work', key: GROQ, note: 'of the team' },
  { name: 'mine', key: OTHER, provider: 'my-llm', address: 'https://llm.example' },
  { name: 'bot', key: '123456:fake-token-fake-token', provider: 'alerts:telegram' },
  { name: 'hook', key: 'https://hooks.example/fake-path', provider: 'alerts:webhook' },
  { name: 'cf', key: 'f'.repeat(40), provider: 'cloudflare' },
]

interface Setting {
  readonly folder: string
  readonly vault: MadeVault
  load(config: object, env?: Readonly<Record<string, string>>): Config
}

function setting(): Setting {
  const folder = temporaryFolder()
  const vault = makeVault(folder, ENTRIES)
  return {
    folder,
    vault,
    load: (config, env = vault.env) => {
      put(folder, 'config/api-keys.json', JSON.stringify(config))
      return loadConfig({ env, cwd: folder, home: folder, platform: 'linux' })
    },
  }
}

function errorOf(load: () => unknown): KeywiseError {
  try {
    load()
  } catch (error) {
    if (error instanceof KeywiseError) return error
    throw error
  }
  throw new Error('it loaded')
}

const mine = (endpoint = 'https://llm.example/v1', key = 'vault:mine') => ({
  'my-llm': { dialect: 'openai', endpoint, api_key: key, models: ['m'] },
})

test('a key comes from the vault in every form of the file, with its age', () => {
  const { load, folder } = setting()
  for (const block of [
    { api_key: 'vault:work' },
    { api_key: ' vault: work ' },
    { api_keys: ['vault:work'] },
    { keys: [{ key: 'vault:work', label: 'w' }] },
  ]) {
    const { providers, vault } = load({ groq: block })
    expect(providers[0]?.keys[0]?.secret.reveal()).toBe(GROQ)
    expect(providers[0]?.keys[0]?.vault).toEqual({ name: 'work', since: '2026-11-01T00:00:00.000Z' })
    expect(vault).toBe(join(folder, 'config/vault.json'))
  }
  expect(load(mine()).providers[0]?.keys[0]?.secret.reveal()).toBe(OTHER)
})

test('where the provider wants an account before the key, it is put there for keys of the vault too', () => {
  const { load } = setting()
  const { providers } = load({ cloudflare: { account_id: 'a'.repeat(32), api_key: 'vault:cf', models: ['m'] } })
  expect(providers[0]?.keys[0]?.secret.reveal()).toBe(`${'a'.repeat(32)}:${'f'.repeat(40)}`)
})

test('alert channels have their secrets from the vault', () => {
  const { load } = setting()
  const alerts = { telegram: { bot_token: 'vault:bot', chat_id: '1' }, webhook: { url: 'vault:hook' } }
  const { settings, warnings } = load({ groq: { api_key: 'vault:work' }, settings: { alerts } })
  expect(settings.alerts.telegram?.botToken.reveal()).toMatch(/^123456:/)
  expect(settings.alerts.webhook?.url.reveal()).toMatch(/fake-path$/)
  expect(warnings).toEqual([])
})

const withheld: readonly (readonly [what: string, config: object, said: RegExp])[] = [
  [
    'a name that is not there',
    { groq: { api_key: 'vault:none' } },
    /"groq\.api_key" asks the vault for "none", which it does not have; run: keywise vault add none --provider groq$/,
  ],
  ['a key of another provider', { openai: { api_key: 'vault:work' } }, /is a key for groq and is given to nobody else/],
  ['a provider of its own with that key', mine('https://evil.example/v1', 'vault:work'), /is a key for groq/],
  [
    'a known provider at another address',
    { groq: { api_key: 'vault:work', endpoint: 'https://evil.example/v1' } },
    /may be sent to the provider's own address alone, not to https:\/\/evil\.example; correct the address/,
  ],
  [
    'a server of its own at another address',
    mine('https://evil.example/v1'),
    /may be sent to https:\/\/llm\.example alone, not to https:\/\/evil\.example/,
  ],
  ['a server of its own without encryption', mine('http://llm.example/v1'), /not to http:\/\/llm\.example/],
  [
    'another server behind the same address',
    { 'my-llm': { ...mine()['my-llm'], headers: { Host: 'evil.example' } } },
    /may be sent to https:\/\/llm\.example alone, not to https:\/\/llm\.example as host "evil\.example"/,
  ],
  ['a key in the place of a name', { groq: { api_key: `vault:${GROQ}` } }, /asks the vault for "…"/],
]

for (const [what, config, said] of withheld)
  test(`the vault gives nothing to ${what}`, () => {
    const { load } = setting()
    const error = errorOf(() => load(config))
    expect(error).toMatchObject({ code: 'VAULT', reason: 'entry' })
    expect(error.message).toMatch(/^config\/api-keys\.json:1:\d+: /)
    expect(error.message).toMatch(said)
    for (const secret of [GROQ, OTHER]) expect(error.message).not.toContain(secret.slice(0, 12))
  })

test('a channel whose secret the vault does not give is silent, and the rest loads', () => {
  const { load } = setting()
  const { settings, warnings } = load({
    groq: { api_key: 'vault:work' },
    settings: {
      alerts: {
        telegram: { bot_token: 'vault:bot', chat_id: '1', api_root: 'https://evil.example' },
        webhook: { url: 'vault:work' },
      },
    },
  })
  expect(settings.alerts).not.toHaveProperty('telegram')
  expect(settings.alerts).not.toHaveProperty('webhook')
  expect(warnings.join('\n')).toMatch(/alone, not to https:\/\/evil\.example.*until then this channel is silent/)
})

test('without a passphrase or a key, and without a vault, it is said what to set or to run', () => {
  const { load, vault, folder } = setting()
  const locked = errorOf(() => load({ groq: { api_key: 'vault:work' } }, {}))
  expect(locked).toMatchObject({ reason: 'locked' })
  expect(locked.message).toMatch(/asks the vault for "work"; config\/vault\.json: is locked; .*KEYWISE_VAULT_KEY/)
  writeFileSync(vault.file, '{}')
  expect(errorOf(() => load({ groq: { api_key: 'vault:work' } }))).toMatchObject({ reason: 'damaged' })
  const elsewhere = () =>
    loadConfig({
      config: { groq: { api_key: 'vault:x' } },
      env: {},
      cwd: join(folder, 'no'),
      home: folder,
      platform: 'linux',
    })
  expect(errorOf(elsewhere).message).toMatch(/there is no vault; make one with: keywise vault init$/)
})

test('a configuration without vault: never looks at the vault', () => {
  const { load, vault } = setting()
  writeFileSync(vault.file, 'broken')
  expect(load({ groq: { api_key: GROQ } }, {}).providers[0]?.keys[0]?.vault).toBeUndefined()
})

test('a configuration that is an object has the vault of the working directory', () => {
  const { folder, vault } = setting()
  const config = loadConfig({
    config: { groq: { api_key: 'vault:work' } },
    env: vault.env,
    cwd: folder,
    home: '/',
    platform: 'linux',
  })
  expect(config.providers[0]?.keys[0]?.secret.reveal()).toBe(GROQ)
})

test('it opens by a key file, which only its owner may read, and by a credential of systemd', () => {
  const { folder, vault, load } = setting()
  const config = { groq: { api_key: 'vault:work' } }
  const file = put(folder, 'key', `${vault.env.KEYWISE_VAULT_KEY}\n`)
  chmodSync(file, 0o600)
  expect(load(config, { KEYWISE_VAULT_KEY_FILE: file }).providers).toHaveLength(1)
  chmodSync(file, 0o640)
  if (process.platform !== 'win32')
    expect(errorOf(() => load(config, { KEYWISE_VAULT_KEY_FILE: file })).message).toMatch(/run: chmod 600/)
  put(folder, 'credentials/keywise-vault-key', vault.env.KEYWISE_VAULT_KEY)
  expect(load(config, { CREDENTIALS_DIRECTORY: join(folder, 'credentials') }).providers).toHaveLength(1)
  expect(errorOf(() => load(config, { CREDENTIALS_DIRECTORY: folder }))).toMatchObject({ reason: 'locked' })
})

test('a key that is none is named by its variable, not by its value', () => {
  const { folder, load } = setting()
  const config = { groq: { api_key: 'vault:work' } }
  const nonsense = 'correct-horse-battery'
  const file = put(folder, 'key', nonsense)
  chmodSync(file, 0o600)
  for (const [variable, value] of [
    ['KEYWISE_VAULT_KEY', nonsense],
    ['KEYWISE_VAULT_KEY_FILE', file],
    ['KEYWISE_VAULT_KEY_FILE', '/no/where'],
  ] as const) {
    const error = errorOf(() => load(config, { [variable]: value }))
    expect(error).toBeInstanceOf(VaultError)
    expect(error.message).toContain(variable)
    expect(error.message).not.toContain(nonsense)
  }
})

test('what opens the vault is sent to nobody, by whichever name the configuration asks for it', () => {
  const { load, vault, folder } = setting()
  const [key = ''] = Object.values(vault.env)
  writeFileSync(join(folder, 'key'), `${key}\n`, { mode: 0o600 })
  const names = { env: { ...vault.env, OTHER: `Bearer ${key}`, PHRASE: 'a-passphrase-of-four-words' } }
  const asks: [string, Readonly<Record<string, string>>][] = [
    ['env:OTHER', names.env],
    ['env:PHRASE', { ...names.env, KEYWISE_VAULT_PASSPHRASE: 'a-passphrase-of-four-words' }],
    // Not what this process opens it with, but it opens all the same.
    ['file:../key', { KEYWISE_VAULT_PASSPHRASE: 'another-passphrase' }],
    ...Object.keys(vault.env).map((name): [string, Readonly<Record<string, string>>] => [`env:${name}`, names.env]),
  ]
  for (const [value, env] of asks) {
    const error = errorOf(() => load(mine('https://evil.example/v1', value), env))
    expect([value, error.message]).toEqual([value, expect.stringMatching(/names what opens the vault/)])
  }
  const { settings } = load({ settings: { alerts: { telegram: { bot_token: 'env:OTHER', chat_id: '1' } } } }, names.env)
  expect(settings.alerts.telegram ?? null).toBeNull()
})
