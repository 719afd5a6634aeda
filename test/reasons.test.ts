/**
 * The cause that `why` names is recomputed here from its JSON alone, by a second reading of the rules in
 * `src/routing/cause.ts`, over ten thousand random decisions.
 */

import { expect, test } from 'vitest'
import { Dice } from '../src/domain/random.ts'
import type { Target } from '../src/domain/target.ts'
import { type DecisionRow, decisionRow } from '../src/engine/decisionLog.ts'
import { CAUSE_KINDS, type DecisionBasis, type DecisionCause } from '../src/routing/cause.ts'
import { Router, type RoutingRequest } from '../src/routing/choose.ts'
import type { Ineligible } from '../src/routing/eligible.ts'
import { CURIOSITY, ROUTING, STRATEGIES } from '../src/routing/settings.ts'
import { makeFailure, makeQuality, makeSuccess, makeTarget } from './support/makeEvents.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const TIE = 1e-9

/** What `why --request ID --json` shows of a decision. */
interface Shown {
  readonly chosen: string | null
  readonly cause: DecisionCause
  readonly basis: DecisionBasis
  readonly ranking: readonly DecisionRow[]
}

const maxBy = (rows: readonly DecisionRow[], keyOf: (row: DecisionRow) => number) =>
  [...rows].sort((a, b) => {
    const lead = keyOf(b) - keyOf(a)
    if (Math.abs(lead) > TIE) return lead
    return b.weight - a.weight || (a.target < b.target ? -1 : 1)
  })[0]

const modelOf = ({ target }: DecisionRow) => target.replace(/#\d+$/, '')

/** The cause by the rules: what stands as chosen after each step, and the last step that changed it. */
function recompute(
  { basis, cause, chosen, ranking }: Shown,
  draws: boolean,
): {
  readonly kind: string
  readonly instead: string | null
} {
  const rows = ranking.filter(({ eligible }) => eligible)
  if (rows.length === 0) return { kind: 'none', instead: null }
  if (rows.length === 1) return { kind: 'only', instead: null }
  const isLearned = basis.strategy === 'learned'
  const bare = (row: DecisionRow) => row.key + (isLearned ? row.pressure : 0)
  const group = Math.min(...rows.map((row) => row.group))
  const inGroup = rows.filter((row) => row.group === group)
  const standing: [string, DecisionRow][] = []
  const stands = (step: string, row: DecisionRow | undefined) => void (row && standing.push([step, row]))
  stands('best', maxBy(rows, bare))
  stands('order', maxBy(inGroup, bare))
  stands(
    'pressure',
    maxBy(inGroup, (row) => row.key),
  )
  const best = standing.at(-1)![1]
  const isPull = cause.kind === 'new'
  // Its saved try was spent before a new target took, or left, its place.
  const isOfNew = isPull || cause.kind === 'proven'
  let isExploring = false
  if (draws) {
    const drawn = inGroup.reduce((lucky, row) => (row.drawn! > lucky.drawn! ? row : lucky))
    const isKept = drawn !== best && drawn.untried && !best.untried
    isExploring = !isKept && best.value - drawn.value > basis.drawMargin && (basis.tokens >= 1 || isOfNew)
    if (isExploring) stands('exploration', drawn)
    else if (!isKept && best.value - drawn.value <= basis.drawMargin) stands('draw', drawn)
  }
  if (!isExploring) {
    if (isLearned && basis.costMargin > 0) stands('cost', cheapest(inGroup, best, standing.at(-1)![1], basis))
    if (isLearned || basis.strategy === 'score') stands('load', lightest(inGroup, standing.at(-1)![1], basis))
  }
  // Whose turn a free try is the router counts; what it may choose is seen here.
  const taken = rows.find(({ target }) => target === chosen)
  if (isPull && taken?.untried && cause.pull! <= cause.pulls!) stands('new', taken)
  if (cause.kind === 'proven' && taken?.untried === false && standing.at(-1)![1].untried) stands('proven', taken)
  const home = rows.find(({ target }) => target === basis.session)
  if (!isExploring && home !== undefined && home.terms.reliability >= 0.5) stands('session', home)
  if (standing.at(-1)![1].target !== chosen) return { kind: `ends at ${standing.at(-1)![1].target}`, instead: chosen }
  for (let at = standing.length - 1; at > 0; at--) {
    const [before, after] = [standing[at - 1]![1], standing[at]![1]]
    if (before !== after) return { kind: standing[at]![0], instead: before.target }
  }
  const next = maxBy(
    inGroup.filter((row) => row !== best),
    (row) => row.key,
  )
  return { kind: firstKind(basis, best, next), instead: next?.target ?? null }
}

function firstKind({ strategy }: DecisionBasis, best: DecisionRow, next: DecisionRow | undefined): string {
  if (strategy === 'priority') return 'priority'
  if (strategy === 'round-robin') return 'turn'
  if (next === undefined || best.key - next.key > TIE) return 'best'
  return best.weight > next.weight ? 'weight' : 'name'
}

function cheapest(
  rows: readonly DecisionRow[],
  best: DecisionRow,
  preferred: DecisionRow,
  { costMargin }: DecisionBasis,
) {
  const cost = (row: DecisionRow) => row.costUsd ?? Number.POSITIVE_INFINITY
  const near = rows.filter(
    (row) => row === preferred || ((best.untried || !row.untried) && row.value >= best.value - costMargin),
  )
  const least = Math.min(...near.map(cost))
  if (!(least < cost(preferred) * (1 - TIE))) return preferred
  return maxBy(
    near.filter((row) => cost(row) <= least * (1 + TIE)),
    (row) => row.value,
  )
}

function lightest(rows: readonly DecisionRow[], from: DecisionRow, { costMargin }: DecisionBasis) {
  const keys = rows.filter((row) => modelOf(row) === modelOf(from))
  if (from.calls === null || keys.length < 2) return from
  const floor = from.value - Math.max(costMargin, TIE)
  const load = (row: DecisionRow) => row.calls! / row.weight
  const fit = keys.filter(
    (row) => row === from || ((!row.untried || from.untried) && (row.isNew || row.hoped >= floor)),
  )
  const least = Math.min(...fit.map(load))
  if (load(from) === least && !fit.some((row) => load(row) === least && row.weight > from.weight)) return from
  return maxBy(
    fit.filter((row) => load(row) === least),
    (row) => row.weight,
  )
}

/** The numbers of a sentence that its JSON must have. */
function numbersMissing({ cause, basis, chosen, ranking }: Shown): readonly string[] {
  const text = [chosen, cause.instead].reduce<string>(
    (rest, id) => (id === null ? rest : rest.replaceAll(id, '')),
    cause.text,
  )
  const rows = ranking.filter(({ target }) => target === chosen || target === cause.instead)
  const known = [
    ...rows.flatMap(({ value, key, pressure, drawn, costUsd, calls, weight }) => [
      value,
      key,
      pressure,
      drawn,
      costUsd,
      calls,
      weight,
    ]),
    ...[basis.costMargin, basis.drawMargin, basis.tokens, cause.pull, cause.pulls, 1],
  ].filter((number) => number !== null)
  return [...text.matchAll(/-?\d*\.?\d+(?:e-\d+)?/g)]
    .map(([number]) => number)
    .filter((number) => {
      const half = 0.5001 * 10 ** -(number.split('.')[1]?.length ?? 0)
      return !known.some((one) => Math.abs(one - Number(number)) <= Math.max(half, Math.abs(one) * 0.006))
    })
}

/** What is wrong with the reasons shown; null when nothing is. */
function wrongIn(shown: Shown): string | null {
  const { basis, cause, chosen, ranking } = shown
  // A free try comes in the place of what is known to be best, or of what the draws made of it.
  const found = (cause.kind === 'new' ? [false, basis.draws] : [basis.draws]).map((draws) => recompute(shown, draws))
  if (!found.some(({ kind, instead }) => kind === cause.kind && instead === cause.instead))
    return `the cause is ${JSON.stringify(found)}`
  const [missing] = numbersMissing(shown)
  if (missing !== undefined) return `the JSON has no ${missing}`
  const row = ranking.find(({ target }) => target === chosen)
  if (row !== undefined && row.reason !== cause.text) return 'the row of the chosen target says something else'
  const silent = ranking.find((one) => row && one.eligible && one.value > row.value + TIE && one.reason === null)
  if (silent !== undefined) return `nothing says why ${silent.target} was passed over`
  const vague = ranking.find(({ reason }) => reason !== null && / or |might be one/.test(reason))
  return vague === undefined ? null : `${vague.target} has a list of reasons`
}

const PARKED: Ineligible = { code: 'parked', reason: 'parked', until: NOW + 60_000 }
const UNASKED: Ineligible = { code: 'model', reason: 'only m0 was asked for', until: null }

/** A router with a random pool, of which it has learned something. */
function randomWorld(dice: Dice) {
  const below = (most: number) => Math.floor(dice.uniform() * most)
  const oneOf = <T>(values: readonly T[]) => values[below(values.length)]!
  const chance = (share: number) => dice.uniform() < share
  const targets: Target[] = []
  const size = 1 + below(12)
  // Of a fresh pool all look the same.
  const isFresh = chance(0.15)
  while (targets.length < size) {
    const provider = `p${below(4)}`
    const model = `m${below(4)}`
    const isAlike = isFresh || chance(0.2)
    const keys = chance(0.4) ? 1 + below(3) : 1
    const price = oneOf([null, { input: 1, output: 2 }, { input: below(9), output: below(20) }])
    for (let key = 0; key < keys; key++) {
      const keyIndex = targets.filter((one) => one.provider === provider && one.model === model).length + 1
      const profile = {
        price,
        weight: chance(0.8) ? 1 : 1 + below(3),
        qualityPrior: isAlike ? 0.8 : 0.7 + below(30) / 100,
      }
      targets.push(makeTarget({ provider, model, keyIndex, profile }))
    }
  }
  const settings = {
    ...ROUTING,
    strategy: chance(0.6) ? ('learned' as const) : oneOf(STRATEGIES),
    costMargin: oneOf([0, 0.02, 0.02, 0.05]),
    exploration: oneOf([0, 0.02, 0.5]),
    curiosity: { ...CURIOSITY, width: oneOf([0.5, 1]) },
  }
  const router = new Router({ settings, random: () => dice.uniform() })
  router.setTargets(targets)
  for (const target of targets) {
    if (isFresh || chance(0.2)) continue
    const [latencyMs, failing, count] = [200 + below(3000), oneOf([0, 0, 0.1, 0.6]), below(40)]
    for (let call = 0; call < count; call++) {
      const at = NOW - 3_600_000 + call * 60_000
      router.fold(
        chance(failing) ? makeFailure(target, at) : makeSuccess(target, at, { latencyMs: latencyMs + below(300) }),
      )
      if (chance(0.1)) router.fold(makeQuality(target, at, below(11) / 10))
    }
  }
  if (chance(0.3)) router.setPressure(new Map([0, 1, 2].map((number) => [`p${number}`, oneOf([0, 0.02, 0.2])])))
  const request = (number: number): RoutingRequest => {
    const out = new Map(targets.filter(() => chance(0.15)).map((target) => [target.stateId, oneOf([PARKED, UNASKED])]))
    const calls = new Map(targets.map((target) => [target.stateId, below(5)]))
    const shuffled = [...targets].sort(() => dice.uniform() - 0.5)
    const split = below(targets.length)
    const ids = shuffled.map(({ stateId }) => stateId)
    return {
      id: `r${number}`,
      profile: oneOf(['balanced', 'fast', 'cheap', 'smart'] as const),
      task: null,
      stream: chance(0.5),
      inputTokens: below(4000),
      expectedOutputTokens: oneOf([null, 10, 500]),
      session: { stateId: chance(0.3) ? oneOf(targets).stateId : null },
      firstTurn: chance(0.8),
      mayExplore: chance(0.9),
      mustNotFail: chance(0.1),
      ...(chance(0.3) && { order: ids }),
      groups: chance(0.3) ? [new Set(ids.slice(0, split)), new Set(ids.slice(split))] : null,
      ineligible: ({ stateId }) => out.get(stateId) ?? null,
      ...(chance(0.8) && { load: ({ stateId }: Target) => calls.get(stateId) ?? 0 }),
    }
  }
  return { router, request }
}

/** What `why --json` shows of the present, as a reader gets it. */
function shownNow(router: Router, request: RoutingRequest, now: number): Shown {
  const { first, cause, basis } = router.favourite(request, now)
  const ranking = router.rank(request, now).map((row) => ({
    ...row,
    target: row.target.id,
    reason: row.target === first ? cause.text : row.reason,
  }))
  return JSON.parse(JSON.stringify({ chosen: first?.id ?? null, cause, basis, ranking }))
}

test('the cause of ten thousand random decisions is what their JSON gives, and every sentence has its numbers', () => {
  const dice = new Dice(15)
  const seen = new Map<string, number>()
  for (let number = 0; number < 10_000; ) {
    const { router, request } = randomWorld(dice)
    for (let turn = 0; turn < 20; turn++, number++) {
      const decision = router.decide(request(number), NOW + turn * 1000)
      decision.note()
      const { cause, basis, ranking } = decision.preview(100)
      const chosen = decision.first?.id ?? null
      // As a reader gets it.
      const shown: Shown = JSON.parse(JSON.stringify({ chosen, cause, basis, ranking: ranking.map(decisionRow) }))
      const wrong = wrongIn(shown)
      if (wrong !== null) expect.unreachable(`${wrong}: ${JSON.stringify(shown, null, 1)}`)
      seen.set(cause.kind, (seen.get(cause.kind) ?? 0) + 1)
      if (turn % 5 > 0) continue
      const present = shownNow(router, request(number), NOW + turn * 1000)
      const untrue = wrongIn(present)
      if (untrue !== null) expect.unreachable(`now: ${untrue}: ${JSON.stringify(present, null, 1)}`)
    }
  }
  // No router makes a comeback: the engine does.
  expect([...seen.keys()].sort()).toEqual(CAUSE_KINDS.filter((kind) => kind !== 'comeback').sort())
})
