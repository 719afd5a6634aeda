/** S18: what becomes very large when it is decompressed fills no memory, whichever side it comes from. */

import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { bodyDecoder } from '../../src/upstream/decoding.ts'
import { expectCascade } from '../support/faults/faultWorld.ts'
import { openScripted } from '../support/faults/openScripted.ts'
import { http } from '../support/faults/scriptedUpstream.ts'
import { openGateway } from '../support/gatewayWorld.ts'

const MIB = 1_048_576
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }
const brotli = (text: Buffer) => brotliCompressSync(text, quick)
const CODINGS = { gzip: gzipSync, deflate: deflateSync, br: brotli, zstd: zstdCompressSync } as const
const NAMES = Object.keys(CODINGS) as (keyof typeof CODINGS)[]

/** Far below every limit as it comes, 16 MiB when it is decoded: less than an answer may have. */
const large = Buffer.alloc(16 * MIB, ' ')

test.each(
  NAMES.flatMap((name) => [[name, false] as const, [name, true] as const]),
)('an upstream sends a bomb of %s (streamed: %s): the next target answers, and memory stays', async (name, stream) => {
  const bomb = CODINGS[name](large)
  const { world, says } = await openScripted('openai')
  const type = stream ? 'text/event-stream' : 'application/json'
  says(http('200 OK', bomb, { 'content-type': type, 'content-encoding': name }))
  const before = process.memoryUsage().arrayBuffers
  await expectCascade(world, stream, 'server')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB)
})

test.each(NAMES)('%s: no more than a hundred times as much is decoded, beyond 1 MiB', async (name) => {
  const decoded = async (text: Buffer) => {
    const decoder = bodyDecoder(name, 64 * MIB)
    decoder?.push(CODINGS[name](text))
    return (await decoder?.end())?.length
  }
  await expect(decoded(large)).rejects.toThrow()
  expect(await decoded(large.subarray(0, MIB))).toBe(MIB)
  const varied = Buffer.from(
    Array.from({ length: 300_000 }, (_, at) => `${(Math.imul(at + 1, 0x9e3779b1) >>> 0).toString(36)} `).join(''),
  )
  expect(varied.length).toBeGreaterThan(2 * MIB)
  expect(await decoded(varied)).toBe(varied.length)
})

test.each([
  ...NAMES,
  'gzip, gzip',
  'identity, br',
  'x-gzip',
  'compress',
])('a client sends a body of %s: it is refused unread', async (coding) => {
  const world = await openGateway({ providers: {} })
  onTestFinished(() => world.close())
  const body = { model: 'auto', messages: [{ role: 'user', content: 'hi' }] }
  const answer = await world.ask('/v1/chat/completions', body, { 'content-encoding': coding })
  expect(answer.status).toBe(415)
})
