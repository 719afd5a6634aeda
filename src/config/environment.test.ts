import { expect, test } from 'vitest'
import { cloudflare } from '../providers/cloudflare.ts'
import { google } from '../providers/google.ts'
import { groq } from '../providers/groq.ts'
import { keysFromEnvironment, readEnvironment } from './environment.ts'

function keysOf(spec: typeof groq, variables: Record<string, string>) {
  const warnings: string[] = []
  const keys = keysFromEnvironment(spec, variables, (warning) => warnings.push(warning))
  return { keys: keys.map(({ value, source }) => `${source}=${value}`), warnings }
}

const cases: readonly { name: string; variables: Record<string, string>; keys: readonly string[] }[] = [
  { name: 'one key', variables: { GROQ_API_KEY: ' a ' }, keys: ['env GROQ_API_KEY=a'] },
  {
    name: 'a list with commas',
    variables: { GROQ_API_KEY: 'a, b,,c' },
    keys: ['env GROQ_API_KEY[1]=a', 'env GROQ_API_KEY[2]=b', 'env GROQ_API_KEY[3]=c'],
  },
  {
    name: 'numbered keys, in the order of their numbers',
    variables: { GROQ_API_KEY_10: 'ten', GROQ_API_KEY_2: 'two', GROQ_API_KEY: 'zero', GROQ_API_KEYS: 'more' },
    keys: ['env GROQ_API_KEY=zero', 'env GROQ_API_KEYS=more', 'env GROQ_API_KEY_2=two', 'env GROQ_API_KEY_10=ten'],
  },
  { name: 'nothing where the variable is empty', variables: { GROQ_API_KEY: '  ' }, keys: [] },
  {
    name: 'nothing of a variable that only begins alike',
    variables: { GROQ_API_KEY_OLD: 'a', GROQ_API_KEYX: 'b' },
    keys: [],
  },
]

for (const { name, variables, keys } of cases) {
  test(`keysFromEnvironment() reads ${name}`, () => {
    expect(keysOf(groq, variables)).toEqual({ keys, warnings: [] })
  })
}

test('both names of the Gemini key are read', () => {
  const { keys } = keysOf(google, { GOOGLE_API_KEY: 'b', GEMINI_API_KEY: 'a', GEMINI_API_KEY_1: 'c' })
  expect(keys).toEqual(['env GEMINI_API_KEY=a', 'env GEMINI_API_KEY_1=c', 'env GOOGLE_API_KEY=b'])
})

test("Cloudflare's token needs its account as well", () => {
  const account = 'f'.repeat(32)
  expect(keysOf(cloudflare, { CLOUDFLARE_API_TOKEN: 't', CLOUDFLARE_ACCOUNT_ID: account }).keys).toEqual([
    `env CLOUDFLARE_API_TOKEN=${account}:t`,
  ])
  expect(keysOf(cloudflare, { CLOUDFLARE_API_TOKEN: 't' })).toEqual({
    keys: [],
    warnings: ['env CLOUDFLARE_API_TOKEN: needs CLOUDFLARE_ACCOUNT_ID beside it; it is left out'],
  })
})

test('a value no header could carry is left out with a warning that does not show it', () => {
  const { keys, warnings } = keysOf(groq, { GROQ_API_KEY: 'canary one\ntwo' })
  expect(keys).toEqual([])
  expect(warnings.join()).toMatch(/GROQ_API_KEY/)
  expect(warnings.join()).not.toMatch(/canary/)
})

test('readEnvironment() reads the variables meant for keywise and ignores empty ones', () => {
  const environment = readEnvironment({
    KEYWISE_CONFIG: 'a.json',
    KEYWISE_STORE: '',
    KEYWISE_TOKEN: 't'.repeat(20),
    NO_COLOR: '1',
    HTTPS_PROXY: 'http://upper',
    https_proxy: 'http://lower',
    NO_PROXY: 'localhost',
    XDG_CONFIG_HOME: 'relative/is/invalid',
    XDG_STATE_HOME: '/state',
  })
  expect(environment).toMatchObject({
    config: 'a.json',
    store: null,
    adminToken: null,
    noColor: true,
    proxy: { https: 'http://lower', http: null, except: 'localhost' },
    xdgConfigHome: null,
    xdgStateHome: '/state',
  })
  expect(environment.token?.reveal()).toBe('t'.repeat(20))
  expect(JSON.stringify(environment)).not.toContain('t'.repeat(20))
})

test('readEnvironment() is not fooled by names every object inherits', () => {
  expect(readEnvironment(Object.create({ KEYWISE_CONFIG: 'inherited' })).config).toBe(null)
})
