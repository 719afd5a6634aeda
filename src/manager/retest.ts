/**
 * A person's "try it again": lifts parks and asks the providers about the keys. `keys retest`, `POST
 * /api/targets/retest`.
 */

import { InvalidRequestError } from '../domain/errors.ts'
import { FAILURE_KINDS } from '../domain/failure.ts'
import { nearest } from '../domain/nearest.ts'
import { present } from '../domain/present.ts'
import { ABILITIES, type Target } from '../domain/target.ts'
import type { Engine } from '../engine/engine.ts'
import { refOf } from '../engine/record.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import type { KeyCheckResult } from '../upstream/discovery/discover.ts'
import { type KeyRow, keyRow } from '../views/keys.ts'

export interface Retested {
  readonly generatedAt: string
  /** How many targets were parked, or held to lack an ability, before and are not any more. */
  readonly lifted: number
  /** The keys concerned as they are now, after their check. */
  readonly keys: readonly (KeyRow & { readonly check: KeyCheckResult['state']; readonly message: string | null })[]
}

/**
 * Lifts the parks, and forgets the missing abilities, of what `wanted` names (a target id, `provider/model`,
 * `provider#2`, `provider`; null: everything), after the keys were checked: one that is refused again stays out. Throws
 * InvalidRequestError for an unknown name.
 */
export async function retest(engine: Engine, wanted: string | null): Promise<Retested> {
  const targets = targetsNamed(engine, wanted)
  // A key whose models nobody knows yet has no target and is checked all the same.
  const credentials =
    wanted === null
      ? engine.registry.credentials
      : [...new Set(targets.map((one) => engine.registry.credentialOf(one)))]
  const checks = await Promise.all(credentials.map((credential) => engine.checks.checkNow(credential)))
  const parked = targets.filter((target) => isOut(engine, target))
  const refused = new Set(credentials.filter((_, index) => isRefused(checks[index])))
  lift(engine, wanted === null ? null : targets, refused)
  engine.missingAbilities.retest(wanted === null ? null : targets)
  engine.requestFixes.retest(wanted === null ? null : targets)
  engine.windows.retest(wanted === null ? null : targets)
  const now = engine.now
  return {
    generatedAt: new Date(now).toISOString(),
    lifted: parked.filter((target) => !isOut(engine, target)).length,
    keys: credentials.map((credential, index) => {
      const check = present(checks[index])
      const message = check.state === 'refused' ? check.failure.message : null
      return { ...keyRow(engine, credential, now), check: check.state, message }
    }),
  }
}

function targetsNamed({ registry }: Engine, wanted: string | null): readonly Target[] {
  if (wanted === null) return registry.targets
  const namesOf = ({ id, provider, model, keyIndex }: Target) => [
    id,
    `${provider}/${model}`,
    `${provider}#${keyIndex}`,
    provider,
  ]
  const found = registry.targets.filter((target) => namesOf(target).includes(wanted))
  if (found.length > 0) return found
  const near = nearest(wanted, [...new Set(registry.targets.flatMap(namesOf))])
  throw new InvalidRequestError(
    `no target "${wanted.slice(0, 200)}"${near.length > 0 ? `; nearest: ${near.join(', ')}` : ''}; "keywise status" lists them`,
    { parameter: 'target' },
  )
}

const isRefused = (check: KeyCheckResult | undefined) =>
  check?.state === 'refused' && check.failure.kind === 'auth_invalid'

const isOut = ({ learned, missingAbilities, now }: Engine, target: Target) =>
  learned.parks.blocking(target, now) !== undefined || missingAbilities.missing(target, ABILITIES) !== undefined

/** Everything but the refusal of keys that were refused again a moment ago. */
const ALL_BUT_REFUSALS = FAILURE_KINDS.filter((kind) => kind !== 'auth_invalid')

/** `targets` null: all. One event does for everything when no key is refused. */
function lift(engine: Engine, targets: readonly Target[] | null, refused: ReadonlySet<Credential>): void {
  const { learned, store } = engine
  const remember = (target: Target | null, only?: typeof ALL_BUT_REFUSALS) =>
    learned.record({
      kind: 'lift',
      at: engine.now,
      origin: store.origin,
      id: learned.eventId(),
      target: target === null ? null : refOf(target),
      ...(only !== undefined && { only }),
    })
  const everything = targets === null && refused.size === 0
  for (const target of everything ? [null] : (targets ?? engine.registry.targets)) {
    const isRefused = target !== null && refused.has(engine.registry.credentialOf(target))
    remember(target, isRefused ? ALL_BUT_REFUSALS : undefined)
  }
}
