/** The experiments that `npm run bench -- experiments` simulates and `docs/experiments.md` lists. */

import { type Dice, type ExperimentCase, normal } from './experimentCases.ts'

const flip = (rate: number, dice: Dice) => (dice() < rate ? 1 : 0)
const unit = (value: number) => Math.min(1, Math.max(0, value))

const jump = (before: number, after: number, at: number, units: number): ExperimentCase => ({
  name: `a jump of the level from ${before} to ${after} at unit ${at}`,
  units,
  draw: (_variant, index, dice) => flip(index < at ? before : after, dice),
})
/** The level falls while the second variant is rated less often. */
const rated = (rate: number): ExperimentCase => ({
  ...jump(0.9, 0.5, 1_200, 3_000),
  name: `the second rated ${Math.round(rate * 100)} % as often, with a jump from 0.9 to 0.5`,
  reports: (variant) => (variant === 1 ? rate : 1),
})
const slowWave = (index: number) => 0.3 * Math.sin(index / 400)
const hits = { name: 'hits', minimum_effect: 0.5 }
const sums = { name: 'sums', minimum_effect: 1 }

/** Nothing differs: whatever is called different is a false decision. */
export const EQUAL_CASES: readonly ExperimentCase[] = [
  { name: 'rates of 0.75', units: 4_000, draw: (_variant, _index, dice) => flip(0.75, dice) },
  { name: 'scores, spread 0.2', units: 1_000, draw: (_variant, _index, dice) => unit(0.5 + 0.2 * normal(dice)) },
  jump(0.9, 0.7, 750, 3_000),
  jump(0.9, 0.7, 1_000, 3_000),
  jump(0.9, 0.5, 1_200, 3_000),
  jump(0.95, 0.6, 450, 3_000),
  jump(0.5, 0.9, 1_200, 3_000),
  {
    name: 'a wave of the level, 0.3 to 0.9, every 377 units',
    units: 4_000,
    draw: (_variant, index, dice) => flip(0.6 + 0.3 * Math.sin(index / 60), dice),
  },
  {
    name: 'a drift of the level from 0.3 to 0.8',
    units: 4_000,
    draw: (_variant, index, dice) => flip(0.3 + index / 8_000, dice),
  },
  rated(0.6),
  rated(0.4),
  rated(0.25),
  { ...jump(0.9, 0.5, 8_000, 16_000), name: 'both rated 20 % of the time, with a jump', reports: () => 0.2 },
  {
    name: 'the second reported 300 units later, under a slow wave',
    units: 4_000,
    draw: (_variant, index, dice) => unit(0.5 + slowWave(index) + 0.1 * normal(dice)),
    late: (variant) => (variant === 1 ? 300 : 0),
  },
  {
    name: 'the second reported 0 to 600 units later, rates under a slow wave',
    units: 4_000,
    draw: (_variant, index, dice) => flip(0.6 + slowWave(index), dice),
    late: (variant, dice) => (variant === 1 ? Math.floor(600 * dice()) : 0),
  },
  {
    name: 'bad answers of both rated half as often',
    units: 4_000,
    draw: (_variant, _index, dice) => flip(0.75, dice),
    reports: (_variant, value) => (value === 1 ? 1 : 0.5),
  },
  {
    name: 'bad answers of the second not rated',
    units: 4_000,
    draw: (_variant, _index, dice) => flip(0.75, dice),
    reports: (variant, value) => (variant === 1 && value === 0 ? 0 : 1),
  },
  {
    name: 'four variants',
    units: 6_000,
    shares: [0.25, 0.25, 0.25, 0.25],
    draw: (_variant, _index, dice) => flip(0.75, dice),
  },
  {
    name: 'shares of 95 % and 5 %',
    units: 8_000,
    shares: [0.95, 0.05],
    draw: (_variant, _index, dice) => flip(0.75, dice),
  },
  {
    name: 'shares of 5 % and 95 %, with a wave',
    units: 8_000,
    shares: [0.05, 0.95],
    draw: (_variant, index, dice) => flip(0.6 + 0.3 * Math.sin(index / 900), dice),
  },
  { name: 'a success in 100', units: 6_000, draw: (_variant, _index, dice) => flip(0.01, dice) },
  {
    name: 'a success in 200, shares of 80 % and 20 %',
    units: 6_000,
    shares: [0.8, 0.2],
    draw: (_variant, _index, dice) => flip(0.005, dice),
  },
  {
    name: 'log-normal values, sigma 2',
    units: 2_000,
    metric: sums,
    draw: (_variant, _index, dice) => Math.exp(2 * normal(dice)),
  },
  {
    name: 'Pareto values, exponent 1.5',
    units: 2_000,
    metric: sums,
    draw: (_variant, _index, dice) => (1 - dice()) ** (-1 / 1.5),
  },
  {
    name: 'Pareto values, exponent 1.2',
    units: 2_000,
    metric: sums,
    draw: (_variant, _index, dice) => (1 - dice()) ** (-1 / 1.2),
  },
  {
    name: 'latencies with two humps',
    units: 1_500,
    metric: 'latency',
    draw: (_variant, _index, dice) => Math.exp((dice() < 0.5 ? 5.5 : 7.5) + 0.5 * normal(dice)),
  },
  {
    name: 'one value in 400 is 1e9',
    units: 2_000,
    metric: hits,
    draw: (_variant, _index, dice) => (dice() < 1 / 400 ? 1e9 : 5 + normal(dice)),
  },
]

/** Nothing differs but who reports, and that too little to be seen: no test of the counts can help. */
export const OUTSIDE_CASES: readonly ExperimentCase[] = [
  {
    name: '30 % rated, but of the bad answers of the second 15 %',
    units: 8_000,
    draw: (_variant, _index, dice) => flip(0.75, dice),
    reports: (variant, value) => (variant === 1 && value === 0 ? 0.15 : 0.3),
  },
]

/** The second variant differs; both what is found and in how many units. */
export const EFFECT_CASES: readonly ExperimentCase[] = [
  {
    name: 'rates of 0.80 against 0.75',
    units: 8_000,
    draw: (variant, _index, dice) => flip(variant === 1 ? 0.8 : 0.75, dice),
  },
  {
    name: 'scores 0.05 higher, spread 0.2',
    units: 3_000,
    draw: (variant, _index, dice) => unit(0.5 + (variant === 1 ? 0.05 : 0) + 0.2 * normal(dice)),
  },
  {
    name: 'the same, under a slow wave of 0.3',
    units: 3_000,
    draw: (variant, index, dice) => unit(0.5 + (variant === 1 ? 0.05 : 0) + 0.2 * normal(dice) + slowWave(index) / 2),
  },
  {
    name: 'the same, 20 % of both rated',
    units: 12_000,
    draw: (variant, _index, dice) => unit(0.5 + (variant === 1 ? 0.05 : 0) + 0.2 * normal(dice)),
    reports: () => 0.2,
  },
  {
    name: 'costs 10 % lower, spread 50 %',
    units: 4_000,
    metric: 'cost',
    draw: (variant, _index, dice) => (variant === 1 ? 0.9 : 1) * 0.0004 * Math.exp(0.47 * normal(dice)),
  },
  {
    name: 'latencies 20 % shorter, spread 60 %',
    units: 4_000,
    metric: 'latency',
    draw: (variant, _index, dice) => (variant === 1 ? 0.8 : 1) * 1_000 * Math.exp(0.6 * normal(dice)),
  },
  {
    name: 'own values higher by one standard deviation',
    units: 1_000,
    metric: sums,
    draw: (variant, _index, dice) => 5 + (variant === 1 ? 1 : 0) + normal(dice),
  },
  {
    name: 'the same, the 50th value is 1e308',
    units: 1_000,
    metric: sums,
    draw: (variant, index, dice) => (index === 50 ? 1e308 : 5 + (variant === 1 ? 1 : 0) + normal(dice)),
  },
  {
    name: 'the same, the 5th value is -1e308',
    units: 1_000,
    metric: sums,
    draw: (variant, index, dice) => (index === 5 ? -1e308 : 5 + (variant === 1 ? 1 : 0) + normal(dice)),
  },
]
