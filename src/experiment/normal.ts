/** The statistical functions that experiments need. */

/**
 * The standard normal distribution function, to about 15 digits, also far in the tails (Hart 1968 as given by G. West,
 * "Better approximations to cumulative normal functions", Wilmott Magazine 2005).
 */
export function normalCdf(x: number): number {
  const z = Math.abs(x)
  const tail = z > 37 ? 0 : z < 7.07106781186547 ? hart(z) : continuedFraction(z)
  return x > 0 ? 1 - tail : tail
}

const NUMERATOR = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
  220.206867912376,
]
const DENOMINATOR = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
  793.826512519948, 440.413735824752,
]

function hart(z: number): number {
  return (Math.exp(-z * z * 0.5) * polynomial(NUMERATOR, z)) / polynomial(DENOMINATOR, z)
}

function polynomial(coefficients: readonly number[], z: number): number {
  let value = 0
  for (const coefficient of coefficients) value = value * z + coefficient
  return value
}

function continuedFraction(z: number): number {
  const build = z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))))
  return Math.exp(-z * z * 0.5) / build / 2.506628274631
}

/** The x at which an increasing function reaches a value, by bisection. */
export function solve(increasing: (x: number) => number, value: number, low: number, high: number): number {
  let below = low
  let above = high
  for (let i = 0; i < 60; i++) {
    const middle = (below + above) / 2
    if (increasing(middle) < value) below = middle
    else above = middle
  }
  return (below + above) / 2
}

/** The inverse of `normalCdf` for probabilities in (0, 1). */
export function normalQuantile(probability: number): number {
  // The lower tail keeps its digits where the upper one is 1 minus something tiny.
  return probability > 0.5 ? -normalQuantile(1 - probability) : solve(normalCdf, probability, -38, 0.001)
}

/** ln(n!) for n >= 0. */
export function logFactorial(n: number): number {
  if (n >= 10) return logGamma(n + 1)
  let product = 1
  for (let i = 2; i <= n; i++) product *= i
  return Math.log(product)
}

/** ln(gamma(x)) for x > 0; Stirling's series from 10 on (error below 1e-10), below it by gamma(x + 1) = x gamma(x). */
export function logGamma(x: number): number {
  let z = x
  let product = 1
  while (z < 10) product *= z++
  const tail = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5)
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + tail - Math.log(product)
}
