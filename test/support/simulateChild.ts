/**
 * Simulated worlds in a process of their own, because a world has the timers, clock and dice of its whole process. Sends
 * what became of the first world twice, of the second once, and of the first with a fault in the product.
 */

import { loadMutant } from '../../bench/mutantLoader.ts'
import { MUTANTS } from '../../src/lab/simulation/mutants.ts'
import { simulate } from '../../src/lab/simulation/simulation.ts'

const requests = 150
const first = await simulate({ seed: 1, requests })
const again = await simulate({ seed: 1, requests })
const second = await simulate({ seed: 6, requests })
const mutant = MUTANTS.find(({ name }) => name === 'quota-never-settled')!
const broken = await (await loadMutant(mutant)).simulate({ seed: 1, requests })
process.send?.({ first, again, second, broken })
