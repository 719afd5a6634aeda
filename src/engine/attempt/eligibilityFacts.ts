/** Builds the facts that decide eligibility from a registry: the user's rules, hours, and what a call may consume. */

import type { Target } from '../../domain/target.ts'
import { type PartsNeed, type WorstCase, worstCase } from '../../money/cost.ts'
import type { FreeQuota } from '../../money/freeQuota.ts'
import type { Price } from '../../money/price.ts'
import { worstOfUnits } from '../../money/unitCosts.ts'
import { speaks } from '../../routing/spokenDialect.ts'
import type { LearnedState } from '../memory/learnedState.ts'
import type { HoldNeed, PendingRequest } from '../request/pendingRequest.ts'
import { priceFor } from '../request/unitOperation.ts'
import { hoursOf } from '../targets/hours.ts'
import type { MissingAbilities } from '../targets/missingAbilities.ts'
import { catalogueModel, type TargetRegistry } from '../targets/targetRegistry.ts'
import type { EligibilityFacts } from './eligibility.ts'
import { heldBack } from './heldBack.ts'
import type { LearnedWindows } from './learnedWindows.ts'
import type { ProbeTurns } from './probeTurns.ts'
import { longestAnswer } from './shorterAnswer.ts'

export function eligibilityFactsOf(
  registry: TargetRegistry,
  learned: LearnedState,
  missingAbilities: MissingAbilities,
  turns: ProbeTurns,
  windows: LearnedWindows,
): EligibilityFacts {
  const { settings } = registry.config
  return {
    learned,
    missingAbilities,
    rules: {
      freeOnly: settings.freeOnly,
      privacy: settings.privacy,
      unknownPrice: settings.unknownPrice,
      maxOutputPrice: null,
      qualityFloor: settings.routing.qualityFloor,
      qualityOf: (target) => learned.router.qualityOf(target),
      answeredAt: (target) => learned.tally.row(target.stateId)?.lastSuccess ?? null,
      windowOf: (target) => windows.windowOf(target),
      countFor: (target, inputTokens) => windows.countFor(target, inputTokens),
    },
    heldBack: (target, now) =>
      heldBack(target, { learned, turns, mayAskBeside: settings.routing.probes === 'calls' }, now),
    hours: hoursOf(registry),
    successorOf: (target) =>
      catalogueModel(registry.credentialOf(target).provider.spec, target.model)?.retired?.successor ?? null,
    needOf: (target, pending, now) => {
      const known = pending.holdNeeds.get(target)
      if (known?.at === now) return known
      // Another time may have other prices and other typical answer lengths.
      const need = new TargetNeed({ registry, learned, windows }, target, pending, now)
      pending.holdNeeds.set(target, need)
      return need
    },
  }
}

interface NeedSources {
  readonly registry: TargetRegistry
  readonly learned: LearnedState
  readonly windows: LearnedWindows
}

/** What is asked of every target for every request; what only budgets ask is worked out when they do. */
class TargetNeed implements HoldNeed {
  readonly at: number
  readonly quota: HoldNeed['quota']
  readonly #sources: NeedSources
  readonly #target: Target
  readonly #pending: PendingRequest
  #worstCase: WorstCase | undefined

  constructor(sources: NeedSources, target: Target, pending: PendingRequest, now: number) {
    const { registry, learned } = sources
    const { needs, operation, task } = pending
    this.at = now
    this.#sources = sources
    this.#target = target
    this.#pending = pending
    this.quota = {
      requests: operation?.partsFor(registry.credentialOf(target).connection.spec).length ?? 1,
      inputTokens: needs.inputTokens,
      outputTokens: learned.router.expectedOutputTokens(task, needs.maxOutputTokens),
    }
  }

  get worstCase(): WorstCase {
    this.#worstCase ??= worstOf(this.#sources.windows, this.#price, this.#target, this.#pending, this.at)
    return this.#worstCase
  }

  get free(): HoldNeed['free'] {
    const quota = this.#price?.free?.quota
    return quota && freeNeed(quota, this.worstCase, this.#target)
  }

  get #price(): Price | null {
    return priceFor(this.#pending.operation, this.#sources.registry.priceOf(this.#target))
  }
}

function worstOf(
  windows: LearnedWindows,
  price: Price | null,
  target: Target,
  pending: PendingRequest,
  now: number,
): WorstCase {
  const { operation, needs, answers } = pending
  if (operation?.units !== undefined) return worstOfUnits(operation.units, price, now)
  const cutToTokens = operation === null ? longestAnswer(target, needs.inputTokens, windows) : null
  const need = {
    inputTokens: pending.mostInputTokens,
    maxOutputTokens: needs.maxOutputTokens,
    cutToTokens,
    answers,
    parts: partsFor(target, pending),
  }
  return worstCase(need, price, target.profile, now)
}

/** Tools that run at the provider are told in their own dialect only. */
function partsFor({ profile }: Target, { partsNeed }: PendingRequest): PartsNeed | undefined {
  if (partsNeed?.toolsDialect === undefined || speaks(profile, partsNeed.toolsDialect)) return partsNeed
  return { ...partsNeed, serverTools: undefined }
}

/** Unless something bounds the answer it may fill the context. */
function freeNeed(quota: FreeQuota, worst: WorstCase, { profile }: Target): NonNullable<HoldNeed['free']> {
  const { inputTokens, outputTokens, boundedBy, nanoUsd } = worst
  if (quota.unit === 'requests') return { quota, most: 1 }
  const longest = boundedBy === 'assumption' ? (profile.contextTokens ?? UNKNOWN_CONTEXT) : 0
  const tokens = inputTokens + Math.max(outputTokens, longest)
  if (quota.unit === 'tokens') return { quota, most: tokens }
  // No token of the answer costs more than its share of the worst case.
  return { quota, most: Math.ceil((nanoUsd ?? 0) * (longest > outputTokens ? 1 + longest / outputTokens : 1)) }
}

/** The longest context that is common. */
const UNKNOWN_CONTEXT = 1_048_576
