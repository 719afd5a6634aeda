/** Numbers and texts arrive as they were sent, whatever a client and an upstream speak: all sixteen pairs. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  anyStrings,
  normalText,
  numbersIn,
  numberTexts,
  objectTexts,
  stringTexts,
} from '../../test/support/jsonTexts.ts'
import { type Body, WIRES, type Wire } from '../../test/support/wires.ts'
import type { ChatChunk, DialectId } from '../domain/chat.ts'
import { parseJson } from '../domain/parseJson.ts'
import { dialectOf } from './dialects.ts'

const IDS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']
const PAIRS = IDS.flatMap((client) => IDS.map((upstream) => [client, upstream] as const))

const schemaTexts = fc
  .record({ limit: numberTexts, values: fc.array(numberTexts, { minLength: 1, maxLength: 3 }), any: objectTexts })
  .map(({ limit, values, any }) => {
    const plain = `{"type":"integer","minimum":${limit},"maximum":${values[0]},"default":${limit}}`
    const odd = `{"type":"number","enum":[${values.join(',')}],"const":${values[0]},"examples":[${any}]}`
    return [`{"type":"object","properties":{"a":${plain}}}`, `{"type":"object","properties":{"a":${plain},"b":${odd}}}`]
  })
  .chain((texts) => fc.constantFrom(...texts))

const says = anyStrings.filter((text) => text.trim() !== '')

/** The request that an upstream gets for a client's. */
function sent(client: DialectId, upstream: DialectId, text: string): Body {
  const request = dialectOf(client).client.readRequest(
    parseJson(text),
    client === 'google' ? { model: 'm' } : undefined,
  )
  return onWire(dialectOf(upstream).upstream.writeRequest(request, 'm').body)
}

/** What arrives, its numbers again as they are spelled. */
function onWire(body: unknown): Body {
  return parseJson(JSON.stringify(body)) as Body // every body is an object
}

const REQUEST = { model: 'm', messages: [], stream: true }

function answered(client: DialectId, upstream: DialectId, text: string): Body {
  const read = dialectOf(upstream).upstream.readResponse(parseJson(text))
  if (!read.ok) throw new Error('no answer')
  return onWire(dialectOf(client).client.writeResponse(read.response, REQUEST))
}

/** The bodies of the events that a client gets for those of an upstream. */
function streamed(client: DialectId, upstream: DialectId, events: readonly string[]): readonly Body[] {
  const reader = dialectOf(upstream).upstream.streamReader()
  const writer = dialectOf(client).client.streamWriter(REQUEST)
  const chunks: ChatChunk[] = events.flatMap((data) => [...reader.push('', data)])
  const text = [...chunks, ...reader.end()].map((chunk) => writer.write(chunk)).join('')
  const data = text.split('\n').filter((line) => line.startsWith('data: {'))
  return data.map((line) => parseJson(line.slice('data: '.length)) as Body)
}

const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void) =>
  fc.assert(
    fc.property(arbitrary, (value) => holds(value)),
    { numRuns: 60 },
  )

describe.each(PAIRS)('between a client of %s and an upstream of %s', (client, upstream) => {
  const from: Wire = WIRES[client]
  const to: Wire = WIRES[upstream]

  test('arguments, results and schemas of a request arrive as they were sent', () => {
    check(fc.record({ args: objectTexts, result: says, schema: schemaTexts }), ({ args, result, schema }) => {
      const body = sent(client, upstream, from.request({ args, result: JSON.stringify(result), schema }))
      expect(normalText(to.sentArguments(body))).toBe(normalText(args))
      expect(to.sentResult(body)).toBe(result)
      expect(numbersIn(JSON.stringify(to.sentSchema(body)))).toEqual(numbersIn(schema))
    })
  })

  test('arguments and text of an answer arrive as the model wrote them', () => {
    check(fc.record({ args: objectTexts, text: says }), ({ args, text }) => {
      const body = answered(client, upstream, to.answer({ args, text: JSON.stringify(text) }))
      expect(normalText(from.gotArguments(body))).toBe(normalText(args))
      expect(from.gotText(body)).toBe(text)
    })
  })

  test('and so do those of a stream', () => {
    check(fc.record({ args: objectTexts, cut: fc.nat(), text: stringTexts }), ({ args, cut, text }) => {
      const at = cut % (args.length + 1)
      const events = streamed(client, upstream, to.stream({ pieces: [args.slice(0, at), args.slice(at)], args, text }))
      expect(normalText(from.streamedArguments(events))).toBe(normalText(args))
      expect(from.streamedText(events)).toBe(parseJson(text))
    })
  })
})

test('an object that a Gemini client gives as a result arrives with every number', () => {
  for (const upstream of IDS)
    check(objectTexts, (result) => {
      const request = WIRES.google.request({ args: '{}', result: '"x"', schema: '{"type":"object"}' })
      const body = sent(
        'google',
        upstream,
        request.replace('{"output":"x"}', () => `{"rows":[${result}]}`),
      )
      expect(normalText(WIRES[upstream].sentResult(body))).toBe(`{"rows":[${normalText(result)}]}`)
    })
})

const LIMITS: { readonly [D in DialectId]: string } = {
  openai: '"max_tokens":64.0,"temperature":1.0,"seed":1e1,',
  'openai-responses': '"max_output_tokens":64.0,"temperature":1.0,',
  anthropic: '"max_tokens":64.0,"temperature":1.0,"top_k":1e1,',
  google: '"generationConfig":{"maxOutputTokens":64.0,"temperature":1.0,"topK":1e1},',
}

test.each(IDS)('options of a client of %s are numbers however they are spelled', (client) => {
  const text = WIRES[client].request({ args: '{}', result: '"x"', schema: '{"type":"object"}' })
  const spelled = `{${LIMITS[client]}${text.slice(1).replace('"max_tokens":9,', '')}`
  const request = dialectOf(client).client.readRequest(parseJson(spelled), { model: 'm' })
  expect(request).toMatchObject({ maxTokens: 64, temperature: 1 })
})
