/** What follows from an attempt besides learning: reading lists again, scoring quality, alerting people. */

import { createHash } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { Config } from '../config/config.ts'
import type { ChatResponse } from '../domain/chat.ts'
import type { Failure } from '../domain/failure.ts'
import type { Logger } from '../domain/logger.ts'
import type { AttemptEvent, Store } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import type { RunningAttempt } from '../engine/attempt/runningAttempt.ts'
import type { Trail } from '../engine/attempt/trail.ts'
import type { Engine } from '../engine/engine.ts'
import type { Version } from '../engine/experiments/versions.ts'
import { refOf } from '../engine/record.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import type { ExperimentResult } from '../experiment/result.ts'
import type { BudgetRefusal } from '../money/budget.ts'
import { Alerts, type Witness } from '../observe/alerts/alerts.ts'
import type { Events } from '../observe/events.ts'
import type { Verdict } from '../routing/judge.ts'
import type { OfflineDetector } from '../upstream/offline.ts'
import { channelsOf, quietOf } from './alertChannels.ts'
import { isConfigured } from './attest.ts'
import { BudgetAlerts } from './budgetAlerts.ts'
import { AlertConditions } from './conditions.ts'
import { CreditWatch } from './creditWatch.ts'
import { NewTargetTests } from './newTargetTests.ts'
import { OutageProbes } from './outageProbes.ts'
import { Outages } from './outages.ts'
import { selfScore } from './selfScore.ts'

interface MonitorOptions {
  readonly store: Store
  readonly logger: Logger
  readonly events: Events
  readonly offline: OfflineDetector
  readonly dispatcher: Dispatcher
  readonly now: () => number
  readonly random: () => number
  readonly redact: (text: string) => string
  readonly salt: string
  readonly userAgent: string
}

/** Time for pending alerts to be sent when the process ends. */
const GRACE_MS = 2_000
/** How long an experiment's result stays among the open alerts. */
const SHOWN_MS = 86_400_000

interface Watch {
  readonly engine: Engine
  readonly outages: Outages
  readonly conditions: AlertConditions
  readonly budgets: BudgetAlerts
  readonly outageProbes: OutageProbes
  readonly credit: CreditWatch
  readonly newTargets: NewTargetTests
}

export class Monitor {
  readonly alerts: Alerts
  readonly #options: MonitorOptions
  #watch: Watch | null = null
  #isComplaining = false

  constructor(options: MonitorOptions) {
    this.#options = options
    const { events, offline, now } = options
    this.alerts = new Alerts({
      ...options,
      emit: (alert, text) => {
        const { id, event, subject } = alert
        events.emit('alert', { id, event, subject, at: iso(alert.at), since: iso(alert.since), text })
      },
      onUnreachable: (host) => offline.failed(host, now()),
      witness: () => this.#witness,
    })
  }

  get #witness(): Witness | null {
    const watch = this.#watch
    if (watch === null) return null
    const { conditions, outages } = watch
    return {
      attest: (incident) => conditions.attest(incident),
      isConfigured: (key) => isConfigured(watch.engine, key),
      everythingFails: outages.everythingFails,
    }
  }

  /** Starts watching; call it once the engine's state is restored. */
  attach(engine: Engine): void {
    const outages = new Outages(engine, this.alerts)
    const conditions = new AlertConditions(engine, this.alerts, outages)
    const budgets = new BudgetAlerts(engine, this.alerts)
    const credit = new CreditWatch(engine, this.alerts, outages)
    const outageProbes = new OutageProbes(engine, outages)
    const newTargets = new NewTargetTests(engine)
    this.#watch = { engine, outages, conditions, budgets, outageProbes, credit, newTargets }
    engine.learned.onCrossings = (crossings) => this.#guarded(() => budgets.crossed(crossings))
    this.useConfig(engine.registry.config)
  }

  /** Uses the channels of a configuration. */
  useConfig({ settings, file }: Config): void {
    this.#guarded(() => {
      const parts = { ...this.#options, warn: (line: string) => this.#options.logger.warn(line) }
      this.alerts.use(channelsOf(settings, parts), file, quietOf(settings, parts))
    })
  }

  /** An attempt failed; starts whatever can be repaired in the background. */
  failed(attempt: RunningAttempt, failure: Failure, verdict: Verdict, pending: PendingRequest): void {
    const watch = this.#watch
    if (watch === null) return
    const { missingAbilities } = watch.engine
    if (failure.kind === 'unsupported' && failure.ability !== undefined && !verdict.repaired)
      missingAbilities.refused(attempt.target, failure.ability, fingerprintOf(pending))
    watch.credit.failed(attempt.credential, failure)
    if (failure.kind === 'model_not_found') void watch.engine.lists.readNow(attempt.credential)
    if (verdict.alert !== undefined)
      this.#guarded(() => watch.conditions.failed(attempt, failure, verdict, pending.request))
  }

  /** Scores an answer by what can be seen without a person. */
  answered(attempt: RunningAttempt, pending: PendingRequest, response: ChatResponse): void {
    const score = selfScore(pending.request, response)
    if (this.#watch === null || score === null) return
    const { learned, store, experiments } = this.#watch.engine
    learned.record({
      kind: 'quality',
      at: this.#options.now(),
      origin: store.origin,
      id: learned.eventId(),
      target: refOf(attempt.target),
      requestId: pending.id,
      score,
      task: pending.task,
      source: 'self',
    })
    if (pending.enrolment?.trial != null)
      experiments.report(pending.enrolment.trial, pending.id, 'self', 'quality', score)
  }

  /** A target answered: ends its open incidents. */
  worked(target: Target, event: AttemptEvent): void {
    const watch = this.#watch
    if (watch === null || (this.alerts.isQuiet && watch.outages.isQuiet)) return
    this.#guarded(() => {
      watch.outages.worked(target, event.startedAt)
      watch.conditions.worked(target, event)
    })
  }

  /** Every target failed for a request. */
  exhausted(pending: PendingRequest, trail: Trail): void {
    const watch = this.#watch
    if (watch !== null) this.#guarded(() => watch.outages.failed(pending, trail))
  }

  /** A budget refused a call of a request. */
  overBudget(refusal: BudgetRefusal, pending: PendingRequest): void {
    const watch = this.#watch
    if (watch !== null) this.#guarded(() => watch.budgets.refused(refusal, pending))
  }

  /** An experiment has its result. */
  decided({ experiment: { name, version } }: Version, { text, winner }: ExperimentResult): void {
    this.#options.logger.info(`experiment ${name} is decided: ${text}`)
    const since = this.#options.now()
    this.#guarded(() =>
      this.alerts.raise(`experiment:${name}@${version}`, {
        event: 'experiment_decided',
        subject: name,
        since,
        what: `Experiment ${name} is decided`,
        why: text,
        works: null,
        returnsAt: null,
        returns: null,
        advice: `keywise experiment stop ${name}${winner === null ? '' : ` --keep ${winner}`}`,
        until: since + SHOWN_MS,
      }),
    )
  }

  /** Called every second. */
  tick(): void {
    const watch = this.#watch
    if (watch === null) return
    this.#guarded(() => {
      watch.outages.tick(this.alerts.tick())
      watch.conditions.tick()
      watch.outageProbes.tick()
      watch.credit.tick()
      watch.newTargets.tick()
    })
  }

  /** A last check, and a moment for due alerts to be sent. */
  async close(): Promise<void> {
    await this.#watch?.outageProbes.close()
    await this.#watch?.credit.close()
    await this.#watch?.newTargets.close()
    this.tick()
    await this.alerts.close(GRACE_MS)
  }

  /** Alerting never disturbs a request: its own failures are logged once. */
  #guarded(act: () => void): void {
    try {
      act()
      this.#isComplaining = false
    } catch (error) {
      if (!this.#isComplaining)
        this.#options.logger.error(`alerts do not work now: ${error instanceof Error ? error.message : String(error)}`)
      this.#isComplaining = true
    }
  }
}

const iso = (at: number) => new Date(at).toISOString()

/** The same for what asks the same again, streamed or not, with other sampling. */
function fingerprintOf(pending: PendingRequest): string {
  const { messages, tools, responseFormat } = pending.whole()
  const asked = JSON.stringify([messages, tools ?? null, responseFormat ?? null])
  return createHash('sha256').update(asked).digest('hex').slice(0, 16)
}
