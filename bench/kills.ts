/** Gateways that are killed with SIGKILL while they answer: what their clients had read and the ledger does not know. */

import { addUp, type KillResult, killAtOperation, killAtRandom } from '../test/support/kills/kills.ts'

/** Of each, one after another: 1, 2, 4 and 8 gateways on one store. */
const KILLS = Number(process.env['KILLS'] ?? 200)
const SEED = Number(process.env['KEYWISE_SEED'] ?? 20261130)
const RELAXED_KILLS = 24

export async function benchKills(): Promise<string[]> {
  const random = await killRandomly(KILLS, 'process', [1, 2, 4, 8])
  const relaxed = await killRandomly(RELAXED_KILLS, 'relaxed', [4])
  const each = await killAtEvery()
  if (isBad(random) || isBad(each.sum)) process.exitCode = 1
  return [
    `${random.kills} kills at random, 1 to 8 gateways on one store, seed ${SEED}: ${wordsOf(random)}`,
    `a kill at each of the ${each.operations} operations of a run of 12 requests, in the middle of every write: ${wordsOf(each.sum)}`,
    `for comparison, ${relaxed.kills} kills with \`"durability": "relaxed"\`: ${relaxed.lost.length} of ${relaxed.answered} answers missing`,
  ]
}

async function killRandomly(
  kills: number,
  durability: 'process' | 'relaxed',
  sizes: readonly number[],
): Promise<KillResult> {
  const random = generator(SEED)
  const results: KillResult[] = []
  for (let done = 0, round = 0; done < kills; round++) {
    const gateways = Math.min(kills - done, sizes[round % sizes.length] ?? 1)
    const width = 1 + Math.floor(random() * 16)
    const killAfter = () => ({ answers: 1 + Math.floor(random() * 150), ms: Math.floor(random() * 60) })
    results.push(await killAtRandom({ gateways, width, killAfter, durability }))
    done += gateways
    process.stderr.write(`\r${durability}: ${done} kills`)
  }
  process.stderr.write('\n')
  return addUp(results)
}

async function killAtEvery(): Promise<{ operations: number; sum: KillResult }> {
  const results: KillResult[] = []
  for (let n = 1; ; n++) {
    const result = await killAtOperation(n)
    if (result === null) break
    results.push(result)
    process.stderr.write(`\r${n} operations`)
  }
  process.stderr.write('\n')
  return { operations: results.length, sum: addUp(results) }
}

const isBad = ({ lost, untold, isCounted }: KillResult) => lost.length > 0 || untold > 0 || !isCounted

function wordsOf({ answered, lost, calls, untold, interrupted, slowestStartMs, isCounted }: KillResult): string {
  const met = isBad({ lost, untold, isCounted } as KillResult) ? 'missed' : 'met' // all that it looks at
  return [
    `${lost.length} of ${answered} answers missing (goal: 0, ${met})`,
    `${untold} of ${calls} calls without a row`,
    `${interrupted} rows of interrupted calls`,
    `the next process opened the store within ${slowestStartMs.toFixed(0)} ms`,
  ].join('; ')
}

/** mulberry32: repeatable, and good enough to choose moments. */
function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
