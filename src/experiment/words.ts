/** Differences, means and counts of experiments in words, with their units and as many digits as they are worth. */

import type { Interval } from './comparison.ts'
import type { CountReport } from './evidence.ts'
import type { Metric } from './metric.ts'

/** Units of a difference and of a mean. */
type Shown = Pick<Metric, 'name' | 'scale'>

/** A difference of which both ends are above 0, towards the better one: `6 to 14 % cheaper`. `mean`: of the other. */
export function betterBy(metric: Shown, { low, high }: Interval, mean: number): string {
  if (metric.scale === 'log')
    return `${percents(fasterBy(low), fasterBy(high))} ${metric.name === 'latency' ? 'faster' : 'less'}`
  if (metric.scale === 'share') return `${percents(low / mean, Math.min(1, high / mean))} cheaper`
  return `better by ${amounts(metric, low, high)} in ${metric.name}`
}

/** Logarithms: exp(-x) of the time remains. */
const fasterBy = (log: number) => 1 - Math.exp(-log)

/** `$0.000396 against $0.000440 a request`. */
export function meansText(metric: Shown, one: number, other: number): string {
  const of = metric.name === 'cost' ? ' a request' : metric.name === 'quality' ? ' points' : ''
  return `${meanText(metric, one)} against ${meanText(metric, other)}${of}`
}

/** One mean with its unit. */
export function meanText({ name }: Pick<Metric, 'name'>, mean: number): string {
  if (name === 'cost') return `$${significant(mean)}`
  if (name === 'latency') return mean < 1_000 ? `${significant(mean)} ms` : `${significant(mean / 1_000)} s`
  return name === 'success' ? `${percentText(mean)}` : significant(mean)
}

/** The smallest difference that matters, in the unit of the differences. */
export function effectText({ name, scale, minimumEffect }: Shown & Pick<Metric, 'minimumEffect'>): string {
  if (scale !== 'plain') return `${trimmed(minimumEffect * 100, 3)} %`
  if (name === 'success') return `${trimmed(minimumEffect * 100, 3)} percentage points`
  return `${trimmed(minimumEffect, 3)}${name === 'quality' ? ' points' : ''}`
}

/** An interval of a difference as it is, for people who look closer: `between -0.012 and 0.034 points`. */
export function intervalText({ name, scale }: Shown, { low, high }: Interval): string {
  const between = (a: string, b: string, unit: string) => `between ${a} and ${b}${unit}`
  if (scale === 'log') return between(signed(Math.expm1(low) * 100), signed(Math.expm1(high) * 100), ' %')
  if (name === 'cost') return between(dollars(low), dollars(high), ' a request')
  if (name === 'success') return between(signed(low * 100), signed(high * 100), ' percentage points')
  return between(signed(low), signed(high), name === 'quality' ? ' points' : '')
}

/** `assigned 512 and 488 of shares 50 %/50 %; reported 300 and 120`. */
export function countsText({ shares, assigned, reported, leftOut }: CountReport): string {
  const parts = `of shares ${shares.map((share) => `${trimmed(share * 100, 3)} %`).join('/')}`
  const counted =
    assigned === null
      ? `reported ${enumerated(reported)} ${parts}`
      : `assigned ${enumerated(assigned)} ${parts}; reported ${enumerated(reported)}`
  return leftOut === 0 ? counted : `${counted}; ${leftOut} units of an outage are left out`
}

/** What does not fit, and where to look. */
export function mismatchText(
  { metric, shares, assigned, reported, mismatch }: CountReport,
  names: readonly string[],
): string {
  const wanted = shares.map((share) => `${trimmed(share * 100, 3)} %`).join('/')
  if (mismatch === 'assigned')
    return `no verdict: ${enumerated(assigned ?? reported)} units of ${enumerated(names)} do not fit their shares of ${wanted}; look for requests of one variant that are lost, repeated or filtered (an error, a cache, a robot, a model that nobody has)`
  if (assigned === null)
    return `no verdict: ${enumerated(reported)} values of ${enumerated(names)} do not fit their shares of ${wanted}; ${blindness(metric)}`
  const rates = assigned.map((count, index) => (count === 0 ? 0 : (reported[index] ?? 0) / count))
  const least = rates.indexOf(Math.min(...rates))
  const most = rates.indexOf(Math.max(...rates))
  return `no verdict: ${names[least]} ${reportedWord(metric)} less often than ${names[most]}: ${percentText(rates[least] ?? 0)} against ${percentText(rates[most] ?? 0)} of its units; ${blindness(metric)}`
}

function reportedWord(metric: string): string {
  return metric === 'quality' ? 'is rated' : metric === 'success' ? 'has a known end' : `has a value of ${metric}`
}

function blindness(metric: string): string {
  const what = metric === 'quality' ? 'rates' : 'reports'
  const look =
    metric === 'latency' || metric === 'cost'
      ? 'only answered requests have one: see which variant fails more, or whose callers leave'
      : 'look whether one of them fails, is slow, or is asked for its values in another way'
  return `a difference in who ${what} can look like a difference in ${metric}; ${look}`
}

export function enumerated(values: readonly (number | string)[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} and ${values.at(-1)}`
}

/** `6 to 14 %`, of shares of 1. */
function percents(low: number, high: number): string {
  const digits = high < 0.1 ? 1 : 0
  const [a, b] = [low, high].map((share) => Number((share * 100).toFixed(digits)))
  if (a === b) return `${b} %`
  return a === 0 ? `up to ${b} %` : `${a} to ${b} %`
}

/** `0.042 to 0.105`, both with the digits that the larger one is worth. */
function amounts({ name }: Shown, low: number, high: number): string {
  const factor = name === 'success' ? 100 : 1
  const decimals = decimalsOf(high * factor, name === 'success' ? 2 : 3)
  const [a, b] = [low, high].map((value) => fixed(value * factor, decimals))
  const unit = name === 'success' ? ' percentage points' : ''
  if (a === b) return `${b}${unit}`
  return Number(a) === 0 ? `up to ${b}${unit}` : `${a} to ${b}${unit}`
}

function percentText(share: number): string {
  return `${trimmed(share * 100, share > 0.99 && share < 1 ? 4 : 3)} %`
}

/** Three significant digits, never with an exponent. */
function significant(value: number): string {
  return fixed(value, decimalsOf(value, 3))
}

/** The same without zeros at its end. */
function trimmed(value: number, digits: number): string {
  const text = fixed(value, decimalsOf(value, digits))
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

const signed = (value: number) => trimmed(value, 3)
const dollars = (value: number) => `${value < 0 ? '-' : ''}$${significant(Math.abs(value))}`

function decimalsOf(value: number, digits: number): number {
  if (value === 0 || !Number.isFinite(value)) return 0
  return Math.min(20, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value)) + 1e-9)))
}

/** Large numbers to three significant digits, with commas. */
function fixed(value: number, decimals: number): string {
  if (Math.abs(value) < 1_000) return value.toFixed(decimals)
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 0 })
}
