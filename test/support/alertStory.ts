/**
 * Stories about alerts: what happens, step by step, on a virtual clock, and exactly which messages people get. The
 * manager, its store and the sockets are real; simulated providers fail on command, and doubles of the Bot API and of a
 * webhook take the messages.
 *
 * ```ts
 * story('an outage is told, and its end', {}, [
 *   at('12:00'), fails('groq', 'mistral'), asks(),
 *   at('12:10'), works('groq', 'mistral'), asks(),
 *   at('13:00'),
 * ], `
 *   12:00:00 🔴 Everything fails: …
 * `)
 * ```
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { KeywiseError } from '../../src/domain/errors.ts'
import type { CallOptions } from '../../src/engine/request/readContext.ts'
import { APIManager, type APIManagerOptions } from '../../src/index.ts'
import { type FakeWorld, startFakeProviders } from '../../src/lab/fake/fakeProviders.ts'
import type { FakeFault } from '../../src/lab/fake/scenario.ts'
import { fakeKeyText } from '../../src/lab/fake/worlds.ts'
import { BOT_TOKEN, CHAT_ID, type Double, type Mood, startTelegram, startWebhook } from './alertDoubles.ts'
import { temporaryFolder } from './temporaryFolder.ts'

/** What a story begins with. */
export interface Setting {
  /** Each has one key and the model `m`. Default: groq and mistral. */
  readonly providers?: readonly string[]
  /** The price of `m` by provider, as in the keys file. Default: none is written. */
  readonly prices?: Readonly<Record<string, object>>
  /** Keys per provider. Default 1. */
  readonly keys?: number
  /** `settings` of the keys file, except the channels. */
  readonly settings?: object
  /** More of `settings.alerts.telegram`; false: no such channel. */
  readonly telegram?: object | false
  /** More of `settings.alerts.webhook`; absent: no such channel. */
  readonly webhook?: object
  /** More of `settings.alerts`. */
  readonly alerts?: object
  /** ISO 8601. Default: noon, `2026-11-20T12:00:00Z`. */
  readonly startsAt?: string
  /** The store is a file, for restarts and several processes. Default: it is in memory. */
  readonly stored?: boolean
}

export type Step = (scene: Scene) => void | Promise<void>

/** One story as a test: `expected` are the messages in their order, each with the time at which it was taken. */
export function story(title: string, setting: Setting, steps: readonly Step[], expected: string): void {
  test(title, async () => expect(await toldIn(setting, steps)).toBe(withoutIndent(expected)))
}

/**
 * The messages of a story: `12:00:05 text`, with `+1` before the time for the next day, and with the channel's name
 * where there are two.
 */
export async function toldIn(setting: Setting, steps: readonly Step[]): Promise<string> {
  const scene = await openScene(setting)
  for (const step of steps) {
    await step(scene)
    await scene.settle()
  }
  await scene.close()
  expect([...scene.bot.wrong, ...scene.hook.wrong]).toEqual([])
  return scene.messages.join('\n\n')
}

// Steps

/** Time passes until then: `12:10`, the next such time, or `+1 09:00`, a day after the story's first. In UTC. */
export const at =
  (time: string): Step =>
  (scene) =>
    scene.until(scene.timeOf(time))

/** Time passes: `90 s`, `20 min`, `5 h`, `2 d`. */
export const passes =
  (span: string): Step =>
  (scene) =>
    scene.until(scene.now + spanOf(span))

/** The providers answer with server errors from now on. */
export const fails = (...providers: readonly string[]): Step => failsWith('server', ...providers)

/** The same with another failure. */
export const failsWith =
  (failure: FakeFault['do'], ...providers: readonly string[]): Step =>
  ({ world }) => {
    for (const provider of providers) {
      world.clearFaults(provider)
      world.fault(provider, { do: failure })
    }
  }

/** The providers answer again, and their keys are good. */
export const works =
  (...providers: readonly string[]): Step =>
  ({ world, setting }) => {
    for (const provider of providers) {
      world.clearFaults(provider)
      for (let key = 1; key <= (setting.keys ?? 1); key++) world.restore(provider, key)
    }
  }

/** The provider refuses the key. */
export const revokes =
  (provider: string, key = 1): Step =>
  ({ world }) =>
    world.revoke(provider, key)

interface Asking {
  readonly model?: string
  /** Default 1. */
  readonly times?: number
  /** Asks again and again, with such a span between: `10 min`. */
  readonly every?: string
  /** Until then, as `at` writes it. */
  readonly until?: string
  readonly maxTokens?: number
  readonly labels?: CallOptions['labels']
  /** The name of the process, where there are several. Default: the first that is open. */
  readonly from?: string
}

/** Somebody asks, whatever the answer. */
export const asks =
  ({ times = 1, every, until, ...one }: Asking = {}): Step =>
  async (scene) => {
    if (every === undefined || until === undefined) {
      for (let time = 0; time < times; time++) await scene.ask(one)
      return
    }
    const end = scene.timeOf(until)
    while (scene.now < end) {
      await scene.ask(one)
      await scene.until(Math.min(end, scene.now + spanOf(every)))
    }
  }

/** A process begins: a manager on the same store. The first, called `first`, is open from the start. */
export const opens =
  (name: string): Step =>
  (scene) =>
    scene.open(name)

/** A process ends as it should. */
export const closes =
  (name = 'first'): Step =>
  (scene) =>
    scene.end(name)

/** A process ends and begins again. */
export const restarts =
  (name = 'first'): Step =>
  async (scene) => {
    await scene.end(name)
    await scene.open(name)
  }

/** The settings are edited; a process that opens after that has them. */
export const changes =
  (settings: object): Step =>
  (scene) => {
    scene.setting = { ...scene.setting, settings }
  }

/** The clock is set, and no time passes: `-1 h`, `5 h`. A machine that sleeps looks the same. */
export const clockIsSet =
  (by: string): Step =>
  (scene) => {
    scene.now += by.startsWith('-') ? -spanOf(by.slice(1)) : spanOf(by)
  }

/** The machine sleeps, and wakes: so much time passes at once. */
export const sleeps =
  (span: string): Step =>
  async (scene) => {
    scene.now += spanOf(span)
    await scene.timersFire()
  }

/** So many seconds pass for timers while the clock stands still. */
export const clockStands =
  (seconds: number): Step =>
  async (scene) => {
    for (let second = 0; second < seconds; second++) await scene.timersFire()
  }

/** What the channel does with the next messages, in order; then all is well. */
export const meets =
  (channel: 'telegram' | 'webhook', ...moods: readonly Mood[]): Step =>
  (scene) => {
    scene.channel(channel).moods = [...moods]
  }

/** What the channel does with every message from now on. */
export const channelIs =
  (channel: 'telegram' | 'webhook', mood: Mood): Step =>
  (scene) => {
    scene.channel(channel).usual = mood
    if (mood !== 'hang') scene.channel(channel).drop()
  }

/** Anything else. */
export const does = (work: (scene: Scene) => void | Promise<void>): Step => work

// The scene

/** After something has happened every second counts; later a clock that ticks every ten seconds is the same. */
const CLOSELY_MS = 30_000
const FINE_MS = 1_000
/** Timers that are later than that mean a machine that slept (`upstream/offline.ts`). */
const COARSE_MS = 10_000

export class Scene {
  setting: Setting
  readonly world: FakeWorld
  readonly bot: Double
  readonly hook: Double
  /** Epoch milliseconds. */
  now: number
  readonly messages: string[] = []
  /** `ok`, or the code of the error, of every request. */
  readonly outcomes: string[] = []
  /** What the managers logged. */
  readonly lines: string[] = []
  readonly #startsAt: number
  readonly #managers = new Map<string, APIManager>()
  readonly #heard = new Map<Double, number>()
  readonly #store: string
  readonly #traffic = new Traffic()
  readonly #intervals = new HeldIntervals()
  #actedAt: number
  #elapsedMs = 0

  constructor(setting: Setting, { world, bot, hook }: Pick<Scene, 'world' | 'bot' | 'hook'>) {
    this.setting = setting
    this.world = world
    this.bot = bot
    this.hook = hook
    this.now = Date.parse(setting.startsAt ?? '2026-11-20T12:00:00Z')
    this.#startsAt = this.now
    this.#actedAt = this.now
    this.#store = setting.stored === true ? join(temporaryFolder(), 'keywise.db') : 'memory:'
  }

  channel(name: 'telegram' | 'webhook'): Double {
    return name === 'telegram' ? this.bot : this.hook
  }

  manager(name?: string): APIManager {
    const manager = name === undefined ? [...this.#managers.values()][0] : this.#managers.get(name)
    if (manager === undefined) throw new TypeError(`no process ${name ?? ''} is open`)
    return manager
  }

  async open(name: string): Promise<void> {
    const manager = new APIManager(optionsOf(this, this.#store))
    this.#managers.set(name, manager)
    await manager.ready()
    await this.settle()
  }

  async end(name: string): Promise<void> {
    const manager = this.manager(name)
    this.#managers.delete(name)
    await manager.close()
    this.#note()
  }

  async ask({ model = 'auto', from, maxTokens, labels }: Asking): Promise<void> {
    this.#actedAt = this.now
    const limits = { ...(maxTokens !== undefined && { maxTokens }), ...(labels && { labels }) }
    try {
      await this.manager(from).callWithFallback({ prompt: 'Say hi', model, ...limits })
      this.outcomes.push('ok')
    } catch (error) {
      if (!(error instanceof KeywiseError)) throw error
      this.outcomes.push(error.code)
    }
    await this.settle()
  }

  timeOf(text: string): number {
    const [, days, hour, minute, second = '0'] = /^(?:\+(\d+) )?(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? []
    if (hour === undefined) throw new TypeError(`not a time: ${text}`)
    const from = days === undefined ? this.now : this.#startsAt
    const ofDay = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
    const time = Math.floor(from / DAY_MS) * DAY_MS + Number(days ?? 0) * DAY_MS + ofDay
    return days === undefined && time < this.now ? time + DAY_MS : time
  }

  /** Lets time pass, second by second where something has just happened. */
  async until(end: number): Promise<void> {
    this.#actedAt = this.now
    while (this.now < end) {
      const isClose = this.now - this.#actedAt < CLOSELY_MS
      const coarse = Math.floor(this.now / COARSE_MS + 1) * COARSE_MS
      const next = Math.min(end, isClose ? this.now + FINE_MS : coarse)
      this.#elapsedMs += next - this.now
      this.now = next
      await this.timersFire()
    }
  }

  /** What happens every second happens now. */
  async timersFire(): Promise<void> {
    this.#intervals.happen()
    await this.settle()
  }

  /** Waits for everything that needs no time to pass. */
  async settle(): Promise<void> {
    const hung = () => this.bot.hanging + this.hook.hanging
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await turn()
      if (this.#traffic.underWay > hung()) quiet = 0
    }
    this.#note()
  }

  async close(): Promise<void> {
    for (const double of [this.bot, this.hook]) {
      double.usual = 'ok'
      double.drop()
    }
    const managers = [...this.#managers.values()]
    this.#managers.clear()
    await Promise.all(managers.map((manager) => manager.close()))
    this.#note()
    this.#traffic.close()
    this.#intervals.release()
  }

  /** Adds the messages taken since the last time. */
  #note(): void {
    const isOne = this.setting.telegram === false || this.setting.webhook === undefined
    for (const [name, double] of [['telegram', this.bot] as const, ['webhook', this.hook] as const]) {
      const taken = double.texts
      for (const text of taken.slice(this.#heard.get(double) ?? 0)) {
        const words = name === 'webhook' ? webhookText(text) : text
        this.messages.push(`${this.#timeText()} ${isOne ? '' : `${name}: `}${words}`)
      }
      this.#heard.set(double, taken.length)
    }
  }

  #timeText(): string {
    const days = Math.floor(this.now / DAY_MS) - Math.floor(this.#startsAt / DAY_MS)
    return `${days === 0 ? '' : `${days > 0 ? '+' : ''}${days} `}${new Date(this.now).toISOString().slice(11, 19)}`
  }

  /** Milliseconds since the beginning, for deadlines. */
  readonly monotonic = (): number => this.#elapsedMs
}

const DAY_MS = 86_400_000
const QUIET_TURNS = 3
const HOOK_SECRET = 'h'.repeat(24)
const HOOK_PATH = '/hook'

async function openScene(setting: Setting): Promise<Scene> {
  const { providers = ['groq', 'mistral'], keys = 1 } = setting
  const indices = Array.from({ length: keys }, (_, index) => index + 1)
  const scenario = providers.map((id) => {
    const own = Object.fromEntries(indices.map((index) => [fakeKeyText(id, index), {}]))
    return [id, { keys: own, models: { m: {} } }]
  })
  const world = await startFakeProviders({ providers: Object.fromEntries(scenario) })
  onTestFinished(() => world.close())
  const secrets = providers.flatMap((id) => indices.map((index) => fakeKeyText(id, index)))
  const scene = new Scene(setting, {
    world,
    bot: await startTelegram(secrets),
    hook: await startWebhook(HOOK_SECRET),
  })
  onTestFinished(() => scene.close())
  await scene.open('first')
  return scene
}

function optionsOf(scene: Scene, store: string): APIManagerOptions {
  const { world, bot, hook, lines, setting } = scene
  const { telegram = {}, webhook, alerts, settings, prices = {} } = setting
  const say = (line: string) => void lines.push(line)
  const channels = {
    ...alerts,
    ...(telegram !== false && { telegram: { ...ofBot(bot), ...telegram } }),
    ...(webhook && { webhook: { url: hook.origin + HOOK_PATH, secret: HOOK_SECRET, ...webhook } }),
  }
  const blocks = Object.entries(world.config()).map(([id, block]) => {
    const price = prices[id]
    return [id, { ...block, models: price === undefined ? ['m'] : [{ id: 'm', price }] }]
  })
  return {
    config: {
      ...Object.fromEntries(blocks),
      settings: { ...IN_ORDER, timeouts: { patience_ms: 0 }, ...settings, alerts: channels },
    },
    store,
    env: {},
    logger: { info: say, warn: say, error: say },
    now: () => scene.now,
    monotonic: scene.monotonic,
    random: () => 0.5,
    sleep: () => Promise.resolve(),
  }
}

/** Targets are tried in the order of the configuration, so that who answers can be foretold. */
const IN_ORDER = { routing: { strategy: 'priority', exploration: { rate: 0 } } }

const ofBot = (bot: Double) => ({ bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin })

/** The text of keywise's own JSON; the body as it is where there is another template. */
function webhookText(body: string): string {
  try {
    return String((JSON.parse(body) as { text?: unknown }).text ?? body)
  } catch {
    return body
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: DAY_MS }

function spanOf(text: string): number {
  const [amount, unit = ''] = text.split(' ')
  const ms = Number(amount) * (UNITS[unit] ?? Number.NaN)
  if (!(ms > 0)) throw new TypeError(`not a span of time: ${text}`)
  return ms
}

/** Without the indentation of the first line, and without blank lines before and after. */
function withoutIndent(text: string): string {
  const [, indent = ''] = /^\n?( *)/.exec(text) ?? []
  return text.replaceAll(`\n${indent}`, '\n').trim()
}

const CREATED = 'undici:request:create'
const ENDED = ['undici:request:trailers', 'undici:request:error']

/** Counts the requests of this process that have no answer yet. */
class Traffic {
  readonly #open = new Set<unknown>()

  constructor() {
    subscribe(CREATED, this.#begin)
    for (const name of ENDED) subscribe(name, this.#end)
  }

  get underWay(): number {
    return this.#open.size
  }

  close(): void {
    unsubscribe(CREATED, this.#begin)
    for (const name of ENDED) unsubscribe(name, this.#end)
  }

  readonly #begin = (message: unknown): void => void this.#open.add((message as { request: object }).request)
  readonly #end = (message: unknown): void => void this.#open.delete((message as { request: object }).request)
}

/** Holds the periodic work of a second or more, which then happens by the virtual clock only. */
class HeldIntervals {
  readonly #held = new Map<object, () => void>()
  readonly #real = { set: globalThis.setInterval, clear: globalThis.clearInterval }

  constructor() {
    globalThis.setInterval = ((happen: () => void, ms = 1) => {
      if (ms < FINE_MS) return this.#real.set(happen, ms)
      const timer = { unref: () => timer, ref: () => timer, hasRef: () => false }
      this.#held.set(timer, happen)
      return timer
    }) as unknown as typeof setInterval // only what the product uses of a timer
    globalThis.clearInterval = ((timer?: object) => {
      if (timer === undefined || !this.#held.delete(timer)) this.#real.clear(timer as NodeJS.Timeout | undefined)
    }) as typeof clearInterval
  }

  happen(): void {
    for (const happen of [...this.#held.values()]) happen()
  }

  release(): void {
    globalThis.setInterval = this.#real.set
    globalThis.clearInterval = this.#real.clear
  }
}
