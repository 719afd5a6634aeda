/** What ticks beside the requests: other processes' events, budgets' signs of life, key checks, the stats file, snapshots. */

import type { Config } from '../config/config.ts'
import { statsFileBeside } from '../config/paths.ts'
import { type Watching, watchConfig } from '../config/watch.ts'
import { StatsFileWriter } from '../store/statsFileWriter.ts'
import type { Engine } from './engine.ts'
import { importStats, statsView } from './statsView.ts'

export interface HousekeepingOptions {
  readonly engine: Engine
  readonly now: () => number
  readonly load: () => Config
  readonly reload: (config: Config) => void
}

const TICK_MS = 1000
const SNAPSHOT_EVERY_TICKS = 30
const LISTS_EVERY_TICKS = 600

export class Housekeeping {
  readonly #options: HousekeepingOptions
  readonly #stats: StatsFileWriter | null
  #timer: NodeJS.Timeout | undefined
  #watch: Watching | null = null
  #ticks = 0
  /** Events folded when the stats file was last marked. */
  #seen = 0
  #tickedAt = 0
  #closed = false
  readonly #atExit = () => this.#lastWords()

  constructor(options: HousekeepingOptions) {
    this.#options = options
    const { engine } = options
    const { file } = engine.roster.config
    const path = file === null ? null : statsFileBeside(file)
    if (path !== null) importStats(engine, path)
    this.#stats =
      path === null
        ? null
        : new StatsFileWriter({
            path,
            view: () => statsView(engine),
            now: options.now,
            warn: (line) => engine.parts.logger.warn(line),
          })
  }

  start(): void {
    const { engine, load, reload, now } = this.#options
    this.#tickedAt = now()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
    process.once('exit', this.#atExit)
    const { file } = engine.roster.config
    if (file === null) return
    this.#watch = watchConfig({
      file,
      load,
      onChange: reload,
      onInvalid: (error) =>
        engine.parts.logger.error(
          `${error instanceof Error ? error.message : error}; the configuration before it stays in force`,
        ),
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    process.off('exit', this.#atExit)
    this.#watch?.close()
    const { mind, store, decisions } = this.#options.engine.parts
    mind.budgets.close()
    decisions.flush()
    await store.flushed()
    mind.save()
    if (mind.changes !== this.#seen) this.#stats?.changed()
    await this.#stats?.close()
  }

  #tick(): void {
    const { engine, now } = this.#options
    const { mind, probes, lists, offline, store, decisions } = engine.parts
    const at = now()
    offline.ticked(this.#tickedAt + TICK_MS, at)
    this.#tickedAt = at
    this.#ticks++
    mind.sync()
    mind.budgets.tick(at)
    void probes.due()
    decisions.flush()
    if (mind.changes !== this.#seen) this.#stats?.changed()
    this.#seen = mind.changes
    if (this.#ticks % SNAPSHOT_EVERY_TICKS === 0) void store.flushed().then(() => mind.save())
    if (this.#ticks % LISTS_EVERY_TICKS === 0) void lists.refresh(engine.roster.seats)
  }

  /** The process ends without `close`: what can be written at once is. */
  #lastWords(): void {
    const { decisions, store } = this.#options.engine.parts
    decisions.flush()
    store.flushNow()
  }
}
