/** What goes onto a wire comes back from it, as far as the wire has words for it. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assembleResponse } from '../../test/support/assembleResponse.ts'
import { chunksOf } from '../../test/support/chunks.ts'
import { replay } from '../../test/support/replay.ts'
import type { ChatRequest, ChatResponse, Message, Part } from '../domain/chat.ts'
import { anthropicDialect } from './anthropic/anthropic.ts'
import type { Dialect } from './dialect.ts'
import { googleDialect } from './google/google.ts'

type Wire = 'anthropic' | 'google'
const DIALECTS: { readonly [W in Wire]: Dialect } = { anthropic: anthropicDialect, google: googleDialect }
const WIRES: readonly Wire[] = ['anthropic', 'google']
const MODEL = 'gemini-2.5-x'

const says = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed())
const base64 = fc.uint8Array({ minLength: 6 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const text = says.map((text): Part => ({ type: 'text', text }))
const image = base64.map((data): Part => ({ type: 'image', mediaType: 'image/png', data }))
const file = base64.map((data): Part => ({ type: 'file', mediaType: 'application/pdf', data }))
const args = fc
  .dictionary(says, fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)))
  .map((object) => JSON.stringify(object))
const name = fc.stringMatching(/^[a-z]{1,8}$/)

const signed = (wire: Wire) =>
  fc.record({ text: says, signature: base64 }).map(
    ({ text, signature }): Part => ({
      type: 'reasoning',
      text,
      signature: `${wire}:${signature}`,
    }),
  )

/** A step of a tool loop: the assistant thinks, says something and calls; the tool answers every call. */
const step = (wire: Wire) =>
  fc
    .record({
      thought: signed(wire),
      said: text,
      calls: fc.array(fc.record({ name, args, result: says }), { minLength: 1, maxLength: 3 }),
    })
    .map(({ thought, said, calls }) => (at: number): Message[] => [
      {
        role: 'assistant',
        content: [
          thought,
          said,
          ...calls.map(
            (call, index): Part => ({
              type: 'tool-call',
              id: `c${at}_${index}`,
              name: call.name,
              arguments: call.args,
            }),
          ),
        ],
      },
      {
        role: 'tool',
        content: calls.map(
          (call, index): Part => ({
            type: 'tool-result',
            toolCallId: `c${at}_${index}`,
            ...(wire === 'google' && { name: call.name }),
            content: [{ type: 'text', text: call.result }],
            ...(index === 1 && { isError: true }),
          }),
        ),
      },
    ])

/**
 * `user` after `tool` is one message on Anthropic's wire and comes back as two, so it is allowed; two alike are not.
 */
const conversation = (wire: Wire): fc.Arbitrary<Message[]> =>
  fc
    .record({
      system: says,
      asked: fc.array(fc.oneof(text, image, file), { minLength: 1, maxLength: 3 }),
      steps: fc.array(step(wire), { maxLength: 2 }),
    })
    .map(({ system, asked, steps }) => [
      { role: 'system', content: [{ type: 'text', text: system }] },
      { role: 'user', content: asked },
      ...steps.flatMap((make, index) => make(index)),
    ])

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
const unit = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0) // no -0, which JSON has not

const common = (wire: Wire) => ({
  model: fc.constant(MODEL),
  messages: conversation(wire),
  tools: fc.constant([{ name: 'f', description: 'd', parameters: schema }]),
  toolChoice: optional(
    fc.constantFrom<NonNullable<ChatRequest['toolChoice']>>('auto', 'none', 'required', { name: 'f' }),
  ),
  responseFormat: optional(fc.constant({ type: 'json-schema' as const, schema, strict: true })),
  maxTokens: fc.integer({ min: 100_000, max: 200_000 }),
  temperature: optional(unit),
  topP: optional(unit),
  topK: optional(fc.integer({ min: 1, max: 100 })),
  stop: optional(fc.constant(['END'])),
  stream: fc.boolean(),
})
const requests: { readonly [W in Wire]: fc.Arbitrary<ChatRequest> } = {
  anthropic: fc.record({
    ...common('anthropic'),
    reasoning: optional(fc.integer({ min: 1024, max: 9999 }).map((budgetTokens) => ({ budgetTokens, visible: true }))),
    user: optional(says),
  }),
  google: fc.record({
    ...common('google'),
    reasoning: optional(fc.integer({ min: 1, max: 9999 }).map((budgetTokens) => ({ budgetTokens, visible: false }))),
    seed: optional(fc.integer()),
    frequencyPenalty: optional(unit),
    presencePenalty: optional(unit),
  }),
}

/** Calls of the first wire that think last, so that no thought stands directly before a call. */
const responses = (wire: Wire): fc.Arbitrary<ChatResponse> =>
  fc
    .record({
      thought: signed(wire),
      said: text,
      calls: fc.array(fc.record({ id: fc.uuid(), name, args }), { maxLength: 3 }),
      reason: fc.constantFrom('stop' as const, 'length' as const),
      cached: fc.nat(1000),
      written: fc.nat(1000),
      fresh: fc.nat(1000),
      output: fc.nat(1000),
    })
    .map(({ thought, said, calls, reason, cached, written, fresh, output }) => {
      const inputTokens = fresh + cached + (wire === 'anthropic' ? written : 0)
      const content = [
        thought,
        said,
        ...calls.map((call): Part => ({ type: 'tool-call', id: call.id, name: call.name, arguments: call.args })),
      ] as ChatResponse['content'] // of the parts above
      return {
        id: 'msg_1',
        model: 'm',
        content,
        finishReason: calls.length > 0 && reason === 'stop' ? 'tool_calls' : reason,
        usage: {
          inputTokens,
          outputTokens: output,
          totalTokens: inputTokens + output,
          cachedInputTokens: cached,
          ...(wire === 'anthropic' ? { cacheWriteTokens: written } : { reasoningTokens: output >> 1 }),
          estimated: false,
        },
      }
    })

/** Without the fields that are there and undefined, which mean nothing. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value))
const REQUEST: ChatRequest = { model: 'm', messages: [], stream: true }

for (const wire of WIRES) {
  const { client, upstream } = DIALECTS[wire]

  describe(`over the wire of ${wire}`, () => {
    test('a request comes back as it was', () => {
      fc.assert(
        fc.property(requests[wire], (request) => {
          const { body } = upstream.writeRequest(request, MODEL)
          const back = client.readRequest(
            plain(body),
            wire === 'google' ? { model: MODEL, stream: request.stream } : undefined,
          )
          expect(plain(back)).toEqual(plain(request))
        }),
        { numRuns: 150 },
      )
    })

    test('an answer comes back as it was', () => {
      fc.assert(
        fc.property(responses(wire), (response) => {
          const back = upstream.readResponse(plain(client.writeResponse(response, REQUEST)))
          expect(plain(back)).toEqual({ ok: true, response: plain(response) })
        }),
        { numRuns: 150 },
      )
    })

    test('a streamed answer comes back as it was, and only a whole one ends', () => {
      fc.assert(
        fc.property(responses(wire), fc.nat(), (response, cut) => {
          const writer = client.streamWriter(REQUEST)
          const written = Buffer.from(
            chunksOf(response)
              .map((chunk) => writer.write(chunk))
              .join(''),
          )
          const chunks = replay(upstream.streamReader(), written, [cut % written.length])
          expect(plain(assembleResponse(chunks))).toEqual(plain(response))
          expect(chunks.at(-1)).toEqual({ type: 'end' })
          const part = replay(upstream.streamReader(), written.subarray(0, cut % (written.length - 3)))
          expect(part.some(({ type }) => type === 'end')).toBe(false)
        }),
        { numRuns: 150 },
      )
    })

    test('a broken stream is an error and has no end', () => {
      fc.assert(
        fc.property(responses(wire), fc.nat(), (response, cut) => {
          const writer = client.streamWriter(REQUEST)
          const sent = chunksOf(response).slice(0, -1)
          const before = sent.slice(0, cut % sent.length).map((chunk) => writer.write(chunk))
          const after = writer.fail({ status: 502, message: 'broke', code: 'server' })
          const chunks = replay(upstream.streamReader(), Buffer.from(before.join('') + after))
          expect(chunks.at(-1)).toMatchObject({ type: 'error' })
        }),
        { numRuns: 100 },
      )
    })
  })
}

describe('a tool loop', () => {
  /** Signatures of Gemini on a thought and on a call, of Claude on a thought. */
  const loop: Message[] = [
    { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', signature: 'google:AAAA' },
        { type: 'tool-call', id: 'c1', name: 'weather', arguments: '{"city":"Bern"}', signature: 'google:BBBB' },
      ],
    },
    {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'c1', name: 'weather', content: [{ type: 'text', text: '7°' }] }],
    },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'so', signature: 'anthropic:CCCC' },
        { type: 'text', text: '7 degrees.' },
      ],
    },
  ]

  for (const wire of WIRES) {
    test(`goes to an upstream of ${wire} with the signatures that are its own`, () => {
      const body = JSON.stringify(
        DIALECTS[wire].upstream.writeRequest({ model: 'm', messages: loop, stream: false }, MODEL).body,
      )
      for (const foreign of WIRES.filter((other) => other !== wire)) expect(body).not.toContain(`${foreign}:`)
      expect([body.includes('AAAA'), body.includes('BBBB'), body.includes('CCCC')]).toEqual(
        wire === 'google' ? [true, true, false] : [false, false, true],
      )
      expect(body).toContain('Bern')
      expect(body).toContain('7°')
    })

    for (const streamed of [false, true]) {
      test(`survives clients of ${wire} with every signature, ${streamed ? 'streamed' : 'whole'}`, () => {
        const messages = loop.map((message) =>
          message.role === 'assistant' ? throughClient(wire, message, streamed) : message,
        )
        expect(plain(messages)).toEqual(loop)
      })
    }
  }

  /** What a client makes of an answer: it keeps it, and sends it back with the next request. */
  function throughClient(wire: Wire, message: Message, streamed: boolean): Message {
    const { client } = DIALECTS[wire]
    const response = { model: 'm', content: message.content, finishReason: 'stop' } as ChatResponse // parts of an answer
    const kept = streamed ? keptOfStream(wire, response) : client.writeResponse(response, REQUEST)
    const answer = plain(kept) as { content: unknown; candidates: { content: unknown }[] }
    const body =
      wire === 'anthropic'
        ? { model: 'm', messages: [{ role: 'assistant', content: answer.content }] }
        : { contents: [answer.candidates[0]?.content] }
    return client.readRequest(body, { model: 'm' }).messages[0]!
  }

  /** The official clients join the events of a stream into the answer that they would have got whole. */
  function keptOfStream(wire: Wire, response: ChatResponse): unknown {
    const writer = DIALECTS[wire].client.streamWriter(REQUEST)
    const events = chunksOf(response)
      .map((chunk) => writer.write(chunk))
      .join('')
      .split('\n\n')
      .filter(Boolean)
    const datas = events.map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)))
    return wire === 'google' ? joinPieces(datas) : joinBlocks(datas)
  }

  const isText = (part: WirePart) => part.text !== undefined && Object.keys(part).length === 1
  interface WirePart {
    readonly text?: string
  }
  interface Piece {
    readonly candidates: readonly { readonly content: { readonly parts: readonly WirePart[] } }[]
  }
  function joinPieces(pieces: readonly Piece[]): unknown {
    const parts: WirePart[] = []
    for (const part of pieces.flatMap((piece) => piece.candidates[0]?.content.parts ?? [])) {
      const last = parts.at(-1)
      if (last !== undefined && isText(last) && isText(part)) parts.splice(-1, 1, { text: `${last.text}${part.text}` })
      else parts.push(part)
    }
    return { candidates: [{ content: { role: 'model', parts } }] }
  }

  interface Event {
    readonly type: string
    readonly index: number
    readonly content_block: Record<string, unknown>
    readonly delta: Record<string, string>
  }
  function joinBlocks(events: readonly Event[]): unknown {
    const content: Record<string, unknown>[] = []
    for (const { type, index, content_block, delta } of events) {
      if (type === 'content_block_start') content[index] = { ...content_block }
      if (type !== 'content_block_delta') continue
      const block = content[index]!
      if (delta['partial_json'] !== undefined) block['json'] = `${block['json'] ?? ''}${delta['partial_json']}`
      else
        for (const name of ['text', 'thinking', 'signature'])
          if (delta[name]) block[name] = `${block[name] ?? ''}${delta[name]}`
    }
    return {
      content: content.map(({ json, ...block }) => (json ? { ...block, input: JSON.parse(String(json)) } : block)),
    }
  }
})
