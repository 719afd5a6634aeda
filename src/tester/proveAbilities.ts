/** Runs the ability exams of a working target in parallel and returns the result of each. */

import type { Target } from '../domain/target.ts'
import {
  type AbilityProof,
  type AbilityProofs,
  claimedAbilities,
  EXAMS,
  gradeAnswer,
  type Provable,
} from './abilities.ts'
import { addCosts, callTarget, type Desk, type TestAnswer } from './callTarget.ts'

export interface Proved {
  readonly abilities: AbilityProofs
  readonly calls: number
  readonly costNanoUsd: number | null
}

export async function proveAbilities(desk: Desk, target: Target, message: string): Promise<Proved> {
  const answers = await Promise.all(
    claimedAbilities(target.profile.abilities).map(async (ability) => {
      const answer = await callTarget(desk, target, EXAMS[ability].request(target.id, message))
      return { ability, answer }
    }),
  )
  const ended = answers.flatMap(({ answer }) => (answer.kind === 'ended' ? [answer] : []))
  return {
    abilities: Object.fromEntries(answers.map(({ ability, answer }) => [ability, proofOf(ability, answer)])),
    calls: ended.reduce((calls, answer) => calls + answer.calls, 0),
    costNanoUsd: ended.reduce<number | null>((cost, answer) => addCosts(cost, answer.costNanoUsd), 0),
  }
}

function proofOf(ability: Provable, answer: TestAnswer): AbilityProof {
  if (answer.kind === 'skipped') return { ok: null, note: answer.reason }
  if (answer.kind === 'interrupted') return { ok: null, note: 'interrupted' }
  const { outcome, firstTokenMs } = answer.end
  if (!outcome.ok) {
    const { kind, message } = outcome.failure
    return { ok: kind === 'unsupported' || kind === 'bad_request' ? false : null, note: `${kind}: ${message}` }
  }
  const proof = gradeAnswer(ability, outcome.response)
  return ability === 'streaming' && firstTokenMs !== null ? { ...proof, firstTokenMs: Math.round(firstTokenMs) } : proof
}
