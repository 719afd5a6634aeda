import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFailure, makeQuality, makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import { hasTestData, testDataPath } from '../../../test/support/testData.ts'
import { regretPicture } from './picture.ts'
import { allScenarios, POLICIES, type ReplayResult, replayOnce, runReplay } from './replay.ts'
import { replayMarkdown, replayText } from './report.ts'
import { recordedScenario } from './store.ts'
import { traceScenarios } from './traces.ts'
import { type ReplayScenario, ReplayWorld } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const byName = (name: string) => allScenarios().find((scenario) => scenario.name === name)!

describe('the world', () => {
  const scenario = byName('S3-peak-hours')

  test('a fate follows from seed, request, target and time alone, whoever asked before', () => {
    const [fresh, used] = [new ReplayWorld(scenario, 7), new ReplayWorld(scenario, 7)]
    const at = scenario.from + HOUR
    for (let number = 0; number < 50; number++) used.fate(number, number % 6, { at, tokens: 0 })
    expect(used.fate(99, 2, { at, tokens: 0 })).toEqual(fresh.fate(99, 2, { at, tokens: 0 }))
    expect(new ReplayWorld(scenario, 8).fate(99, 2, { at, tokens: 0 })).not.toEqual(
      fresh.fate(99, 2, { at, tokens: 0 }),
    )
  })

  test('arrivals are the same for every policy and follow the day', () => {
    const arrivals = scenario.arrivals(3)
    expect(scenario.arrivals(3)).toEqual(arrivals)
    const hours = arrivals.map(({ at }) => Math.floor(at / HOUR) % 24)
    const within = (from: number, to: number) => hours.filter((hour) => hour >= from && hour < to).length
    expect(within(12, 18)).toBeGreaterThan(2 * within(0, 6))
    expect(arrivals.length / 8).toBeGreaterThan(600)
    expect(arrivals.length / 8).toBeLessThan(800)
  })

  test('nothing is better than what the oracle picks', () => {
    expect(Math.max(...replayOnce(byName('S1-rate-limit'), 'oracle', 1).regret)).toBe(0)
  })
})

describe('nobody sees the future', () => {
  /** The same scenario, in which from `turn` on everything is otherwise. */
  function shifted(scenario: ReplayScenario, turn: number): ReplayScenario {
    const upside = (at: number, works: number) => (at >= turn ? 1 - works : works)
    const contenders = scenario.contenders.map((contender) => ({
      ...contender,
      at: (at: number) =>
        contender.at(at).map(({ weight, conditions }) => ({
          weight,
          conditions: { ...conditions, works: upside(at, conditions.works) },
        })),
    }))
    return { ...scenario, contenders }
  }

  const scenario = byName('S5-new-key')
  const turn = scenario.from + 4 * DAY
  const before = scenario.arrivals(1).filter(({ at }) => at < turn).length

  for (const policy of Object.keys(POLICIES))
    test(`${policy} chooses the same up to the moment from which a trace is changed`, () => {
      const [one, other] = [replayOnce(scenario, policy, 1), replayOnce(shifted(scenario, turn), policy, 1)]
      expect(other.first.subarray(0, before)).toEqual(one.first.subarray(0, before))
      expect(other.utility).not.toEqual(one.utility)
    })
})

describe('the bars, without any data', () => {
  let result: ReplayResult
  beforeAll(async () => {
    result = await runReplay({
      seeds: [11],
      policies: ['oracle', 'learned', 'ewma-latency', 'formula', 'latency-list'],
    })
  })
  const learned = (scenario: string) => result.scenarios[scenario]!['learned']!

  test('99 % of the oracle’s utility on average, 97.5 % in every scenario', () => {
    expect(result.mean['learned']!.utility).toBeGreaterThan(0.99)
    for (const scenario of Object.values(result.scenarios)) expect(scenario['learned']!.utility).toBeGreaterThan(0.975)
  })

  test('regret of at most 0.010 and under half of any baseline’s', () => {
    const regret = result.mean['learned']!.regret
    expect(regret).toBeLessThan(0.01)
    for (const name of ['ewma-latency', 'formula', 'latency-list'])
      expect(regret).toBeLessThan(0.45 * result.mean[name]!.regret)
  })

  test('nearly every request is answered, most by the first target', () => {
    for (const scenario of Object.values(result.scenarios)) expect(scenario['learned']!.within5).toBeGreaterThan(0.999)
    expect(learned('S1-rate-limit').firstAttempt).toBeGreaterThan(0.982)
  })

  test('a silent drop of quality is found, peak hours are avoided', () => {
    expect(learned('S2-quality-drop').recoveredAfter).toBeLessThan(150)
    expect(learned('S3-peak-hours').p95Ms).toBeLessThan(2600)
  })

  test('new keys are found without a test: 99 % of the oracle’s utility', () => {
    for (const name of ['S7-untested-key', 'S8-all-untested']) expect(learned(name).utility).toBeGreaterThan(0.99)
  })

  test('a new key is adopted, in the mean of several seeds: a failure among the first tries costs hundreds', async () => {
    const scenarios = ['S5-new-key', 'S7-untested-key']
    const { scenarios: found } = await runReplay({ seeds: [11, 12, 13], policies: ['learned'], scenarios })
    for (const name of scenarios) expect(found[name]!['learned']!.recoveredAfter).toBeLessThan(120)
  })

  test('probes stay rare', () => {
    for (const scenario of Object.values(result.scenarios)) expect(scenario['learned']!.probesPer1000).toBeLessThan(20)
  })

  test('the table and the Markdown name every policy and scenario', () => {
    for (const text of [replayText(result), replayMarkdown(result)])
      for (const name of [...Object.keys(result.scenarios), ...Object.keys(result.mean)]) expect(text).toContain(name)
  })
})

test('in the documented three days the score strategy turns to the other provider on the third', () => {
  const scenario = byName('three-days')
  for (const seed of [1, 2, 3]) {
    const log = replayOnce(scenario, 'learned-by-score', seed)
    const pickOf = (day: number) => log.first[log.arrivals.findIndex(({ at }) => at >= scenario.from + day * DAY)]
    expect(scenario.contenders[pickOf(2)!]!.target.provider).toBe('google')
  }
})

test('an unknown policy or scenario is named in the error, with those there are', async () => {
  await expect(runReplay({ scenarios: ['S9'] })).rejects.toThrow(/no scenario "S9"; one of: .*S1-rate-limit/)
  await expect(runReplay({ scenarios: ['three-days'], policies: ['luck'] })).rejects.toThrow(
    /no policy "luck".*learned/,
  )
})

describe('traces', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keywise-traces-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const start = Date.UTC(2026, 0, 5) / 1000
  const lines = (header: string, rows: readonly string[]) => `${[header, ...rows].join('\n')}\n`
  const times = (count: number, step: number) => Array.from({ length: count }, (_, index) => start + index * step)

  beforeAll(() => {
    const paid = times(90, 6 * 3600).flatMap((at, index) => [
      `${at},Alpha,a-1,1,,${900 + index},300,80,95,0.001`,
      `${at},Beta,b-1,${index % 9 === 0 ? 0 : 1},${index % 9 === 0 ? '503' : ''},2000,400,60,85,0.002`,
    ])
    writeFileSync(
      join(folder, 'whatever.csv.gz'),
      gzipSync(lines('t_unix,provider,model,ok,err_class,total_ms,ttft_ms,tps,quality_0_100,cost_usd', paid)),
    )
    const free = times(40, DAY / 1000).flatMap((at, index) => [
      `${at},gamma,"c, the third",1,,,200,900,40,100`,
      `${at},gamma,c-2,0,auth,401,,150,,`,
      `${at},delta,d,${index % 2},${index % 2 ? '' : 'rate_limit'},429,,700,,`,
    ])
    writeFileSync(
      join(folder, 'probe_free_Z.csv'),
      lines('t_unix,provider,model,ok,err_class,http_status,ttft_ms,total_ms,tps,tokens', free),
    )
    const latency = times(20, 12 * 3600).flatMap((at) => [
      `${at},sea,,n,500,500,90,20,900`,
      `${at},sea,,m,500,500,90,20,800`,
      `${at},fra,x,m,400,400,9,20,0`,
    ])
    writeFileSync(
      join(folder, 'times.csv'),
      lines('t_unix,region,provider,model,ttr_ms,ttft_ms,tps,tokens,total_ms', latency),
    )
    const incidents = times(200, 5 * 86_400).map((at, index) => `openai,API,${(index % 3) + 1},${at},,,,${at + 7200},`)
    writeFileSync(
      join(folder, 'incidents_x.csv'),
      lines('provider,services,impact_0_3,start,investigating,identified,monitoring,resolved,close', incidents),
    )
    writeFileSync(join(folder, 'arrivals_y.csv'), lines('t_s,in_tokens,out_tokens', ['0.0,10,20', '3.5,20,400']))
    writeFileSync(join(folder, 'other.csv'), lines('a,b', ['1,2']))
    writeFileSync(join(folder, 'README.md'), 'no table')
  })

  test('are known by their columns, whatever the file is called', () => {
    const found = Object.fromEntries(
      traceScenarios(folder).map(({ name, contenders }) => [name, contenders.map(({ target }) => target.id)]),
    )
    expect(found).toEqual({
      rush_y: expect.any(Array),
      incidents: ['chunk1/m#1', 'chunk2/m#1', 'chunk3/m#1', 'chunk4/m#1', 'chunk5/m#1'],
      freeZ: ['delta/d#1', 'gamma/c, the third#1'],
      // Only one target was measured in the other region.
      lat_sea: ['unnamed/m#1', 'unnamed/n#1'],
      whatever: ['Alpha/a-1#1', 'Beta/b-1#1'],
    })
  })

  test('between two probes a target is as the nearer one found it, more often than not', () => {
    const scenario = traceScenarios(folder).find(({ name }) => name === 'whatever')!
    const likely = scenario.contenders[0]!.at((start + 6 * 3600 * 10) * 1000 + 1.5 * HOUR)
    expect(likely.map(({ weight }) => weight)).toEqual([0.75, 0.25])
    expect(likely.map(({ conditions }) => conditions.firstTokenMs)).toEqual([910, 911])
    expect(likely[0]!.conditions.quality).toBe(0.95)
  })

  test('windows are the last 70 days of six-hourly probes, or what there is', async () => {
    const result = await runReplay({ data: folder, scenarios: ['whatever'], policies: ['learned'], seeds: [1] })
    expect(result.scenarios['whatever']!['learned']!.within5).toBeGreaterThan(0.999)
    expect(result.scenarios['whatever']!['learned']!.costUsd).toBeGreaterThan(0)
  })

  test('what follows a probe changes nothing before it', () => {
    const scenario = () => traceScenarios(folder).find(({ name }) => name === 'whatever')!
    const original = replayOnce(scenario(), 'learned', 1)
    const turn = start + 60 * 6 * 3600
    const changed = times(90, 6 * 3600).flatMap((at) => [
      `${at},Alpha,a-1,${at < turn ? '1,,' : '0,500,'}${900 + (at - start) / 21_600},300,80,95,0.001`,
      `${at},Beta,b-1,${(at - start) % 194_400 === 0 ? '0,503' : '1,'},2000,400,60,85,0.002`,
    ])
    writeFileSync(
      join(folder, 'whatever.csv.gz'),
      gzipSync(lines('t_unix,provider,model,ok,err_class,total_ms,ttft_ms,tps,quality_0_100,cost_usd', changed)),
    )
    const altered = replayOnce(scenario(), 'learned', 1)
    const before = original.arrivals.filter(({ at }) => at < (turn - 6 * 3600) * 1000).length
    expect(before).toBeGreaterThan(1000)
    expect(altered.first.subarray(0, before)).toEqual(original.first.subarray(0, before))
    expect(altered.first).not.toEqual(original.first)
  })
})

describe('the user’s own past', () => {
  const [one, two] = [makeTarget({ provider: 'groq' }), makeTarget({ provider: 'google' })]
  const start = Date.UTC(2026, 10, 1)

  test('becomes a scenario in which the better target is found', () => {
    const events = Array.from({ length: 200 }, (_, number) => {
      const at = start + number * HOUR
      if (number % 5 === 0) return makeQuality(two, at, 0.9)
      if (number % 2) return makeSuccess(two, at, { latencyMs: 800, startedAt: at })
      return number % 4 ? makeFailure(one, at) : makeSuccess(one, at, { latencyMs: 900, startedAt: at })
    })
    const scenario = recordedScenario(events)!
    expect(scenario.contenders.map(({ target }) => target.provider)).toEqual(['google', 'groq'])
    const log = replayOnce(scenario, 'learned', 1)
    expect(log.first.filter((index) => index === 0).length).toBeGreaterThan(0.8 * log.first.length)
  })

  test('is no scenario while there is nothing to choose between', () => {
    expect(recordedScenario([])).toBeNull()
    expect(recordedScenario(Array.from({ length: 50 }, (_, n) => makeSuccess(one, start + n)))).toBeNull()
  })
})

test('the picture is well-formed and escapes what it shows', () => {
  const svg = regretPicture('a <b> & "c"', { learned: [0, 1, 2], oracle: [0, 0, 0], formula: [1, 5, 90] }, 3000)
  expect(svg).toContain('a &#60;b&#62; &#38; &#34;c&#34;')
  expect(svg).not.toContain('NaN')
  expect(svg.match(/<polyline/g)).toHaveLength(2)
})

describe.runIf(hasTestData)('the bars on recorded traces', () => {
  test('hold on measured providers, with one seed', async () => {
    const data = testDataPath('traces')
    const result = await runReplay({
      data,
      seeds: [5],
      policies: ['learned'],
      scenarios: ['paid6h', 'lat_iad', 'incidents'],
    })
    for (const { learned } of Object.values(result.scenarios)) {
      expect(learned!.utility).toBeGreaterThan(0.985)
      expect(learned!.within5).toBeGreaterThan(0.999)
      expect(learned!.regret).toBeLessThan(0.012)
    }
  })
})
