import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { silentLogger } from '../../domain/logger.ts'
import type { Store, Trial } from '../../domain/store.ts'
import { readDefinitionFile } from '../../experiment/definition.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { openStore } from '../../store/open.ts'
import { Experiments } from './experiments.ts'

const clicks = { name: 'clicks', better: 'higher', minimum_effect: 1 }
const race = {
  name: 'race',
  unit: 'label:user',
  variants: [
    { name: 'now', share: 0.5 },
    { name: 'new', share: 0.5 },
  ],
  metric: clicks,
}

/** The experiments of one process. */
function open(store: Store, now = () => 0, definition: object = race): Experiments {
  const ignore = () => {}
  const experiments = new Experiments({ store, logger: silentLogger, now, monotonic: () => 0, onDecided: ignore })
  use(experiments, definition)
  return experiments
}

function use(experiments: Experiments, definition: object): void {
  const reading = readDefinitionFile(definition)
  if (!reading.ok) throw new Error(reading.problems.join())
  experiments.use(reading.definitions, null)
}

function trialOf(experiments: Experiments, unit: string): Trial {
  const facts = { requestId: unit, session: () => null, labels: { user: unit } }
  return experiments.enrol(experiments.known('race'), facts).trial!
}

/** Everything the evidence of a process says. */
function evidenceOf(experiments: Experiments): string {
  experiments.sync()
  const { experiment } = experiments.known('race')
  return JSON.stringify(experiments.evidenceOf(experiment).toJSON())
}

interface Report {
  readonly unit: number
  readonly request: number
  readonly source: string
  readonly value: number
}

const say = (experiments: Experiments, { unit, request, source, value }: Report) =>
  experiments.report(trialOf(experiments, `u${unit}`), `u${unit}r${request}`, source, 'clicks', value)

const RANKS = ['self', 'admin', 'library'] as const
const rank = ({ source }: Report) =>
  Math.min(2, Math.max(0, RANKS.indexOf(source as never) + (source[0] === 't' ? 3 : 0)))

/** What counts in the end: of each unit the first request that was reported, with the value that outranks the others. */
function counted(reports: readonly Report[]): readonly Report[] {
  const units = new Map<number, Report>()
  for (const report of reports) {
    const known = units.get(report.unit)
    if (known === undefined) units.set(report.unit, report)
    else if (known.request === report.request && rank(report) >= rank(known)) units.set(report.unit, report)
  }
  return [...units.values()]
}

const anyReport = fc.record({
  unit: fc.integer({ min: 0, max: 14 }),
  request: fc.integer({ min: 0, max: 2 }),
  source: fc.constantFrom('self', 'admin', 'library', 'token:a'),
  value: fc.integer({ min: 0, max: 9 }),
})

describe('a value that is reported again', () => {
  test('counts as if it had come in the place of the first, in every process and after a restart', () => {
    fc.assert(
      fc.property(
        fc.array(anyReport, { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 3, max: 60 }),
        (reports, every) => {
          const store = createMemoryStore()
          const processes = [open(store), open(store)]
          for (const [index, report] of reports.entries()) {
            say(processes[index % 2]!, report)
            if (index % every === 0) processes[index % 2]!.save()
            if (index % every === 0) expect(evidenceOf(processes[0]!)).toBe(evidenceOf(open(store)))
            // A new process goes on from what was saved.
            if (index % (2 * every) === 0) processes[1] = open(store)
          }
          const plain = open(createMemoryStore())
          for (const report of counted(reports)) say(plain, { ...report, source: 'library' })
          const expected = evidenceOf(plain)
          for (const one of [...processes, open(store)]) expect(evidenceOf(one)).toBe(expected)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('is found in a store on disk, also what a release before wrote without a source', async () => {
    const path = join(temporaryFolder(), 'keywise.db')
    const store = openStore(path, { now: () => 0, warn: () => {} })
    onTestFinished(() => store.close())
    const one = open(store)
    const trial = trialOf(one, 'u1')
    const id = `race@1:${trial.unit}:clicks`
    store.append({ kind: 'observation', at: 0, origin: 'old', id, trial, requestId: 'u1r1', values: { clicks: 3 } })
    say(one, { unit: 1, request: 2, source: 'token:a', value: 8 })
    expect(meanOf(one, trial.variant)).toBe(3)
    say(one, { unit: 1, request: 1, source: 'token:a', value: 5 })
    expect(meanOf(one, trial.variant)).toBe(5)
    say(one, { unit: 1, request: 1, source: 'admin', value: 9 })
    expect(meanOf(one, trial.variant)).toBe(5)
  })

  test('a thousand times a second costs a part of the fold each second, while all else counts at once', () => {
    const store = createMemoryStore()
    const one = open(store)
    for (let unit = 0; unit < 3000; unit++) say(one, { unit, request: 0, source: 'library', value: 1 })
    one.tick()
    const { experiment } = one.known('race')
    const evidence = () => one.evidenceOf(experiment)
    /** How many ticks until the evidence has the value. */
    const ticks = () => {
      const before = evidence()
      for (let tick = 1; ; tick++) {
        one.tick()
        if (evidence() !== before) return tick
      }
    }
    const again = (unit = 5) => {
      for (let time = 0; time < 1000; time++) say(one, { unit, request: 0, source: 'library', value: time % 10 })
    }
    again()
    // 3,001 steps to read back and 3,000 to fold, 2,000 a tick; then from the last kept state of before.
    expect(ticks()).toBe(4)
    again(2999)
    expect(ticks()).toBe(1)
    again()
    const before = evidence()
    one.tick()
    say(one, { unit: 3000, request: 0, source: 'library', value: 1 })
    one.tick()
    expect(before.variants().reduce((sum, { observations }) => sum + observations, 0)).toBe(3001)
    again()
    // Who looks gets all of it at once.
    const values = new Map([
      [5, 9],
      [2999, 9],
    ])
    const set = (unit: number, value: number) => {
      values.set(unit, value)
      say(one, { unit, request: 0, source: 'library', value })
    }
    for (const [unit, value] of [
      [5, 7],
      [2500, 4],
    ] as const) {
      set(unit, value)
      const plain = open(createMemoryStore())
      for (let other = 0; other <= 3000; other++)
        say(plain, { unit: other, request: 0, source: 'library', value: values.get(other) ?? 1 })
      expect(evidenceOf(one)).toBe(evidenceOf(plain))
    }
  })
})

test('a store in memory that has dropped its oldest events loses none of what was counted', () => {
  const store = createMemoryStore({ maxEvents: 100 })
  const one = open(store)
  for (let unit = 0; unit < 300; unit++) {
    say(one, { unit, request: 0, source: 'library', value: 1 })
    one.tick()
  }
  say(one, { unit: 299, request: 0, source: 'library', value: 9 })
  one.sync()
  const seen = one.evidenceOf(one.known('race').experiment).variants()
  expect(seen.reduce((sum, { observations }) => sum + observations, 0)).toBe(300)
})

function meanOf(experiments: Experiments, variant: string): number | null {
  experiments.sync()
  const { experiment } = experiments.known('race')
  const rows = experiments.evidenceOf(experiment).variants()
  return rows.find((row) => row.variant === variant && row.metric === 'clicks')?.mean ?? null
}

test('the evidence of a release before, which had no counts of answers, is read again from the log', () => {
  const store = createMemoryStore()
  const one = open(store)
  for (let unit = 0; unit < 50; unit++) say(one, { unit, request: 0, source: 'library', value: unit % 7 })
  const expected = evidenceOf(one)
  one.save()
  store.updateDoc('evidence', 'race@1', (saved) => {
    const { seq, state } = saved as { seq: number; state: never }
    return { seq, state }
  })
  expect(evidenceOf(open(store))).toBe(expected)
})

describe('a guard that is edited', () => {
  const strict = race
  const loose = { ...race, guard: { max_success_loss: 1 } }
  /** Every unit of the second variant fails. */
  const fail = (experiments: Experiments, from: number) => {
    for (let unit = from; unit < from + 60; unit++) {
      const enrolment = experiments.enrol(experiments.known('race'), {
        requestId: `r${unit}`,
        session: () => null,
        labels: { user: `u${unit}` },
      })
      if (enrolment.variant === 'new') experiments.failed(enrolment, `r${unit}`)
      else experiments.answered(enrolment, `r${unit}`, [])
    }
    experiments.sync()
  }
  const stoppedIn = (experiments: Experiments) => {
    experiments.sync()
    return experiments.evidenceOf(experiments.known('race').experiment).stopped().length
  }

  test('judges what comes, in every process and after a restart: what was stopped stays stopped', () => {
    const store = createMemoryStore()
    const one = open(store)
    fail(one, 0)
    expect(stoppedIn(one)).toBe(1)
    use(one, loose)
    expect(one.known('race')).toMatchObject({ revision: 1 })
    for (const process of [one, open(store, () => 0, loose)]) expect(stoppedIn(process)).toBe(1)
  })

  test('does not judge what came before it', () => {
    const store = createMemoryStore()
    const one = open(store, () => 0, loose)
    fail(one, 0)
    use(one, strict)
    expect(stoppedIn(one)).toBe(0)
    fail(one, 60)
    expect(stoppedIn(one)).toBe(1)
    one.save()
    expect(stoppedIn(open(store))).toBe(1)
  })
})

test('an own metric may have the name by which the end of a request is kept', () => {
  const store = createMemoryStore()
  const one = open(store)
  use(one, { ...race, metric: { ...clicks, name: 'end' } })
  const enrolment = one.enrol(one.known('race'), { requestId: 'r', session: () => null, labels: { user: 'ana' } })
  one.report(enrolment.trial!, 'r', 'library', 'end', 4)
  one.failed(enrolment, 'r')
  one.sync()
  const seen = one.evidenceOf(one.known('race').experiment).variants()
  expect(
    seen
      .filter(({ observations }) => observations > 0)
      .map(({ metric }) => metric)
      .sort(),
  ).toEqual(['end', 'success'])
})
