/** Aliases by condition: they fill themselves, say who is in and why the others are not, and are never empty in silence. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigError } from '../src/domain/errors.ts'
import { APIManager, type APIManagerOptions } from '../src/manager/apiManager.ts'
import { membershipView } from '../src/views/membership.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { openLab, own } from './support/lab.ts'
import { fakeKey, until } from './support/labCall.ts'
import { makeHome } from './support/runKeywise.ts'

const TOOLS = { tools: true, json_schema: true }
/** Models of two providers, as a user describes them. */
const BIG = {
  id: 'big',
  context_tokens: 200_000,
  abilities: { ...TOOLS, images: true },
  price: { input: 3, output: 15 },
}
const MIDDLE = { id: 'middle', context_tokens: 131_072, abilities: TOOLS, price: { input: 0.5, output: 2 } }
const SMALL = { id: 'small', context_tokens: 8192, abilities: TOOLS, price: { input: 0, output: 0 } }
const BLIND = { id: 'blind', context_tokens: 131_072, abilities: { tools: false }, price: { input: 0.1, output: 0.4 } }
const BARE = { id: 'bare' }
const ALL = [BIG, MIDDLE, SMALL, BLIND, BARE]

function open(alias: unknown, { models = ALL, settings = {}, ...options }: OpenOptions = {}): APIManager {
  const block = { dialect: 'openai', endpoint: 'http://127.0.0.1:1/v1', api_key: fakeKey('box'), models }
  const config = { box: block, settings: { models: { mine: alias }, ...settings } }
  const manager = new APIManager({ config, env: {}, logger: false, ...options })
  onTestFinished(() => manager.close())
  return manager
}
interface OpenOptions extends APIManagerOptions {
  readonly models?: readonly unknown[]
  readonly settings?: object
}

const explain = (manager: APIManager, name = 'mine') => {
  const { members, others, empty } = membershipView(manager.engine, name)
  return {
    members: members.map(({ target, group }) => `${group} ${target}`),
    others: Object.fromEntries(others.map(({ target, condition, reason }) => [target, `${condition}: ${reason}`])),
    empty,
  }
}
const membersOf = (alias: unknown, options?: OpenOptions) =>
  explain(open(alias, options)).members.map((member) => member.replace(/^\d+ box\/(.*)#1$/, '$1'))

describe('who satisfies a condition', () => {
  test.each<[string, object, readonly string[]]>([
    ['abilities that are known', { needs: ['tools'] }, ['big', 'middle', 'small']],
    ['two abilities', { needs: ['tools', 'vision'] }, ['big']],
    ['"schema" and "json_schema" are one', { needs: ['schema', 'json_schema', 'json'] }, ['big', 'middle', 'small']],
    ['what every model does', { needs: ['chat', 'streaming'] }, ['bare', 'big', 'blind', 'middle', 'small']],
    ['a context window', { min_context: 131_072 }, ['big', 'blind', 'middle']],
    ['a price', { max_usd_out: 2 }, ['blind', 'middle', 'small']],
    ['a price of nothing', { max_usd_out: 0 }, ['small']],
    ['never billed', { free: true }, ['small']],
    ['names', { from: ['box/b*', 'small'] }, ['bare', 'big', 'blind', 'small']],
    ['all of it', { from: ['*'], needs: ['tools', 'schema'], min_context: 128_000, max_usd_out: 2 }, ['middle']],
  ])('%s: %j', (_, alias, expected) => expect([...membersOf(alias)].sort()).toEqual(expected))

  test('an alias of a name with wildcards may have a condition, and names other aliases', () => {
    const settings = { models: { 'gpt-*': { from: ['cheap'], needs: ['tools'] }, cheap: { max_usd_out: 2 } } }
    expect(explain(open(undefined, { settings }), 'gpt-x').members.sort()).toEqual(['1 box/middle#1', '1 box/small#1'])
  })

  test('every other target has its one reason', () => {
    const alias = { needs: ['tools', 'schema'], min_context: 128_000, max_usd_out: 2 }
    const models = [...ALL, { id: 'odd', abilities: TOOLS }, { id: 'dear', abilities: TOOLS, context_tokens: 128_000 }]
    expect(explain(open(alias, { models })).others).toEqual({
      'box/big#1': '"max_usd_out": 2: $15 per million output tokens',
      'box/small#1': '"min_context": 128000: context window of 8192 tokens',
      'box/blind#1': '"needs": ["tools"]: cannot do tools',
      'box/bare#1':
        '"needs": ["tools"]: not known to do tools; "abilities" of its model in the configuration can say so',
      'box/odd#1':
        '"min_context": 128000: its context window is not known; "context_tokens" of its model in the configuration can say it',
      'box/dear#1': '"max_usd_out": 2: price unknown',
    })
  })

  test('settings that forbid a target are a reason as well', () => {
    const { members, others } = explain(
      open({ needs: ['tools'] }, { settings: { free_only: true, models: { mine: { needs: ['tools'] } } } }),
    )
    expect(members).toEqual(['1 box/small#1'])
    expect(others['box/big#1']).toBe('null: may be billed, and only free targets are allowed')
  })

  test('a list and "auto" can be explained too', () => {
    const manager = open(['box/small', 'box/big'])
    expect(explain(manager).members.sort()).toEqual(['1 box/big#1', '1 box/small#1'])
    expect(explain(manager).others['box/bare#1']).toMatch(/not among the models asked for/)
    expect(explain(manager, 'auto').members).toHaveLength(5)
  })
})

describe('keywise brings along', () => {
  test.each([
    ['auto:free', ['small']],
    ['auto:vision', ['big']],
    ['auto:long', ['big']],
  ])('%s', (name, expected) => {
    const { members } = explain(open({ free: true }), name)
    expect(members.map((member) => member.replace(/^1 box\/(.*)#1$/, '$1'))).toEqual(expected)
  })

  test('a user’s alias of the same name wins', () => {
    const settings = { models: { 'auto:free': ['box/big'] } }
    expect(explain(open(undefined, { settings }), 'auto:free').members).toEqual(['1 box/big#1'])
  })
})

describe('a condition that nothing satisfies', () => {
  const alias = { needs: ['tools'], min_context: 1_000_000 }
  const words =
    /"mine" has no target now: of 5, "min_context": 1000000 excludes 3, "needs": \["tools"\] excludes 2; "keywise models --explain mine"/

  test('is an error that says what excludes how many', async () => {
    const manager = open(alias)
    await expect(manager.callWithFallback({ prompt: 'hi', model: 'mine' })).rejects.toThrow(words)
    expect(explain(manager).empty).toMatch(words)
  })

  test('is a 404 of the gateway in every protocol, and a warning at its start', async () => {
    const gateway = await openGateway({ providers: own('alpha', 1, ['m']) }, { settings: { models: { mine: alias } } })
    onTestFinished(() => gateway.close())
    const messages = [{ role: 'user', content: 'hi' }]
    for (const [path, body] of [
      ['/v1/chat/completions', { model: 'mine', messages }],
      ['/v1/messages', { model: 'mine', max_tokens: 5, messages }],
      ['/v1/responses', { model: 'mine', input: 'hi' }],
      ['/v1beta/models/mine:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }],
    ] as const) {
      const response = await gateway.ask(path, body)
      expect(response.status).toBe(404)
      expect(await response.text()).toMatch(
        /has no target now: of 1, .{0,3}needs.{0,3}: \[.{0,3}tools.{0,3}\] excludes 1/,
      )
    }
    await until(() => gateway.logged.some((line) => line.includes('settings.models: "mine" has no target now')))
  })

  test('is told by "keywise models", --explain and doctor', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m']) })
    const home = makeHome({ ...lab.world.config(), settings: { models: { mine: alias }, gateway: { port: 0 } } })
    for (const args of [['models'], ['models', '--explain', 'mine']]) {
      const { stdout, stderr, code } = await home.keywise(...args)
      expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('"mine" has no target now: of 1'), ''])
    }
    expect((await home.keywise('doctor')).stdout).toMatch(/\nNothing needs mending; \d+ warnings?, marked ⚠️ above\.\n$/)
    const { findings } = JSON.parse((await home.keywise('doctor', '--json')).stdout)
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'aliases',
        state: 'warning',
        message: '"mine" has no target now: of 1, "needs": ["tools"] excludes 1',
        advice: expect.stringContaining('--explain mine'),
      }),
    )
  })

  test('is no word of commands that are not about aliases', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m']) })
    const home = makeHome({ ...lab.world.config(), settings: { models: { mine: alias } } })
    for (const args of [['status'], ['budget'], ['why'], ['call', 'hi'], ['keys', 'list']]) {
      const { stderr, code } = await home.keywise(...args)
      expect([args, code, stderr.includes('has no target')]).toEqual([args, 0, false])
    }
  })
})

test('a model that was found in a list can what its line can', async () => {
  const providers = {
    anthropic: { models: { 'claude-sonnet-4-5': {}, 'claude-3-haiku-20240307': {}, 'claude-2.0': {} } },
    openai: { models: { 'gpt-4o-2024-11-20': {}, 'gpt-5.2': {}, 'gpt-4-turbo': {} } },
    google: { models: { 'gemini-2.5-pro': {}, 'gemma-3-27b-it': {} } },
  }
  const alias = (...needs: string[]) => ({ needs, max_usd_out: 1000 })
  const models = { tools: alias('tools'), schema: alias('tools', 'schema') }
  const gateway = await openGateway({ providers }, { settings: { models }, discover: true })
  onTestFinished(() => gateway.close())
  const modelsOf = (name: string) =>
    membershipView(gateway.gateway.opened.engine, name).members.map(({ target }) => target.replace(/^.*?\/|#1$/g, ''))
  const WITH_SCHEMA = ['claude-sonnet-4-5', 'gemini-2.5-pro', 'gpt-4o-2024-11-20', 'gpt-5.2']
  expect(modelsOf('schema').sort()).toEqual(WITH_SCHEMA)
  expect(modelsOf('tools').sort()).toEqual(['claude-3-haiku-20240307', ...WITH_SCHEMA].sort())
})

describe('mistakes in a condition are told with what to do', () => {
  test.each<[object, RegExp]>([
    [
      { needs: ['tool'] },
      /settings.models.mine.needs\[0\]" "tool" is no ability keywise knows \(did you mean "tools"\?\); use tools/,
    ],
    [{ needs: ['flying'] }, /"flying" is no ability keywise knows; use tools, schema/],
    [{ from: [] }, /settings.models.mine.from" is empty; leave it out, or name models/],
    [{ order: [] }, /settings.models.mine.order" is empty/],
    [{}, /settings.models.mine" has no condition; use "auto"/],
    [{ min_context: '128k' }, /settings.models.mine.min_context" is wrong: expected number/],
    [{ max_usd_out: -1 }, /settings.models.mine.max_usd_out" is wrong/],
  ])('%j', (alias, words) => {
    expect(() => open(alias)).toThrow(ConfigError)
    expect(() => open(alias)).toThrow(words)
  })

  test('an unknown field is a warning with the nearest name', () => {
    const warnings: string[] = []
    const logger = { info() {}, error() {}, warn: (line: string) => void warnings.push(line) }
    open({ min_contxt: 5, free: true }, { logger })
    expect(warnings.join('\n')).toMatch(/min_contxt" is not a field keywise knows \(did you mean "min_context"\?\)/)
  })
})

/** Every model from its provider's list. */
const discovering = (config: Record<string, Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(config).map(([id, block]) => [id, { ...block, models: 'discover' }]))

const order = ['beta/*', 'alpha/*']
const TWO = { ...own('alpha', 2, ['m']), ...own('beta', 1, ['m']), ...own('gamma', 1, ['m']) }

describe.each(['learned', 'score', 'score-original', 'round-robin', 'priority'])('"order" under %s', (strategy) => {
  const settings = { routing: { strategy }, models: { mine: { needs: ['chat'], order } } }

  test('asks the first group, then the next, then the rest', async () => {
    const lab = await openLab({ providers: TWO }, { settings })
    for (let turn = 0; turn < 6; turn++)
      expect((await lab.call({ prompt: `${turn}`, model: 'mine' })).trail).toBe('beta/m#1=ok')
    lab.world.fault('beta', { do: 'auth_invalid' })
    lab.world.fault('alpha', { do: 'auth_invalid' })
    const { trail } = await lab.call({ prompt: 'now', model: 'mine' })
    expect(trail).toMatch(/^beta\/m#1=auth_invalid; alpha\/m#.=auth_invalid; alpha\/m#.=auth_invalid; gamma\/m#1=ok$/)
    const { members } = membershipView(lab.manager.engine, 'mine')
    expect(members.map(({ target, group }) => `${group} ${target.split('#')[0]}`)).toEqual([
      '1 beta/m',
      '2 alpha/m',
      '2 alpha/m',
      '3 gamma/m',
    ])
  })

  test('is the order of the ranking', async () => {
    const lab = await openLab({ providers: TWO }, { settings })
    const rows = lab.manager.rankTargets({ prompt: 'hi', model: 'mine' })
    expect(rows.map(({ provider }) => provider)).toEqual(['beta', 'alpha', 'alpha', 'gamma'])
  })
})

test('a request that is too long for the first group goes to one that can', async () => {
  const providers = {
    ...own('alpha', 1, ['m'], { models: { m: { context_tokens: 1000 } } }),
    ...own('beta', 1, ['m'], { models: { m: { context_tokens: 100_000 } } }),
  }
  const lab = await openLab({ providers }, { settings: { models: { mine: { needs: ['chat'], order: ['alpha/*'] } } } })
  expect((await lab.call({ prompt: 'hi', model: 'mine' })).trail).toBe('alpha/m#1=ok')
  expect((await lab.call({ prompt: 'long '.repeat(4000), model: 'mine' })).trail).toBe('beta/m#1=ok')
})

describe('an alias by condition fills itself', () => {
  test('as lists change, also where only the facts of a model do', async () => {
    const lab = await openLab(
      { providers: own('alpha', 1, [], { models: { m: { context_tokens: 8192 } } }) },
      { config: discovering, settings: { models: { mine: { min_context: 100_000 } } } },
    )
    const { engine } = lab.manager
    expect((await lab.call({ prompt: 'hi', model: 'mine' })).error?.code).toBe('MODEL_NOT_FOUND')
    lab.world.setModel('alpha', 'm', { context_tokens: 131_072 })
    await engine.lists.refresh(engine.registry.credentials, true)
    expect((await lab.call({ prompt: 'hi', model: 'mine' })).trail).toBe('alpha/m#1=ok')
    lab.world.setModel('alpha', 'm', { context_tokens: 4096 })
    await engine.lists.refresh(engine.registry.credentials, true)
    expect((await lab.call({ prompt: 'hi', model: 'mine' })).error?.code).toBe('MODEL_NOT_FOUND')
  })

  test('as calls show what a model cannot do, and as it is tried again', () => {
    const manager = open({ needs: ['tools'] })
    const { missingAbilities, registry } = manager.engine
    const has = (model: string) => explain(manager).members.includes(`1 box/${model}#1`)
    expect(has('big')).toBe(true)
    const big = registry.targets.find(({ model }) => model === 'big')!
    missingAbilities.refused(big, 'tools', 'one')
    expect(has('big')).toBe(true)
    missingAbilities.refused(big, 'tools', 'another')
    expect(has('big')).toBe(false)
    expect(explain(manager).others['box/big#1']).toMatch(/cannot do tools, as calls showed/)
    missingAbilities.retest([big])
    expect(has('big')).toBe(true)
  })

  test('as a finding of calls ends after a day', () => {
    let now = Date.parse('2026-11-29T12:00:00Z')
    const manager = open({ from: ['box/big'], needs: ['tools'] }, { now: () => now })
    const { missingAbilities, registry } = manager.engine
    const big = registry.targets.find(({ model }) => model === 'big')!
    for (const request of ['one', 'another']) missingAbilities.refused(big, 'tools', request)
    expect(() => registry.names.select('mine')).toThrow(/has no target now/)
    now += 86_400_000 + 61_000
    expect(registry.names.select('mine').among?.size).toBe(1)
  })
})

test('a model that nobody named has to be cheap, unless the condition says what it may cost', async () => {
  const models = { dear: { price: { input: 20, output: 80 } }, cheap: { price: { input: 1, output: 2 } } }
  const world = { providers: own('alpha', 1, [], { models }) }
  const settings = { models: { any: { needs: ['chat'] }, rich: { max_usd_out: 100 } } }
  const lab = await openLab(world, { config: discovering, settings })
  const members = (name: string) => membershipView(lab.manager.engine, name).members.map(({ target }) => target)
  expect(members('any')).toEqual(['alpha/cheap#1'])
  expect(members('rich').sort()).toEqual(['alpha/cheap#1', 'alpha/dear#1'])
  for (const model of ['any', 'rich']) expect((await lab.call({ prompt: 'hi', model })).error).toBe(null)
  expect((await lab.call({ prompt: 'hi', model: 'alpha/dear' })).trail).toBe('alpha/dear#1=ok')
})

test('embeddings can be asked for by a condition that needs them', async () => {
  const models = { m: {}, vectors: { kind: 'embedding' as const } }
  const settings = { models: { mine: { needs: ['embeddings'] } } }
  const gateway = await openGateway({ providers: own('alpha', 1, [], { models }) }, { settings, discover: true })
  onTestFinished(() => gateway.close())
  const response = await gateway.ask('/v1/embeddings', { model: 'mine', input: 'hi' })
  expect([response.status, response.headers.get('x-keywise-target')]).toEqual([200, 'alpha/vectors#1'])
  expect((await gateway.ask('/v1/embeddings', { model: 'auto:long', input: 'hi' })).status).toBe(400)
})

test('programs are told who is in, in their order, and why each other target is not', async () => {
  const settings = { models: { mine: { min_context: 100_000, order: ['beta/*', '*'] } } }
  const long = { models: { m: { context_tokens: 131_072 }, short: { context_tokens: 8192 } } }
  const providers = { ...own('alpha', 1, [], long), ...own('beta', 1, [], long) }
  const gateway = await openGateway({ providers }, { settings, discover: true })
  onTestFinished(() => gateway.close())
  const expected = {
    name: 'mine',
    condition: { from: ['*'], needs: [], minContext: 100_000, maxUsdOut: null, free: false, order: ['beta/*', '*'] },
    members: [
      { target: 'beta/m#1', group: 1, reason: null },
      { target: 'alpha/m#1', group: 2, reason: null },
    ],
    others: ['alpha', 'beta'].map((provider) => ({
      target: `${provider}/short#1`,
      condition: '"min_context": 100000',
      reason: 'context window of 8192 tokens',
    })),
    empty: null,
  }
  const answer = await gateway.ask('/api/models?explain=mine', undefined, {
    authorization: `Bearer ${gateway.adminToken}`,
  })
  expect(await answer.json()).toMatchObject(expected)
  const home = makeHome({ ...discovering(gateway.fakes.config()), settings })
  const { stdout, code } = await home.keywise('models', '--explain', 'mine', '--json')
  expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining(expected)])
  const text = (await home.keywise('models', '--explain', 'mine')).stdout
  expect(text).toMatch(
    /mine: 2 of 4 targets[\s\S]*1 +beta\/m#1[\s\S]*2 +alpha\/m#1[\s\S]*alpha\/short#1 +"min_context": 100000/,
  )
  expect((await home.keywise('models', '--explain', 'unheard-of')).code).toBe(2)
})
