/**
 * Alerts as a person gets them: real simulated providers that fail and come back, a real Bot API double, a real
 * webhook.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { EventMap } from '../src/index.ts'
import { APIManager } from '../src/index.ts'
import { type FakeWorld, startFakeProviders } from '../src/lab/fake/fakeProviders.ts'
import type { FakeFault } from '../src/lab/fake/scenario.ts'
import { fakeKeyText } from '../src/lab/fake/worlds.ts'
import { alertsView, sendTestAlert } from '../src/views/alerts.ts'
import { BOT_TOKEN, blocked, CHAT_ID, type Double, startTelegram, startWebhook } from './support/alertDoubles.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const PROVIDERS = ['groq', 'mistral', 'cerebras'] as const
const KEYS = PROVIDERS.map((provider) => fakeKeyText(provider, 1))
const HOOK_SECRET = 'h'.repeat(24)
const CANARY = `canary${'z'.repeat(20)}`

interface Scene {
  readonly world: FakeWorld
  readonly bot: Double
  readonly hook: Double
  readonly lines: string[]
  /** Opens a manager on the scene; several may share a store. */
  open(options?: { store?: string; settings?: Record<string, unknown>; now?: () => number }): APIManager
}

async function scene(listed: readonly string[] | 'discover' = ['model-a', 'model-b']): Promise<Scene> {
  const models = { 'model-a': {}, 'model-b': {} }
  const providers = PROVIDERS.map((id) => [id, { keys: { [fakeKeyText(id, 1)]: {} }, models }])
  const world = await startFakeProviders({ providers: Object.fromEntries(providers) })
  onTestFinished(() => world.close())
  const [bot, hook] = [await startTelegram([...KEYS, CANARY]), await startWebhook(HOOK_SECRET)]
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const alerts = {
    telegram: { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin },
    webhook: { url: `${hook.origin}/hook`, secret: HOOK_SECRET },
  }
  const open: Scene['open'] = ({ settings, ...options } = {}) => {
    const config = { ...providersOf(world, listed), settings: { timeouts: { patience_ms: 0 }, alerts, ...settings } }
    const logger = { info: say, warn: say, error: say }
    const manager = new APIManager({ config, logger, sleep: () => Promise.resolve(), now, ...options })
    onTestFinished(() => manager.close())
    return manager
  }
  return { world, bot, hook, lines, open }
}

/** Every provider of the world, with these models. */
function providersOf(world: FakeWorld, models: readonly string[] | 'discover'): Record<string, unknown> {
  const entries = Object.entries(world.config()).map(([id, facts]) => [id, { ...(facts as object), models }])
  return Object.fromEntries(entries)
}

function failAll(world: FakeWorld, kinds: readonly FakeFault['do'][] = ['server', 'reset', 'overloaded']): void {
  PROVIDERS.forEach((provider, index) => {
    world.fault(provider, { do: kinds[index % kinds.length]! })
  })
}

const REFUSED = { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } }

const eventsOf = (hook: Double) => hook.calls.map((call) => String(call.headers['x-keywise-event']))
const failing = (manager: APIManager, model = 'auto') =>
  expect(manager.callWithFallback({ prompt: CANARY, model })).rejects.toThrow()
const within = (ms: number) => ({ timeout: ms, interval: 20 })
/** The clock of the managers: it is moved on while something is waited for, in steps too small to look like a sleep. */
let skewMs = 0
const now = () => Date.now() + skewMs
async function eventually(manager: APIManager, check: () => void): Promise<void> {
  await vi.waitFor(
    async () => {
      skewMs += 300
      await tick(manager)
      check()
    },
    { timeout: 10_000, interval: 25 },
  )
}

/** A second passes for everything that ticks. */
async function tick(manager: APIManager): Promise<void> {
  manager.engine.monitor.tick()
  await manager.engine.monitor.alerts.deliver()
}

describe('all providers fail and come back', () => {
  test('one alert and one recovery are told, though nobody asks meanwhile, and nothing secret is in them', async () => {
    const { world, bot, hook, lines, open } = await scene()
    const manager = open()
    const heard: string[] = []
    for (const event of ['exhausted', 'recovered', 'alert'] as const) manager.on(event, () => heard.push(event))
    await manager.callWithFallback({ prompt: CANARY })
    failAll(world)
    for (let call = 0; call < 3; call++) await failing(manager)
    await vi.waitFor(() => expect(bot.texts).toHaveLength(1), within(5000))
    expect(bot.texts[0]).toMatch(
      /Everything fails.*\nSince: .* UTC\nWhy: .*groq.*\nStill works: .*\nExpected back: .*\nTo do: /,
    )
    expect(heard.filter((event) => event === 'exhausted')).toHaveLength(3)

    world.clearFaults()
    await eventually(manager, () => expect(bot.texts).toHaveLength(2))
    expect(bot.texts[1]).toMatch(/Requests are answered again, by \w+\/model-\w#1, after \d+ seconds?/)
    for (let call = 0; call < 5; call++) await manager.callWithFallback({ prompt: CANARY })
    await eventually(manager, () => expect(hook.calls.length).toBeGreaterThanOrEqual(2))
    expect(eventsOf(hook)).toEqual(['all_failed', 'recovered'])
    expect(bot.calls).toHaveLength(2)
    expect([...bot.wrong, ...hook.wrong]).toEqual([])
    expect(heard.filter((event) => event !== 'exhausted')).toEqual(['alert', 'alert', 'recovered'])
    const written = JSON.stringify([
      lines.filter((line) => !line.startsWith('Cycle')),
      alertsView(manager.engine),
      hook.calls,
    ])
    for (const secret of [BOT_TOKEN, CANARY, HOOK_SECRET, ...KEYS]) expect(written).not.toContain(secret)
    expect(alertsView(manager.engine).alerts.filter(({ told }) => told === 'told')).toMatchObject([
      { event: 'all_failed', state: 'over', told: 'told', waitingFor: [] },
    ])
  })

  test('a request that is answered ends the outage at once', async () => {
    const { world, bot, open } = await scene()
    const manager = open({ settings: { routing: { probes: 'traffic' } } })
    failAll(world)
    await failing(manager)
    world.clearFaults()
    await manager.callWithFallback({ prompt: 'x' })
    await eventually(manager, () => {
      expect(bot.texts.join('\n')).toMatch(/Everything fails[\s\S]*answered again/)
    })
  })

  test('two managers on one store tell it once', async () => {
    const { world, bot, open } = await scene()
    const store = join(temporaryFolder(), 'keywise.db')
    const managers = [open({ store }), open({ store })]
    const recovered: EventMap['recovered'][] = []
    for (const manager of managers) manager.on('recovered', (news) => recovered.push(news))
    failAll(world)
    await Promise.all(managers.map((manager) => failing(manager)))
    await vi.waitFor(() => expect(bot.texts).toHaveLength(1), within(5000))
    world.clearFaults()
    await managers[1]!.callWithFallback({ prompt: 'x' })
    await eventually(managers[1]!, () => expect(bot.texts).toHaveLength(2))
    await managers[0]!.callWithFallback({ prompt: 'x' })
    await vi.waitFor(() => expect(recovered).toHaveLength(2), within(5000))
    for (const manager of managers) await tick(manager)
    expect(bot.calls).toHaveLength(2)
  })

  test('keys that were refused and are good again are found by free checks', async () => {
    const { world, bot, open } = await scene()
    const manager = open()
    await manager.ready()
    for (const provider of PROVIDERS) world.revoke(provider, 1)
    await failing(manager)
    await vi.waitFor(() => expect(bot.texts).toHaveLength(1), within(5000))
    expect(bot.texts[0]).toMatch(/refused key[\s\S]*To do: replace key 1 of/)
    for (const provider of PROVIDERS) world.restore(provider, 1)
    await eventually(manager, () => expect(bot.texts).toHaveLength(2))
    expect(bot.calls).toHaveLength(2)
  })

  test('nothing is sent while this machine is offline', async () => {
    const { world, bot, hook, open } = await scene()
    const manager = open()
    await manager.ready()
    const { offline } = manager.engine
    failAll(world, ['reset'])
    for (const host of ['api.one.invalid', 'api.two.invalid']) offline.failed(host, now())
    await failing(manager)
    await tick(manager)
    expect([...bot.calls, ...hook.calls]).toEqual([])
    expect(alertsView(manager.engine).alerts).toEqual([])
  })
})

test('an outage that turns out to be our own network is withdrawn before anybody was told', async () => {
  const { world, bot, hook, open } = await scene()
  const manager = open()
  await manager.ready()
  bot.usual = 'hang'
  hook.usual = { status: 503 }
  failAll(world)
  await failing(manager)
  await vi.waitFor(() => expect(bot.calls).toHaveLength(1), within(5000))
  expect(alertsView(manager.engine).alerts).toMatchObject([{ event: 'all_failed', state: 'open' }])
  const { offline } = manager.engine
  for (const host of ['api.one.invalid', 'api.two.invalid']) offline.failed(host, now())
  manager.engine.monitor.tick()
  expect(alertsView(manager.engine).alerts).toMatchObject([{ event: 'all_failed', state: 'over', waitingFor: [] }])
  // What hangs would keep the manager from closing for its whole grace period.
  bot.usual = 'ok'
  bot.drop()
  await manager.close()
  expect(bot.texts).toEqual([])
})

describe('a restart', () => {
  test('finds the alert that could not be sent, sends it once, and tells the recovery', async () => {
    const { world, bot, hook, open } = await scene()
    const folder = temporaryFolder()
    const store = join(folder, 'keywise.db')
    bot.usual = 'hang'
    hook.usual = { status: 503 }
    failAll(world)
    const first = open({ store })
    await failing(first)
    await first.close()
    expect(bot.texts).toEqual([])

    bot.usual = 'ok'
    hook.usual = 'ok'
    const later = open({ store, now: () => now() + 120_000 })
    await later.ready()
    await tick(later)
    await vi.waitFor(() => expect(bot.texts).toHaveLength(1), within(5000))
    world.clearFaults()
    await later.callWithFallback({ prompt: CANARY })
    await eventually(later, () => expect(bot.texts).toHaveLength(2))
    await later.close()
    for (const file of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, file)).toString('latin1')
      for (const secret of [BOT_TOKEN, HOOK_SECRET, CANARY, ...KEYS]) expect(bytes).not.toContain(secret)
    }
  })
})

describe('what a person has to mend', () => {
  test('a refused key is told once, with what still works', async () => {
    const { world, bot, open } = await scene()
    const manager = open()
    await manager.ready()
    world.revoke('groq', 1)
    for (let call = 0; call < 4; call++) await manager.callWithFallback({ prompt: 'x', model: 'auto' })
    await expect(manager.callWithFallback({ prompt: 'x', model: 'groq/model-a' })).rejects.toThrow()
    await eventually(manager, () => {
      expect(bot.texts.join('\n')).toContain('groq key 1 is refused')
    })
    expect(bot.texts.join('\n').match(/groq key 1 is refused/g)).toHaveLength(1)
    expect(bot.texts.join('\n')).toContain('Still works: 4 of 6 targets (mistral, cerebras)')
    expect(bot.wrong).toEqual([])
  })

  test('one model without an answer is told by its name, and not as everything', async () => {
    const { world, bot, open } = await scene()
    const manager = open({ settings: { models: { smart: ['groq/model-a', 'mistral/model-a'] } } })
    await manager.ready()
    for (const provider of ['groq', 'mistral']) world.fault(provider, { do: 'server', model: 'model-a' })
    await failing(manager, 'smart')
    await eventually(manager, () => expect(bot.texts).toHaveLength(1))
    expect(bot.texts[0]).toContain('Nothing answers for "smart": 2 of 2 targets are out')
    expect(bot.texts[0]).toContain('Still works: 4 of 6 targets')
  })

  test('a pinned model that is gone is told with its name; one nobody named is not', async () => {
    const { world, hook, open } = await scene('discover')
    const manager = open({ settings: { models: { mine: ['groq/model-a'] } } })
    await manager.ready()
    world.setModel('groq', 'model-a', { retired: true })
    world.setModel('groq', 'model-b', { retired: true })
    await failing(manager, 'groq/model-b')
    await failing(manager, 'mine')
    await eventually(manager, () => expect(eventsOf(hook)).toContain('model_retired'))
    const told = hook.calls.map(({ body }) => body as { event: string; subject: string })
    expect(told.filter(({ event }) => event === 'model_retired').map(({ subject }) => subject)).toEqual([
      'groq/model-a',
    ])
  })

  test('budgets are told at 50, 80 and 100 %, the highest of those reached at once', async () => {
    const { bot, open } = await scene()
    const budgets = [{ scope: 'all', requests: 10, per: 'day', hard: false }]
    const manager = open({ settings: { budgets } })
    const shares: number[] = []
    manager.on('budget', (news) => shares.push(news.share))
    for (let call = 0; call < 11; call++) await manager.callWithFallback({ prompt: 'x' })
    expect(shares).toEqual([0.5, 0.8, 1])
    await eventually(manager, () => {
      expect(bot.texts.join('\n').match(/Budget all: (50|80|100) % reached/g)).toHaveLength(3)
    })
    expect(bot.texts.join('\n')).toContain('Expected back: next reset 00:00 UTC')
  })

  test('an experiment can be told as well', async () => {
    const { hook, open } = await scene()
    const { alerts } = open().engine.monitor
    const facts = { why: null, works: null, returnsAt: null, returns: null, advice: 'stop it' }
    alerts.raise('experiment:a', {
      event: 'experiment_decided',
      subject: 'a',
      since: Date.now(),
      what: 'B is better',
      ...facts,
    })
    await vi.waitFor(() => expect(eventsOf(hook)).toEqual(['experiment_decided']), within(5000))
  })
})

describe('sendTestAlert()', () => {
  test('says of every channel whether it works, without its secrets', async () => {
    const { bot, open } = await scene()
    bot.moods = [blocked]
    const manager = open()
    const sent = await sendTestAlert(manager.engine)
    expect(sent).toEqual([
      { channel: 'telegram', ok: false, message: expect.stringContaining('unblock the bot') },
      { channel: 'webhook', ok: true, message: 'sent' },
    ])
    expect(JSON.stringify(sent)).not.toContain(BOT_TOKEN)
  })
})

test('settings that name unknown events or variables are said with what was meant', async () => {
  const { bot, hook, lines, open } = await scene()
  open({
    settings: {
      alerts: {
        telegram: { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin, events: ['all-failed', 'recoverd'] },
        webhook: { url: hook.origin, template: '{{prompt}} {{text}}' },
      },
    },
  })
  expect(lines.join('\n')).toMatch(/"recoverd" is not an event; did you mean "recovered"\?/)
  expect(lines.join('\n')).toMatch(/unknown \{\{prompt\}\}/)
})

describe('the words of a provider that refuses a key', () => {
  const key = `sk-${'fake0'.repeat(5)}`
  const cases: readonly { name: string; words: string; told: string }[] = [
    { name: '199 letters and an emoji', words: `${'x'.repeat(199)}😀 tail`, told: `: ${'x'.repeat(199)}…` },
    { name: 'a family across the cut', words: `${'x'.repeat(196)}👨‍👩‍👧‍👦 tail`, told: `: ${'x'.repeat(196)}…` },
    { name: 'lone halves', words: 'a\ud83d b', told: ': a\ufffd b' },
    { name: 'a turned direction', words: 'a\u202eb', told: ': a\ufffdb' },
    { name: 'a key', words: `no ${key} here`, told: ': no … here' },
    {
      name: 'a key with something invisible',
      words: `no ${key.slice(0, 9)}\u200b${key.slice(9)} here`,
      told: ': no … here',
    },
    { name: 'the prompt', words: `Key refused for "${CANARY}" just now`, told: '' },
  ]
  test.each(cases)('are told whole characters at a time, without secrets: $name', async ({ words, told }) => {
    const [bot, upstream] = [
      await startTelegram([key, CANARY, key.slice(9)]),
      await httpUpstream(() => ({ status: 401, body: { error: { message: words, code: 'invalid_api_key' } } })),
    ]
    const telegram = { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin }
    const settings = { timeouts: { patience_ms: 0 }, alerts: { telegram }, routing: { strategy: 'priority' } }
    const well = await httpUpstream(() => ({}))
    const own = (endpoint: string, api_key: string) => ({ dialect: 'openai', endpoint, api_key, models: ['m'] })
    const config = { own: own(upstream.endpoint, key), other: own(well.endpoint, 'none'), settings }
    const manager = new APIManager({ config, logger: false })
    onTestFinished(() => manager.close())
    await manager.callWithFallback({ prompt: CANARY })
    await manager.close()
    expect(bot.wrong).toEqual([])
    expect(bot.texts.join('\n').split('\n')[2]).toBe(`Why: own answered 401${told}`)
  })
})

test('a refused key that is replaced in the keys file is told to work again, by the other key', async () => {
  const [old, fresh] = ['1', '2'].map((number) => `sk-${`fake${number}`.repeat(5)}`) as [string, string]
  const [bot, folder] = [await startTelegram([old, fresh]), temporaryFolder()]
  const upstream = await httpUpstream(({ key }) => (key.endsWith(old) ? { status: 401, body: REFUSED } : {}))
  const well = await httpUpstream(() => ({}))
  const write = (api_key: string) => {
    const own = { dialect: 'openai', endpoint: upstream.endpoint, api_key, models: ['m'] }
    const other = { ...own, endpoint: well.endpoint, api_key: 'none' }
    const telegram = { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin }
    const settings = { timeouts: { patience_ms: 0 }, alerts: { telegram }, routing: { strategy: 'priority' } }
    return put(folder, 'config/api-keys.json', JSON.stringify({ own, other, settings }))
  }
  const manager = new APIManager({ config: write(old), store: 'memory:', env: {}, logger: false })
  onTestFinished(() => manager.close())
  await manager.callWithFallback('Say hi')
  await manager.callWithFallback('Say hi')
  write(fresh)
  await vi.waitFor(async () => {
    expect((await manager.callWithFallback('Say hi')).provider).toBe('own')
  }, within(5000))
  await manager.close()
  expect(bot.texts.join('\n\n').split('\n\n')).toEqual([
    expect.stringContaining('own key 1 is refused'),
    expect.stringContaining('own key 1 works again with another key after'),
  ])
})

test('a channel that is added during an outage is told of it', async () => {
  const [bot, folder, store] = [await startTelegram(), temporaryFolder(), 'memory:']
  const upstream = await httpUpstream(() => ({ status: 503, body: {} }))
  const write = (alerts: object) => {
    const own = { dialect: 'openai', endpoint: upstream.endpoint, api_key: 'none', models: ['m'] }
    return put(
      folder,
      'config/api-keys.json',
      JSON.stringify({ own, settings: { timeouts: { patience_ms: 0 }, alerts } }),
    )
  }
  let now = Date.now()
  const manager = new APIManager({ config: write({}), store, env: {}, logger: false, now: () => now })
  onTestFinished(() => manager.close())
  await failing(manager)
  write({ telegram: { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin } })
  await vi.waitFor(() => expect(manager.engine.monitor.alerts.channels).toHaveLength(1), within(5000))
  now += 11_000
  await failing(manager)
  await manager.close()
  expect(bot.texts).toEqual([expect.stringContaining('Everything fails')])
})

describe('quiet hours', () => {
  const withQuiet = (bot: Double, quiet: object) => ({
    settings: { alerts: { telegram: { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin, ...quiet } } },
  })
  for (const [quiet, message] of [
    ['25-07', 'expected hours such as "22-06 Europe/Madrid"'],
    ['22-07 Europe/Madird', 'Europe/Madrid'],
    ['08-08', 'leaves no time at which alerts are sent'],
    [['08-20', 'mon-sun 20-08 UTC'], 'leaves no time at which alerts are sent'],
  ] as const)
    test(`are refused with a reason when they are ${JSON.stringify(quiet)}`, async () => {
      const { bot, open } = await scene()
      expect(() => open(withQuiet(bot, { quiet }))).toThrow(message)
    })

  test('that let an unknown event through say what was meant', async () => {
    const { bot, lines, open } = await scene()
    open(withQuiet(bot, { quiet: '22-07', quiet_except: ['everythin', 'key_revoked'] }))
    expect(lines.join('\n')).toMatch(/telegram\.quiet_except: "everythin" is not an event; did you mean "everything"\?/)
  })
})
