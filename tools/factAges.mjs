// Shipped facts that nobody has confirmed for 90 days; part of `npm run check`. Prices, limits, free tiers,
// retirements, windows and abilities change without notice, so that each carries the day on which its source was read.
// `--warn-old-facts` warns of what is old and fails only for what has no right date; `--list` shows all, oldest first.
import { GENAI_PRICES } from '../src/money/genaiPrices.ts'
import { NEWER_PRICES } from '../src/money/newerPrices.ts'
import { catalog } from '../src/providers/catalog.ts'

const MOST_DAYS = 90
const DAY_MS = 86_400_000

/**
 * @typedef {object} ShippedFact
 * @property {string} file where it stands
 * @property {string} fact what it is about
 * @property {string} checkedAt ISO date; empty when it has none
 * @property {string} source
 */

/**
 * Every dated fact of the providers and of the price list.
 * @param {readonly import('../src/providers/provider.ts').ProviderSpec[]} specs
 * @returns {ShippedFact[]}
 */
export function shippedFacts(specs = catalog) {
  // The list as npm has it, and what its newer edition says otherwise: together they are of that edition's day.
  const list = {
    file: 'src/money/newerPrices.ts',
    fact: `prices of @pydantic/genai-prices ${GENAI_PRICES.version}, as of ${NEWER_PRICES.version}`,
    checkedAt: NEWER_PRICES.date,
  }
  return [
    ...specs.flatMap((spec) => [
      ...limitsOf(spec),
      ...partsOf(spec),
      ...ownDatesOf(spec),
      ...unitPricesOf(spec),
      ...balancesOf(spec),
      ...qualitiesOf(spec),
    ]),
    { ...list, source: 'https://github.com/pydantic/genai-prices' },
  ]
}

const fileOf = ({ id }) => `src/providers/${id}.ts`

/** Limits of one page have one date, so that each date is named once. */
function limitsOf(spec) {
  const pages = new Map(spec.seedLimits.map((limit) => [`${limit.source} ${limit.checkedAt}`, limit]))
  return [...pages.values()].map(({ source, checkedAt }) => ({
    file: fileOf(spec),
    fact: 'seedLimits',
    checkedAt,
    source,
  }))
}

/** What a provider states, and where `checked` says when it was read. */
function partsOf(spec) {
  const retired = spec.models.filter((model) => model.retired || model.retires)
  const states = {
    models: spec.models.some((model) => !model.retired),
    retirements: retired.length > 0 || spec.retired !== undefined,
    families: (spec.families ?? []).length > 0,
    prices: spec.tiers !== undefined || spec.toolPrices !== undefined,
  }
  return Object.entries(states).flatMap(([part, isStated]) => {
    if (!isStated) return []
    const { source = '(none)', checkedAt = '' } = spec.checked?.[part] ?? {}
    return [{ file: fileOf(spec), fact: `checked.${part}`, checkedAt, source }]
  })
}

/** Models that were not read with the others of their provider. */
function ownDatesOf(spec) {
  return spec.models.flatMap(({ id, checked }) => {
    if (checked === undefined) return []
    const { checkedAt, source } = checked
    return [{ file: fileOf(spec), fact: `model ${id}`, checkedAt, source }]
  })
}

/** Prices per search, second or image, each with a day of its own. */
function unitPricesOf(spec) {
  const days = new Set((spec.unitPrices ?? []).map(({ price }) => price.readOn ?? ''))
  const source = 'the page named beside it'
  return [...days].map((checkedAt) => ({ file: fileOf(spec), fact: 'unitPrices', checkedAt, source }))
}

/** Where a provider tells what is left, and in which fields. */
function balancesOf(spec) {
  return (spec.balance ?? []).map(({ path, source = '(none)', checkedAt = '' }) => ({
    file: fileOf(spec),
    fact: `balance of ${path}`,
    checkedAt,
    source,
  }))
}

/** A rank of keywise's own; its date stands in the text that is shown with it. */
function qualitiesOf(spec) {
  const texts = new Set(spec.models.flatMap(({ qualitySource }) => qualitySource ?? []))
  return [...texts].map((text) => ({
    file: 'src/providers/facts.ts',
    fact: `quality of ${spec.id}`,
    checkedAt: /\d{4}-\d\d-\d\d/.exec(text)?.[0] ?? '',
    source: text,
  }))
}

/**
 * What to do about each fact that has no date, one of the future, or one of more than 90 days ago.
 * @param {readonly ShippedFact[]} facts
 * @param {number} now epoch milliseconds
 * @returns {string[]} one sentence each
 */
export function oldFacts(facts, now) {
  return facts.flatMap((fact) => problemOf(fact, now)?.says ?? [])
}

/** @returns {{ says: string, isOld: boolean } | undefined} old: the day was right once, and only time went by */
function problemOf({ file, fact, checkedAt, source }, now) {
  const at = Date.parse(`${checkedAt}T00:00:00Z`)
  // Of a day that no month has, and of other forms, node makes another day or none.
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(checkedAt))
    return { says: `${file}: ${fact} has no date; say where and when it was read`, isOld: false }
  const days = Math.floor((now - at) / DAY_MS)
  if (days < -1) return { says: `${file}: ${fact} is dated in the future (${checkedAt})`, isOld: false }
  if (days <= MOST_DAYS) return undefined
  return { says: `${file}: ${fact} was read on ${checkedAt}, ${days} days ago, from ${source}`, isOld: true }
}

const RENEW = `Read each source again. If it still says the same, set the date; if not, correct the fact; if nobody says it
any more, take it out: keywise learns limits, windows and abilities by itself. The price list is renewed with
"npm install @pydantic/genai-prices@latest" and its new date in src/money/genaiPrices.ts; what its Python edition, which
is often newer, says otherwise stands in src/money/newerPrices.ts.`

/**
 * What the check prints, and whether it fails. A commit that nobody touched must not turn red by the calendar, so that
 * continuous integration asks for a warning of facts that have only become old; a release is refused all the same.
 * @param {readonly ShippedFact[]} facts
 * @param {number} now epoch milliseconds
 * @param {{ mayBeOld?: boolean }} [options]
 * @returns {{ lines: string[], fails: boolean }}
 */
export function ageReport(facts, now, { mayBeOld = false } = {}) {
  const problems = facts.flatMap((fact) => problemOf(fact, now) ?? [])
  if (problems.length === 0) return { lines: [], fails: false }
  const fails = problems.some(({ isOld }) => !isOld || !mayBeOld)
  const sum = `${problems.length} shipped ${problems.length === 1 ? 'fact has' : 'facts have'} no right date, or one of more than ${MOST_DAYS} days ago.`
  const warning = 'warning: this passes here, and the next release is refused until they are renewed.'
  return { lines: [...problems.map(({ says }) => says), '', sum, RENEW, ...(fails ? [] : [warning])], fails }
}

if (import.meta.main) {
  const facts = shippedFacts()
  const { lines, fails } = ageReport(facts, Date.now(), { mayBeOld: process.argv.includes('--warn-old-facts') })
  for (const line of lines) console.error(line)
  if (fails) process.exitCode = 1
  if (process.argv.includes('--list'))
    for (const { checkedAt, file, fact, source } of facts.sort((a, b) => a.checkedAt.localeCompare(b.checkedAt)))
      console.log([checkedAt, file, fact, source].join('  '))
}
