/**
 * A gateway in a process of its own serves 100,000 requests while its upstreams fail one call in ten: resets, 429 with a
 * wait of a second, 500, empty and malformed answers, short silence, cuts in the middle; one caller in a hundred leaves.
 */

import { perMillion } from '../src/lab/avoidable.ts'
import { leaksOf } from '../test/support/soak/gatewayProcess.ts'
import { type SoakResult, soak } from '../test/support/soak/soak.ts'

/** About six minutes. */
const REQUESTS = Number(process.env['SOAK_REQUESTS'] ?? 100_000)
const PER_SECOND = 300
/** What a request may leave behind: its row is on disk. */
const MOST_BYTES = 100

let ran: Promise<SoakResult> | undefined

/** Once per process. */
export function soakResult(): Promise<SoakResult> {
  ran ??= soak({
    requests: REQUESTS,
    perSecond: PER_SECOND,
    onProgress: (done) => process.stderr.write(`\r${done.toLocaleString('en')} requests`),
  })
  return ran
}

export async function benchSoak(): Promise<string[]> {
  const result = await soakResult()
  const { avoidable, after, before, bytesPerRequest, refusedLocally, limited, tooEarly, left, seconds } = result
  const leaks = leaksOf(before, after)
  const isSteady = bytesPerRequest <= MOST_BYTES
  if (avoidable.avoidable > 0 || leaks.length > 0 || !isSteady) process.exitCode = 1
  for (const [received, texts] of Object.entries(result.examples))
    for (const text of texts) console.error(`${received}: ${text}`)
  return [
    `${REQUESTS.toLocaleString('en')} requests in ${seconds.toFixed(0)} s: ${perMillion(avoidable).toFixed(0)} avoidable errors per million (${verdict(avoidable.avoidable === 0, '0')})`,
    `${avoidable.failed} of ${avoidable.requests.toLocaleString('en')} callers got no whole answer, ${refusedLocally} were refused without a call; ${left} left`,
    `429: ${limited} answers of the upstreams, ${tooEarly} of them to calls inside a stated wait`,
    `left open: ${leaks.length === 0 ? 'nothing' : leaks.join('; ')} (${verdict(leaks.length === 0, 'nothing')})`,
    `heap: ${bytesPerRequest.toFixed(0)} bytes a request over the second half (${verdict(isSteady, `at most ${MOST_BYTES}`)})`,
  ]
}

const verdict = (isMet: boolean, goal: string) => `goal: ${goal}, ${isMet ? 'met' : 'missed'}`
