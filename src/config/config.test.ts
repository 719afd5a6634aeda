import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { ConfigError, VaultError } from '../domain/errors.ts'
import { loadConfig } from './config.ts'

const KEY = `gsk_${'k'.repeat(24)}`

/** Loads `content` as `config/api-keys.json` of a fresh folder. */
function loadFile(content: string | Uint8Array, env: Record<string, string> = {}) {
  const folder = temporaryFolder()
  put(folder, 'config/api-keys.json', content)
  return loadIn(folder, { env })
}

function loadIn(cwd: string, options: { config?: string | object; env?: Record<string, string> } = {}) {
  return loadConfig({ env: {}, home: cwd, platform: 'linux', ...options, cwd })
}

function errorOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('comments, trailing commas and a byte order mark are accepted', () => {
  const text = `\uFEFF{\n  // mine\n  "groq": { "api_key": "${KEY}", /* more later */ },\n}`
  expect(loadFile(text).providers[0]?.keys[0]?.secret.reveal()).toBe(KEY)
})

test('the file is found by option, then KEYWISE_CONFIG, then ./config, then the XDG folder', () => {
  const folder = temporaryFolder()
  const fileOf = (options: Parameters<typeof loadIn>[1]) => loadIn(folder, options).file
  const text = `{ "groq": { "api_key": "${KEY}" } }`
  expect(fileOf({})).toBe(null)
  const xdg = put(folder, 'xdg/keywise/api-keys.json', text)
  const env = { XDG_CONFIG_HOME: join(folder, 'xdg') }
  expect(fileOf({ env })).toBe(xdg)
  const here = put(folder, 'config/api-keys.json', text)
  expect(fileOf({ env })).toBe(here)
  const named = put(folder, 'named.json', text)
  expect(fileOf({ env: { ...env, KEYWISE_CONFIG: 'named.json' } })).toBe(named)
  const given = put(folder, 'given.json', text)
  expect(fileOf({ config: 'given.json', env: { ...env, KEYWISE_CONFIG: 'named.json' } })).toBe(given)
})

test('without a file, or with settings only, the keys come from the environment', () => {
  const env = { GROQ_API_KEY: KEY, GEMINI_API_KEY_2: `${KEY}2`, GEMINI_API_KEY_1: `${KEY}1,${KEY}3`, HOME: '/x' }
  const ids = ['google Gemini 3', 'groq 1']
  const outline = (config: ReturnType<typeof loadIn>) =>
    config.providers
      .map(({ spec, keys }) => `${spec.name.toLowerCase().replace('gemini', 'Gemini')} ${keys.length}`)
      .sort()
  expect(outline(loadIn(temporaryFolder(), { env }))).toEqual(ids)
  const withSettings = loadFile('{ "settings": { "max_attempts": 2 } }', env)
  expect(outline(withSettings)).toEqual(ids)
  expect(withSettings.settings.maxAttempts).toBe(2)
})

test('no file and no key give an empty configuration, not an error', () => {
  expect(loadIn(temporaryFolder())).toMatchObject({ file: null, providers: [], warnings: [] })
})

test('values come from variables and from files beside the configuration, trimmed', () => {
  const folder = temporaryFolder()
  put(folder, 'config/groq.key', `  ${KEY}\n`)
  put(folder, 'config/api-keys.json', '{ "groq": { "api_keys": ["file:groq.key", "env:OTHER"] } }')
  const { providers } = loadIn(folder, { env: { OTHER: ` Bearer ${KEY}2 ` } })
  expect(providers[0]?.keys.map(({ secret }) => secret.reveal())).toEqual([KEY, `${KEY}2`])
  expect(providers[0]?.keys[0]?.source).toBe('config/api-keys.json groq.api_keys[0]')
})

test('the secrets of alert channels are resolved, and a channel whose secret is missing is left out', () => {
  const alerts = { telegram: { bot_token: 'env:BOT', chat_id: 42 }, webhook: { url: 'env:HOOK' } }
  const { settings, warnings } = loadIn('/nowhere', { config: { settings: { alerts } }, env: { BOT: '1:abc' } })
  expect(settings.alerts.telegram).toMatchObject({ chatId: '42', apiRoot: 'https://api.telegram.org' })
  expect(settings.alerts.telegram?.botToken.reveal()).toBe('1:abc')
  expect(settings.alerts.webhook).toBeUndefined()
  expect(warnings).toEqual([expect.stringMatching(/webhook\.url" asks for the environment variable HOOK.*silent/)])
})

const badFiles: readonly {
  name: string
  content: string | Uint8Array
  message: RegExp
  at?: [number, number]
  path?: string
}[] = [
  { name: 'empty', content: '', message: /ends too early|empty/ },
  { name: 'blank', content: ' \n\n', message: /ends too early|empty/ },
  { name: 'only a comment', content: '// soon', message: /ends too early|empty/ },
  { name: 'half written', content: `{\n  "groq": {\n    "api_key": "${KEY}`, message: /:3:\d+: /, at: [3, 16] },
  { name: 'cut after a value', content: `{\n  "groq": { "api_key": "${KEY}"`, message: /ends too early/, at: [2, 54] },
  {
    name: 'missing a comma',
    content: '{\n  "a": {}\n  "b": {}\n}',
    message: /:3:3: is not valid JSON here: comma expected/,
    at: [3, 3],
  },
  { name: 'binary', content: new Uint8Array([0x7b, 0, 1, 2, 0x7d]), message: /binary file/ },
  {
    name: 'saved as UTF-16',
    content: Buffer.from('\uFEFF{}', 'utf16le'),
    message: /saved as UTF-16; save it as UTF-8/,
  },
  { name: 'not UTF-8', content: new Uint8Array([0x7b, 0xc3, 0x28, 0x7d]), message: /not UTF-8/ },
  { name: 'huge', content: ' '.repeat(4 * 1024 * 1024 + 1), message: /larger than 4 MiB/ },
  { name: 'nested without end', content: '['.repeat(1_000_000), message: /nested more than 64 levels/, at: [1, 65] },
  { name: 'a list', content: '[]', message: /must hold an object/, at: [1, 1] },
  { name: 'a text', content: '"x"', message: /must hold an object/, at: [1, 1] },
  {
    name: 'an empty key',
    content: '{\n  "groq": { "api_keys": ["",\n "x"] }\n}',
    message: /api-keys\.json:2:26: "groq\.api_keys\[0\]" is empty; remove it or paste a key/,
    at: [2, 26],
    path: 'groq.api_keys[0]',
  },
  { name: 'a key of blanks', content: '{ "groq": { "api_key": "  " } }', message: /is empty/, path: 'groq.api_key' },
  {
    name: 'a key with a line break',
    content: '{ "groq": { "api_key": "a\\nb" } }',
    message: /line break/,
    path: 'groq.api_key',
  },
  {
    name: 'a key that is a number',
    content: '{ "groq": { "api_key": 5 } }',
    message: /must be a string or an object or an array/,
    path: 'groq.api_key',
  },
  { name: 'a provider that is a text', content: '{ "groq": "x" }', message: /expected object/, path: 'groq' },
  {
    name: 'providers that are a list',
    content: '{ "providers": [] }',
    message: /must be an object of providers/,
    path: 'providers',
  },
  { name: 'settings that are a list', content: '{ "settings": [] }', message: /expected object/, path: 'settings' },
  {
    name: 'an unknown provider',
    content: '{\n "gorq": { "api_key": "x" } }',
    message: /"gorq" is not a provider keywise knows \(did you mean "groq"\?\)/,
    at: [2, 10],
    path: 'gorq',
  },
  {
    name: 'an endpoint that is no URL',
    content: '{ "mine": { "endpoint": "nope" } }',
    message: /must be a URL/,
    path: 'mine.endpoint',
  },
  {
    name: 'an endpoint of cloud metadata',
    content: '{ "mine": { "endpoint": "http://169.254.169.254/v1" } }',
    message: /metadata/,
    path: 'mine.endpoint',
  },
  {
    name: 'an unset variable',
    content: '{ "groq": { "api_key": "env:NOPE" } }',
    message: /environment variable NOPE, which is not set; set it/,
    path: 'groq.api_key',
  },
  {
    name: 'a missing key file',
    content: '{ "groq": { "api_key": "file:nope.key" } }',
    message: /file nope\.key, which cannot be read/,
    path: 'groq.api_key',
  },
  {
    name: 'the same provider twice',
    content: '{ "groq": { "api_key": "a" },\n  "groq": { "api_key": "b" } }',
    message: /"groq" stands here twice; merge the two/,
    at: [2, 3],
    path: 'groq',
  },
  {
    name: '"none" where a key is needed',
    content: '{ "groq": { "api_key": "none" } }',
    message: /Groq needs a key/,
    path: 'groq.api_key',
  },
  {
    name: 'a credential among the headers',
    content: '{ "mine": { "endpoint": "http://x/v1", "headers": { "Authorization": "x" } } }',
    message: /put it into "api_key"/,
    path: 'mine.headers',
  },
  {
    name: 'a wrong setting deep inside',
    content: '{\n"settings": {\n "routing": { "strategy": "x" } } }',
    message: /"settings\.routing\.strategy" is wrong: expected one of "learned"/,
    at: [3, 27],
    path: 'settings.routing.strategy',
  },
  {
    name: 'a reserved name',
    content: '{ "auto": { "api_key": "x" } }',
    message: /cannot be the name of a provider/,
    path: 'auto',
  },
  ...['__proto__', 'constructor', 'prototype'].map((name) => ({
    name: `the name ${name}`,
    content: `{ "groq": { "api_key": "x", "deep": [{ "${name}": {} }] } }`,
    message: new RegExp(`"${name}" cannot be a name`),
    path: `groq.deep[0].${name}`,
  })),
]

for (const { name, content, message, at, path } of badFiles) {
  test(`a file that is or holds ${name} is refused with its location and the remedy`, () => {
    const error = errorOf(() => loadFile(content))
    expect(error).toBeInstanceOf(ConfigError)
    if (!(error instanceof ConfigError)) return
    expect(error.message).toMatch(message)
    expect(error.message).toMatch(/^config\/api-keys\.json:/)
    expect(error.file).toMatch(/api-keys\.json$/)
    if (at) expect([error.line, error.column]).toEqual(at)
    if (path) expect(error.path).toBe(path)
  })
}

test('a file named explicitly must exist and be a file', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'sub'))
  expect(() => loadIn(folder, { config: 'nope.json' })).toThrow(/nope\.json: the file does not exist; correct the path/)
  expect(() => loadIn(folder, { env: { KEYWISE_CONFIG: 'gone.json' } })).toThrow(/gone\.json: the file does not exist/)
  expect(() => loadIn(folder, { config: 'sub' })).toThrow(/not a regular file/)
})

test.runIf(process.getuid?.() !== 0)('a file without read permission is reported as such', () => {
  const folder = temporaryFolder()
  chmodSync(put(folder, 'secret.json', '{}'), 0)
  expect(() => loadIn(folder, { config: 'secret.json' })).toThrow(/may not be read by this user/)
})

test('an object that is not plain data is refused', () => {
  const loop: Record<string, unknown> = {}
  loop['again'] = loop
  for (const config of [loop, { groq: () => KEY }, { groq: { api_key: 5n } }, []]) {
    expect(errorOf(() => loadIn('/nowhere', { config }))).toBeInstanceOf(ConfigError)
  }
})

test('a file with a thousand mistakes is reported in part, and quickly', () => {
  const fields = Array.from({ length: 20_000 }, (_, index) => `"field_${index}": 1`).join(',\n')
  const { warnings } = loadFile(`{ "groq": { "api_key": "${KEY}", ${fields} } }`)
  expect(warnings).toHaveLength(51)
  expect(warnings.at(-1)).toMatch(/and 19950 more remarks/)
})

test('a key in a file that git would commit causes a warning, one from a variable does not', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, '.git'))
  put(folder, 'config/api-keys.json', `{ "groq": { "api_key": "${KEY}" } }`)
  expect(loadIn(folder).warnings).toEqual([expect.stringMatching(/inside a git work tree and not ignored/)])
  put(folder, 'config/api-keys.json', '{ "groq": { "api_key": "env:K" } }')
  expect(loadIn(folder, { env: { K: KEY } }).warnings).toEqual([])
})

const jsonWithNames = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', 'none', 'env:X', 'file:/', 'discover', 'http://x/v1', KEY),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        ...['groq', 'google', 'mine', 'providers', 'settings', 'api_key', 'api_keys', 'keys', 'key', 'models', 'id'],
        ...['price', 'endpoint', 'dialect', 'routing', 'budgets', 'alerts', 'telegram', 'bot_token', 'hours', 'free'],
        ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'headers', 'default_provider', 'weights'],
      ),
      tie('node'),
      { maxKeys: 6 },
    ),
  ),
}))

test('any JSON in the file either loads or is a planned error, and pollutes no prototype', () => {
  fc.assert(
    fc.property(jsonWithNames.node, (value) => {
      try {
        loadIn('/nowhere', { config: JSON.parse(JSON.stringify({ root: value }))['root'] as object })
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
      }
      expect(Object.keys(Object.prototype)).toEqual([])
    }),
    { numRuns: 200 },
  )
})

test('any text in the file either loads or is a planned error', () => {
  const file = put(temporaryFolder(), 'keys.json', '')
  const text = fc.string({ unit: fc.constantFrom(...'{}[]:,"\\/*ntgroq_api_key 0e-.\n\u2028é'), maxLength: 60 })
  fc.assert(
    fc.property(text, (content) => {
      writeFileSync(file, content)
      try {
        loadIn('/nowhere', { config: file })
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
      }
    }),
    { numRuns: 150 },
  )
})

// Keys of every shape, blocks without one, and keys in places where none belongs.
const canary = fc.constantFrom(
  `gsk_${'CANARY'.repeat(4)}`,
  `AIza${'CANARY7'.repeat(5)}`,
  `${'CANARY'.repeat(6)}`,
  'c4a4a1e5-1111-4222-8333-canary000000',
)
const spoiled = fc.constantFrom<(key: string) => unknown>(
  (key) => ({ groq: { api_key: key, api_keys: [5] } }),
  (key) => ({ groq: { api_key: `${key}\nx` } }),
  (key) => ({ groq: { api_keys: [key, key] } }),
  (key) => ({ gorq: { api_key: key } }),
  (key) => ({ groq: { api_key: { kye: key } } }),
  (key) => ({ groq: { key } }),
  (key) => ({ groq: key }),
  (key) => ({ [key]: { api_key: key } }),
  (key) => ({ groq: { api_key: key, [key]: 1 } }),
  (key) => ({ groq: { api_key: key, endpoint: `https://x:${key}@example.com` } }),
  (key) => ({ groq: { api_key: key, endpoint: key } }),
  (key) => ({ groq: { api_key: key, dialect: key } }),
  (key) => ({ groq: { api_key: `env:${key}` } }),
  (key) => ({ groq: { api_key: `file:${key}` } }),
  (key) => ({ groq: { api_key: `vault:${key}` } }),
  (key) => ({ groq: { api_key: key }, settings: { default_provider: key } }),
  (key) => ({ groq: { api_key: key }, settings: { alerts: { webhook: { url: key } } } }),
  (key) => ({ cloudflare: { api_key: key } }),
)

test.each([
  { groq: { api_key: KEY, models: [{ length: {} }] } },
  { groq: { api_key: KEY }, settings: { models: { smart: { needs: [{ toString: {} }] } } } },
])('an object in the place of a text is an error of the file: %j', (config) => {
  expect(errorOf(() => loadIn('/', { config }))).toBeInstanceOf(ConfigError)
})

test('no error or warning ever contains a key, wherever it was put', () => {
  const file = put(temporaryFolder(), 'keys.json', '')
  fc.assert(
    fc.property(canary, spoiled, fc.boolean(), (key, spoil, cut) => {
      const text = JSON.stringify(spoil(key), null, 2)
      writeFileSync(file, cut ? text.slice(0, -3) : text)
      let said: string
      try {
        said = JSON.stringify(loadIn('/nowhere', { config: file }))
      } catch (error) {
        if (!(error instanceof ConfigError || error instanceof VaultError)) throw error
        said = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
      }
      expect(said).not.toContain(key)
    }),
    { numRuns: 200 },
  )
})

test('a passphrase that does not look like a key stays out of messages where a key belongs', () => {
  const phrase = 'correct horse battery staple'
  for (const block of [{ api_key: phrase }, { keys: [{ key: phrase }] }, { api_key: 'x', token: phrase }]) {
    const config = { groq: block, settings: { default_provider: phrase } }
    expect(String(errorOf(() => loadIn('/nowhere', { config })))).not.toContain(phrase)
  }
})
