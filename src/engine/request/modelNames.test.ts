import { describe, expect, test } from 'vitest'
import { makeTarget } from '../../../test/support/makeEvents.ts'
import { ModelNames } from './modelNames.ts'

const targets = [
  makeTarget({ provider: 'relay', model: 'mini' }),
  makeTarget({ provider: 'relay', model: 'mini', keyIndex: 2 }),
  makeTarget({ provider: 'relay', model: 'large' }),
  makeTarget({ provider: 'other', model: 'vendor/mini' }),
  makeTarget({ provider: 'other', model: 'Vendor/Small-9B' }),
]

/** The targets a name selects, `auto`, or null. */
function selects(name: string, aliases: Record<string, readonly string[]> = {}): readonly string[] | 'auto' | null {
  const names = new ModelNames(targets, aliases)
  if (!names.has(name)) return null
  const { among, auto } = names.select(name)
  return auto ? 'auto' : targets.filter(({ stateId }) => among?.has(stateId)).map(({ id }) => id)
}

const everything = { '*': ['relay/large'] }
const LARGE = ['relay/large#1']
const EVERY_MINI = ['relay/mini#1', 'relay/mini#2', 'other/vendor/mini#1']

describe('the most specific meaning of a model name wins', () => {
  test.each<[string, string, Record<string, readonly string[]>, readonly string[] | 'auto' | null]>([
    ['auto, before a catch-all', 'auto', everything, 'auto'],
    ["a target's id, before a catch-all", 'relay/mini#2', everything, ['relay/mini#2']],
    [
      "a target's id, before an alias of its name",
      'relay/mini#2',
      { 'relay/mini#2': ['relay/large'] },
      ['relay/mini#2'],
    ],
    ['provider/model, before a catch-all', 'relay/mini', everything, ['relay/mini#1', 'relay/mini#2']],
    [
      'provider/model, before an alias of its name',
      'relay/mini',
      { 'relay/mini': ['relay/large'] },
      ['relay/mini#1', 'relay/mini#2'],
    ],
    ['an alias, before a served id of its name', 'mini', { mini: ['relay/large'] }, LARGE],
    ['an alias, before a catch-all', 'mine', { ...everything, mine: ['relay/mini#1'] }, ['relay/mini#1']],
    ['a served id, before a catch-all, wherever it is served', 'mini', everything, EVERY_MINI],
    ['a served id in another case', 'vendor/small-9b', everything, ['other/Vendor/Small-9B#1']],
    ['a catch-all, before another spelling', 'small-9b', everything, LARGE],
    ['another spelling, of any provider', 'small-9b', {}, ['other/Vendor/Small-9B#1']],
    ['another spelling, of the named provider', 'other/small-9b', {}, ['other/Vendor/Small-9B#1']],
    [
      'an alias of itself and more',
      'mini',
      { mini: ['mini', 'relay/large'] },
      ['relay/mini#1', 'relay/mini#2', ...LARGE, 'other/vendor/mini#1'],
    ],
    ['an alias in a loop, by its real entries', 'a', { a: ['b', 'relay/large'], b: ['a'] }, LARGE],
    ['an alias in a loop without any', 'a', { a: ['b'], b: ['a'] }, null],
    ['an alias of nothing that is served, not the served id', 'mini', { mini: ['gone'] }, null],
    ['a dot in a pattern, which is a dot', 'mini', { 'm.*': ['relay/large'] }, EVERY_MINI],
    ['nothing', 'unheard-of', {}, null],
  ])('%s: %s', (_, name, aliases, expected) => expect(selects(name, aliases)).toEqual(expected))
})

const crowd = [
  makeTarget({ provider: 'relay', model: 'vendor/big' }),
  makeTarget({ provider: 'relay', model: 'vendor/big:free' }),
  makeTarget({ provider: 'relay', model: 'vendor/big:nitro' }),
  makeTarget({ provider: 'relay', model: 'm' }),
  makeTarget({ provider: 'relay', model: 'vendor/m:free' }),
  makeTarget({ provider: 'relay', model: 'vendor/only:free' }),
  makeTarget({ provider: 'relay', model: 'vendor/m2' }),
  makeTarget({ provider: 'relay', model: 'm2' }),
  makeTarget({ provider: 'other', model: 'big' }),
  makeTarget({ provider: 'other', model: 'dated-2026-01-01' }),
  makeTarget({ provider: 'llamas', model: 'llama3.2:latest' }),
  makeTarget({ provider: 'llamas', model: 'llama3.2:3b' }),
  makeTarget({ provider: 'llamas', model: 'qwen3:latest' }),
  makeTarget({ provider: 'llamas', model: 'qwen3' }),
  makeTarget({ provider: 'gem', model: 'gem-2' }),
  makeTarget({ provider: 'gem', model: 'models/gem-3' }),
]

describe('a model that is named is that model and no variant of it', () => {
  const find = (name: string, aliases: Record<string, readonly string[]> = {}) => {
    const names = new ModelNames(crowd, aliases)
    const among = names.has(name) ? names.select(name).among : new Set()
    return crowd.flatMap(({ stateId, provider, model }) => (among?.has(stateId) ? `${provider}/${model}` : []))
  }

  test.each<[name: string, expected: readonly string[]]>([
    ['relay/vendor/big', ['relay/vendor/big']],
    ['vendor/big', ['relay/vendor/big', 'other/big']],
    ['VENDOR/Big', ['relay/vendor/big', 'other/big']],
    ['Relay/Vendor/Big', ['relay/vendor/big']],
    ['vendor/big:free', ['relay/vendor/big:free']],
    ['big:free', ['relay/vendor/big:free']],
    ['vendor/big:nitro', ['relay/vendor/big:nitro']],
    ['vendor/big:thinking', []],
    ['relay/m', ['relay/m']],
    ['other/m', []],
    ['gem/big', []],
    ['other/vendor/m2', []],
    ['vendor/m', ['relay/m']],
    ['m', ['relay/m']],
    ['m:free', ['relay/vendor/m:free']],
    ['m2', ['relay/m2']],
    ['vendor/m2', ['relay/vendor/m2']],
    ['only', []],
    ['vendor/only', []],
    ['relay/vendor/only', []],
    ['dated', []],
    ['dated-2026-01-02', []],
    ['llama3.2', ['llamas/llama3.2:latest']],
    ['llamas/llama3.2', ['llamas/llama3.2:latest']],
    ['llama3.2:3b', ['llamas/llama3.2:3b']],
    ['llama3.2:1b', []],
    ['qwen3', ['llamas/qwen3']],
    ['qwen3:latest', ['llamas/qwen3:latest']],
    ['models/gem-2', ['gem/gem-2']],
    ['publishers/vendor/models/gem-2', ['gem/gem-2']],
    ['gem/models/gem-2', ['gem/gem-2']],
    ['models/gem/gem-2', ['gem/gem-2']],
    ['gem-3', ['gem/models/gem-3']],
    ['models/gem-3', ['gem/models/gem-3']],
    ['models/llama3.2', ['llamas/llama3.2:latest']],
  ])('%s', (name, expected) => expect(find(name)).toEqual(expected))

  test('a prefix of lists is taken off before an alias and "auto" are looked up, and never off an id that has it', () => {
    expect(find('models/mine', { mine: ['relay/m'] })).toEqual(['relay/m'])
    expect(new ModelNames(crowd, { '*': ['relay/m'] }).select('models/auto:fast')).toMatchObject({ profile: 'fast' })
    expect(find('models/gem-3', { '*': ['relay/m'] })).toEqual(['gem/models/gem-3'])
  })

  test('a name with wildcards leaves a served model alone, in every spelling of its id', () => {
    const everything = { '*': ['relay/m'] }
    for (const name of ['llama3.2', 'VENDOR/big', 'models/gem-2', 'models/vendor/big'])
      expect(find(name, everything)).not.toContain('relay/m')
    for (const name of ['dated', 'vendor/only']) expect(find(name, everything)).toEqual(['relay/m'])
  })

  test('a variant that is not there is an error that names what is', () => {
    expect(() => new ModelNames(crowd, {}).select('vendor/only')).toThrow(/vendor\/only:free/)
  })
})

const fleet = [
  makeTarget({ provider: 'groq', model: 'm' }),
  makeTarget({ provider: 'groq', model: 'llama-9' }),
  makeTarget({ provider: 'groq', model: 'gpt-oss-120b' }),
  makeTarget({ provider: 'groq', model: 'proto' }),
  makeTarget({ provider: 'openrouter', model: 'meta-llama/llama-9' }),
  makeTarget({ provider: 'openrouter', model: 'newcomer/first' }),
  makeTarget({ provider: 'groq', model: 'first' }),
  makeTarget({ provider: 'cloudflare', model: '@cf/meta/llama-9-fast' }),
  makeTarget({ provider: 'fireworks', model: 'accounts/fireworks/models/deep-1' }),
  makeTarget({ provider: 'google', model: 'gemini-9' }),
  makeTarget({ provider: 'xai', model: 'grok-9' }),
]

describe('what stands before the last part of a name is part of it', () => {
  const names = new ModelNames(fleet, {})
  const find = (name: string) => {
    const among = names.has(name) ? names.select(name).among : new Set()
    return fleet.flatMap(({ stateId, provider, model }) => (among?.has(stateId) ? `${provider}/${model}` : []))
  }

  test.each([
    'http://x/v1/m',
    'https://groq/m',
    '//m',
    '/m',
    './m',
    '../m',
    '../../../../m',
    '..\\m',
    '%2e%2e/m',
    '__proto__/m',
    'constructor/m',
    'toString/m',
    'openai/m',
    'OpenAI/m',
    'anthropic/gemini-9',
    'claude/m',
    'nobody/m',
    'a/b/m',
    'a/b/c/m',
    'groq/a/m',
    'groq/../m',
    'groq//m',
    'groq/openai/m',
    'meta-llama/a/llama-9',
    'openrouter/meta-llama/a/llama-9',
    'x:y/m',
    'm/',
    'me too/m',
    'groq/m/m',
    'cerebras/llama-9',
    'constructor/proto',
    `${'a'.repeat(10_000)}/m`,
    `${'a/'.repeat(10_000)}m`,
  ])('%s is no model that is served', (name) => {
    expect(find(name)).toEqual([])
    expect(() => names.select(name)).toThrow(/no key has a model/)
  })

  test.each<[name: string, expected: readonly string[]]>([
    ['groq/m', ['groq/m']],
    ['GROQ/m', ['groq/m']],
    ['m', ['groq/m']],
    // A vendor's name, of the catalogue or of a served id, may be there or not.
    ['meta-llama/llama-9', ['groq/llama-9', 'openrouter/meta-llama/llama-9']],
    ['groq/meta-llama/llama-9', ['groq/llama-9']],
    ['mistralai/m', ['groq/m']],
    ['openrouter/meta-llama/llama-9', ['openrouter/meta-llama/llama-9']],
    ['newcomer/first', ['openrouter/newcomer/first', 'groq/first']],
    ['newcomer/m', ['groq/m']],
    // A provider's name that is a vendor's too, in an id that the catalogue has.
    ['openai/gpt-oss-120b', ['groq/gpt-oss-120b']],
    // Ids with slashes of their own.
    ['@cf/meta/llama-9-fast', ['cloudflare/@cf/meta/llama-9-fast']],
    ['cloudflare/@cf/meta/llama-9-fast', ['cloudflare/@cf/meta/llama-9-fast']],
    ['accounts/fireworks/models/deep-1', ['fireworks/accounts/fireworks/models/deep-1']],
    ['fireworks/accounts/fireworks/models/deep-1', ['fireworks/accounts/fireworks/models/deep-1']],
    ['fireworks/deep-1', ['fireworks/accounts/fireworks/models/deep-1']],
    // Other names of providers that are configured.
    ['gemini/gemini-9', ['google/gemini-9']],
    ['x-ai/grok-9', ['xai/grok-9']],
    ['models/gemini-9', ['google/gemini-9']],
  ])('%s', (name, expected) => expect(find(name)).toEqual(expected))
})
