/** The scores before and after a call, for the log lines that say how they moved. Computed only when logged. */

import type { AttemptReport } from '../domain/attempt.ts'
import { silentLogger } from '../domain/logger.ts'
import type { Target } from '../domain/target.ts'
import type { Engine } from '../engine/engine.ts'
import type { ScoreMove } from '../observe/callLog.ts'

/** Where scores are read from, and where they are logged. */
type Watched = Pick<Engine, 'now' | 'registry' | 'learned' | 'logger'>

interface Before {
  readonly scores: ReadonlyMap<string, number>
  scoreOf(targetId: string): number
}

export class ScoreBoard {
  readonly #engine: Watched

  constructor(engine: Watched) {
    this.#engine = engine
  }

  /** The current scores; null when their moves are not logged. */
  before(): Before | null {
    if (this.#engine.logger === silentLogger || !this.#engine.registry.config.settings.log.calls) return null
    const scores = new Map(this.#engine.registry.targets.map((target) => [target.id, this.scoreOf(target)]))
    return { scores, scoreOf: (id) => scores.get(id) ?? 0 }
  }

  scoreOf(target: Target): number {
    return this.#engine.learned.router.scoreOf(target, this.#engine.now)?.score ?? 0
  }

  /** How the scores of the called targets moved: the largest move per provider. */
  moves(before: Before, attempts: readonly AttemptReport[]): readonly ScoreMove[] {
    const moves = new Map<string, ScoreMove>()
    for (const attempt of attempts) {
      const target = this.#engine.registry.targets.find((one) => one.id === attempt.target)
      if (target === undefined) continue
      const move = {
        provider: target.provider,
        before: before.scoreOf(target.id),
        after: this.scoreOf(target),
        reason: attempt.ok ? 'proved reliable' : 'reliability down',
      }
      const known = moves.get(target.provider)
      if (known === undefined || Math.abs(move.after - move.before) > Math.abs(known.after - known.before))
        moves.set(target.provider, move)
    }
    return [...moves.values()]
  }
}
