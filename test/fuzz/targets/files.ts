/** Files that people write and edit: configuration, statistics, results, facts; and lists and balances of providers. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/config.ts'
import { readFacts } from '../../../src/config/facts/readFacts.ts'
import { catalog } from '../../../src/providers/catalog.ts'
import { readStatsFile } from '../../../src/store/statsFile/readStatsFile.ts'
import { statsFileOf } from '../../../src/store/statsFile/statsFile.ts'
import { readEarlierRun } from '../../../src/tester/changes.ts'
import { readBalance } from '../../../src/upstream/discovery/balance.ts'
import { readModelsPage } from '../../../src/upstream/discovery/modelsList.ts'
import { type FuzzTarget, promise } from '../driver.ts'
import { mutated, mutatedBytes, mutatedText } from '../mutate.ts'
import { noPollution, orRefusal, parsedOr, same } from '../promises.ts'
import { smallerJson } from './requests.ts'

const NOW = Date.UTC(2026, 10, 30, 12)
/** Obviously no real one, and put together here so that no scanner takes it for one. */
const KEY = `gsk_${'file'.repeat(3)}${'9Z8y7X6w'.repeat(4)}`

const CONFIGS: readonly object[] = [
  { groq: { api_key: KEY } },
  { groq_key1: KEY, google: { keys: [KEY, { key: KEY, label: 'work', weight: 2, budget: { usd: 5, per: 'day' } }] } },
  { providers: { openrouter: { api_keys: [KEY], models: ['a/b:free', { id: 'x', price: { input: 0, output: 1 } }] } } },
  {
    'my-vllm': { dialect: 'openai', endpoint: 'http://127.0.0.1:8000/v1', api_key: 'none', models: 'discover' },
    settings: {
      weights: { reliability: 0.4, speed: 0.3, quality: 0.2, recency: 0.1 },
      max_attempts: 5,
      routing: { strategy: 'learned' },
      models: { smart: ['anthropic/claude-x', 'openai/gpt-x'], 'c-*': ['auto:cheap'] },
      timeouts: { connect_ms: 3000, first_token_ms: 'auto', idle_ms: 30_000, total_ms: 600_000, patience_ms: 10_000 },
      streaming: { rescue: 'text' },
      budgets: [{ scope: 'all', usd: 10, per: 'day', hard: true, timezone: 'UTC', on_exceeded: 'fallback' }],
      free_only: false,
      privacy: 'no_training',
      unknown_price: 'block',
      test: { max_usd: 0.05 },
      alerts: { webhook: { url: 'https://e.org/hook' }, telegram: { bot_token: 'env:BOT', chat_id: '1' } },
      gateway: { host: '127.0.0.1', port: 5397, allowed_hosts: ['a'], max_body_mb: 32 },
    },
  },
  {
    groq: {
      api_key: KEY,
      models: [{ id: 'm', price: { input: 1, output: 2 }, abilities: { tools: true }, context_tokens: 8192 }],
    },
    settings: {
      experiments: [
        {
          name: 'x',
          unit: 'request',
          arms: [
            { name: 'a', model: 'groq/m' },
            { name: 'b', model: 'groq/n' },
          ],
          metric: 'quality',
        },
      ],
    },
  },
]

interface Written {
  /** Read from a file as text, or passed as an object. */
  readonly asFile: boolean
  readonly text: string
}

let folder = ''

export const configs: FuzzTarget<Written> = {
  name: 'configs',
  share: 2,
  open: async () => {
    folder = mkdtempSync(join(tmpdir(), 'keywise-fuzz-'))
  },
  close: async () => rmSync(folder, { recursive: true, force: true }),
  make(random) {
    const asFile = random.chance(0.3)
    return { asFile, text: mutatedText(mutated(random.of(CONFIGS), random), random, asFile ? 0.3 : 0) }
  },
  check({ asFile, text }) {
    const file = join(folder, 'api-keys.json')
    if (asFile) writeFileSync(file, text)
    const around = { env: {}, cwd: folder, home: folder, platform: 'linux' } as const
    let said = ''
    try {
      const { warnings, providers } = loadConfig({ config: asFile ? file : JSON.parse(text), ...around })
      said = warnings.join('\n')
      for (const { keys } of providers) for (const { secret } of keys) secret.reveal()
    } catch (error) {
      said =
        orRefusal(() => {
          throw error
        }) ?? String(error)
    }
    promise(!said.includes(KEY), 'what it says holds a key')
    noPollution()
  },
  *smaller({ asFile, text }) {
    yield* smallerJson(text, (smaller) => ({ asFile, text: smaller }))
  },
  show: ({ asFile, text }) => `${asFile ? 'file' : 'object'} ${text}`,
}

const ROW = {
  provider: 'groq',
  keyIndex: 1,
  lastTested: '2026-11-30T10:00:00.000Z',
  models: {
    'a/b': {
      status: 'working',
      successCount: 5,
      failCount: 1,
      avgResponseTime: 321,
      totalTokens: 1234,
      qualityScore: 0.9,
      qualityScoreCount: 2,
      lastSuccess: '2026-11-30T11:00:00.000Z',
      lastError: { timestamp: '2026-11-30T10:30:00.000Z', error: 'slow', statusCode: 429 },
    },
  },
}
const STATS = {
  lastUpdated: '2026-11-30T11:00:00.000Z',
  providers: { groq_key1: ROW, google_key2: { models: { m: { successCount: 1, lastError: 'no' } } } },
  rankings: { bySpeed: [{ provider: 'groq', keyIndex: 1, model: 'a/b', avgResponseTime: 321 }] },
  mine: { kept: true },
}
const RESULTS = {
  timestamp: '2026-11-30T11:00:00.000Z',
  tests: [
    { provider: 'groq', keyIndex: 1, model: 'm', status: 'success', responseTime: 5 },
    { provider: 'google', model: 'n', status: 'failed', error: 'no' },
  ],
}
const SEEN = { source: 'https://e.org', checked: '2026-11-30', as_of_after: '2027-02-28' }
const FACTS = {
  keywise_facts: 1,
  published: '2026-11-30',
  facts: [
    {
      provider: 'groq',
      model: 'openai/gpt-oss-*',
      kind: 'limit',
      unit: 'requests',
      window: 'day',
      limit: 1000,
      ...SEEN,
    },
    { provider: 'groq', model: 'm', kind: 'window', context_tokens: 131_072, max_output_tokens: 65_536, ...SEEN },
    { provider: 'google', model: 'm', kind: 'price', price: { input: 1, output: 2 }, ...SEEN },
    { provider: 'openai', model: 'm', kind: 'ability', abilities: { tools: true, vision: false }, ...SEEN },
    { provider: 'openai', model: 'n', kind: 'retired', on: '2026-12-31', successor: 'm', ...SEEN },
  ],
}
const MODELS = {
  object: 'list',
  data: [
    { id: 'm', object: 'model', context_window: 8192, pricing: { prompt: '0.000001', completion: '0' }, active: true },
    { name: 'models/n', supportedGenerationMethods: ['generateContent'], inputTokenLimit: 5, outputTokenLimit: 5 },
    {
      id: 'o',
      type: 'embedding',
      architecture: { modality: 'text->text', output_modalities: ['text'] },
      top_provider: {},
    },
  ],
  models: [{ name: 'l', model: 'l', details: { family: 'x' } }],
  has_more: true,
  last_id: 'm',
  nextPageToken: 'x',
}
const BALANCE = {
  is_available: true,
  balance_infos: [{ currency: 'CNY', total_balance: '110.00', granted_balance: '10' }],
  data: { limit: 10, usage: 2.5, limit_remaining: 7.5, total_credits: 9, total_usage: '1', is_free_tier: false },
}

type FileKind = 'stats' | 'results' | 'facts' | 'models' | 'balance'
const VALUES: Readonly<Record<FileKind, unknown>> = {
  stats: STATS,
  results: RESULTS,
  facts: FACTS,
  models: MODELS,
  balance: BALANCE,
}
const KINDS: readonly FileKind[] = ['stats', 'stats', 'results', 'facts', 'models', 'balance']

interface KeptFile {
  readonly kind: FileKind
  readonly bytes: Buffer
}

export const files: FuzzTarget<KeptFile> = {
  name: 'files',
  share: 4,
  make(random) {
    const kind = random.of(KINDS)
    return { kind, bytes: mutatedBytes(mutatedText(mutated(VALUES[kind], random), random, 0.15), random) }
  },
  check({ kind, bytes }) {
    CHECKS[kind](bytes)
    noPollution()
  },
  *smaller({ kind, bytes }) {
    yield* smallerJson(bytes.toString(), (text) => ({ kind, bytes: Buffer.from(text) }))
  },
  show: ({ kind, bytes }) => `${kind} ${JSON.stringify(bytes.toString('latin1'))}`,
}

const parsed = (bytes: Buffer) => parsedOr(() => JSON.parse(bytes.toString()))

const CHECKS: Readonly<Record<FileKind, (bytes: Buffer) => void>> = {
  stats(bytes) {
    const read = readStatsFile(bytes.toString())
    promise(read.problems.length <= 50, 'it lists more than 50 problems')
    for (const { successCount, failCount, totalLatencyMs, totalTokens } of read.rows)
      for (const count of [successCount, failCount, totalLatencyMs, totalTokens])
        promise(Number.isFinite(count) && count >= 0, () => `a count of ${count}`)
    // What was written is read as the same, or every start would change it a little.
    const once = JSON.parse(JSON.stringify(statsFileOf(read.rows, NOW)))
    const again = readStatsFile(JSON.stringify(once))
    same(again.problems, [], 'what keywise wrote itself is wrong')
    same(statsFileOf(again.rows, NOW), once, 'the file changes each time it is read and written')
  },
  results(bytes) {
    readEarlierRun(parsed(bytes))
  },
  facts(bytes) {
    orRefusal(() => readFacts(bytes, 'facts.json', NOW))
  },
  models(bytes) {
    const body = parsed(bytes)
    for (const spec of catalog)
      if (spec.modelsList !== null)
        for (const { contextTokens, maxOutputTokens } of readModelsPage(body, spec.modelsList.shape, spec)?.models ??
          [])
          for (const count of [contextTokens, maxOutputTokens])
            promise(count === null || (Number.isFinite(count) && count >= 0), () => `a window of ${count} tokens`)
  },
  balance(bytes) {
    const body = parsed(bytes)
    for (const source of catalog.flatMap(({ balance }) => balance ?? []))
      for (const { left } of readBalance(body, source, NOW).credits)
        promise(Number.isFinite(Number(left)), () => `a balance of ${left}`)
  },
}
