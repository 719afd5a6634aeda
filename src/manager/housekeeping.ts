/** Periodic work: other processes' events, budget heartbeats, key checks, alerts, the stats file, snapshots. */

import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { statsFileBeside } from '../config/paths.ts'
import { type Watching, watchConfig } from '../config/watch.ts'
import type { Engine } from '../engine/engine.ts'
import { amountText } from '../money/forecastText.ts'
import { backUpStore } from '../store/sqlite/backups.ts'
import { StatsFileWriter } from '../store/statsFile/statsFileWriter.ts'
import { importStats, statsView } from './importStats.ts'
import { hasOlderFacts } from './installedFacts.ts'
import { pressures } from './pressures.ts'

interface HousekeepingOptions {
  readonly engine: Engine
  readonly now: () => number
  /** What `load` should not wait for; null where there is nothing. */
  readonly prepare: () => Promise<unknown> | null
  readonly load: () => Config
  readonly reload: (config: Config) => void
  /** What is watched beside the keys file: which facts are installed. Null where none can be. */
  readonly factsFile: string | null
}

const TICK_MS = 1000
const SNAPSHOT_EVERY_TICKS = 30
const LISTS_EVERY_TICKS = 600
const OTHERS_LISTS_EVERY_TICKS = 5
/** How soon it is noticed that another process was killed. */
const TAKE_OVER_EVERY_TICKS = 10
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const PRUNE_EVERY_MS = HOUR_MS
const BACKUP_EVERY_TICKS = 60
/** After a new day's reading that failed. */
const READ_AGAIN_MS = 600_000

export class Housekeeping {
  readonly #options: HousekeepingOptions
  readonly #stats: StatsFileWriter | null
  #timer: NodeJS.Timeout | undefined
  #watching: Watching[] = []
  #ticks = 0
  /** Events folded when the stats file was last marked. */
  #seen = 0
  #tickedAt = 0
  #prunedAt = Number.NEGATIVE_INFINITY
  #readAgainAt = Number.NEGATIVE_INFINITY
  /** Why the last backup failed: said once, not every minute. */
  #backupFailure: string | null = null
  #closed = false
  readonly #atExit = () => this.#lastWords()

  constructor(options: HousekeepingOptions) {
    this.#options = options
    const { engine } = options
    const { file } = engine.registry.config
    const path = file === null ? null : statsFileBeside(file)
    if (path !== null) importStats(engine, path)
    this.#stats =
      path === null
        ? null
        : new StatsFileWriter({
            path,
            view: () => statsView(engine),
            now: options.now,
            warn: (line) => engine.logger.warn(line),
          })
  }

  start(): void {
    const { engine, now, factsFile } = this.#options
    this.#tickedAt = now()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
    process.once('exit', this.#atExit)
    const { file, vault } = engine.registry.config
    const files = [file, file === null && !existsSync(vault) ? null : vault, factsFile].filter((one) => one !== null)
    this.#watching = files.map((one) => this.#watch(one))
  }

  #watch(file: string): Watching {
    const { engine, prepare, load, reload } = this.#options
    return watchConfig({
      file,
      prepare,
      load,
      onChange: (config) => {
        reload(config)
        engine.logger.info('the configuration was read again and is in force')
      },
      onInvalid: (error) =>
        engine.logger.error(
          `${error instanceof Error ? error.message : error}; the configuration before it stays in force`,
        ),
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    process.off('exit', this.#atExit)
    for (const watching of this.#watching) watching.close()
    const { learned, store, decisions, monitor, experiments } = this.#options.engine
    // An engine that was only read from has no alerts to send.
    if (this.#timer !== undefined) await monitor.close()
    learned.budgets.close()
    this.#options.engine.faultAttribution.charge()
    decisions.flush()
    await store.flushed()
    learned.save()
    experiments.save(true)
    if (learned.changes !== this.#seen) this.#stats?.changed()
    await this.#stats?.close()
  }

  #tick(): void {
    const { engine, now, reload } = this.#options
    const { learned, probes, lists, offline, store, decisions, monitor, experiments } = engine
    const at = now()
    offline.ticked(this.#tickedAt + TICK_MS, at)
    this.#tickedAt = at
    this.#ticks++
    engine.faultAttribution.tick(at)
    if (this.#ticks % TAKE_OVER_EVERY_TICKS === 0) store.takeOver()
    learned.sync()
    this.#tickBudgets(at)
    learned.router.setPressure(pressures(engine))
    this.#prune(at)
    void probes.due()
    monitor.tick()
    decisions.flush()
    experiments.tick()
    if (hasOlderFacts(engine.registry.config, at)) this.#readAgain(at)
    else if (engine.registry.hasOldPrices(at)) reload(engine.registry.config)
    if (learned.changes !== this.#seen) this.#stats?.changed()
    this.#seen = learned.changes
    if (this.#ticks % SNAPSHOT_EVERY_TICKS === 0) void store.flushed().then(() => this.#save())
    if (this.#ticks % BACKUP_EVERY_TICKS === 0) void this.#backUp(at)
    if (this.#ticks % OTHERS_LISTS_EVERY_TICKS === 0) lists.sync(engine.registry.credentials)
    if (this.#ticks % LISTS_EVERY_TICKS === 0) void lists.refresh(engine.registry.credentials)
  }

  #tickBudgets(at: number): void {
    const { learned, store, logger } = this.#options.engine
    for (const { scope, amount, unit } of learned.budgets.tick(at, store))
      logger.warn(
        `budget ${scope}: ${amountText(unit, amount)} that a killed process had set aside is free again; calls it had in flight may have been billed`,
      )
  }

  /** A new day, on which some facts are no longer current. An unusable edit of the keys file is reported by its watch. */
  #readAgain(at: number): void {
    if (Math.abs(at - this.#readAgainAt) < READ_AGAIN_MS) return
    this.#readAgainAt = at
    try {
      this.#options.reload(this.#options.load())
    } catch {
      // What holds goes on holding, and is tried again.
    }
  }

  /** Deletes what is older than `settings.retention`, except what a budget still counts. */
  #prune(at: number): void {
    if (Math.abs(at - this.#prunedAt) < PRUNE_EVERY_MS) return
    this.#prunedAt = at
    const { learned, store, registry } = this.#options.engine
    const { attemptsDays, hourlyDays } = registry.config.settings.retention
    const { rows, sums } = learned.budgets.needsSince(at)
    store.prune(Math.min(at - attemptsDays * DAY_MS, rows), Math.min(at - hourlyDays * DAY_MS, sums))
  }

  async #backUp(at: number): Promise<void> {
    const { store, registry, logger } = this.#options.engine
    if (store.engine !== 'sqlite') return
    const { keep, everyHours, maxMb } = registry.config.settings.backups
    const rules = { keep, everyMs: everyHours * HOUR_MS, mostBytes: maxMb * 1_048_576 }
    const outcome = await backUpStore(store.location, rules, at)
    const failure = outcome.state === 'failed' ? outcome.reason : null
    if (failure !== null && failure !== this.#backupFailure)
      logger.warn(`no backup of the store was made: ${failure}; see settings.backups`)
    this.#backupFailure = failure
  }

  #save(): void {
    const { learned, experiments } = this.#options.engine
    learned.save()
    experiments.save()
  }

  /** The process ends without `close`: writes what can be written synchronously. */
  #lastWords(): void {
    const { decisions, store } = this.#options.engine
    this.#options.engine.faultAttribution.charge()
    decisions.flush()
    store.flushNow()
  }
}
