/** What decides about eligibility, made from a roster: the user's rules, hours, and what a call may need. */

import type { Target } from '../../domain/target.ts'
import { worstCase } from '../../money/cost.ts'
import type { LearnedState } from '../memory/learnedState.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import { hoursOf } from '../targets/hours.ts'
import type { Shortcomings } from '../targets/missingAbilities.ts'
import { catalogueModel, type Roster } from '../targets/targetRegistry.ts'
import type { World } from './eligibility.ts'
import type { HoldNeed } from './reservation.ts'

export function worldOf(roster: Roster, learned: LearnedState, shortcomings: Shortcomings): World {
  const { settings } = roster.config
  return {
    learned,
    shortcomings,
    rules: {
      freeOnly: settings.freeOnly,
      privacy: settings.privacy,
      unknownPrice: settings.unknownPrice,
      maxOutputPrice: null,
      qualityFloor: settings.routing.qualityFloor,
      qualityOf: (target) => learned.router.qualityOf(target),
    },
    hours: hoursOf(roster),
    successorOf: (target) =>
      catalogueModel(roster.credentialOf(target).provider.spec, target.model)?.retired?.successor ?? null,
    needOf: (target, pending, now) => needOf(roster, learned, target, pending, now),
  }
}

function needOf(roster: Roster, learned: LearnedState, target: Target, pending: PendingRequest, now: number): HoldNeed {
  const { inputTokens, maxOutputTokens } = pending.needs
  return {
    quota: {
      requests: 1,
      inputTokens,
      outputTokens: learned.router.expectedOutputTokens(pending.task, maxOutputTokens),
    },
    worstCase: worstCase(
      { inputTokens: pending.mostInputTokens, maxOutputTokens, answers: pending.answers },
      roster.priceOf(target),
      target.profile,
      now,
    ),
  }
}
