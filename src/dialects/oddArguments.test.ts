/** Arguments that are no object, in answers and streams from those who send arguments as text, to every client. */

import { describe, expect, test } from 'vitest'
import { type Body, WIRES } from '../../test/support/wires.ts'
import type { DialectId } from '../domain/chat.ts'
import { parseJson } from '../domain/parseJson.ts'
import { dialectOf } from './dialects.ts'
import { textToObject } from './fields/toolArguments.ts'

const REQUEST = { model: 'm', messages: [], stream: true }
const CLIENTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']
const TEXT_WIRES = ['openai', 'openai-responses', 'anthropic'] as const
const SAID = [
  '',
  ' ',
  'null',
  '""',
  '"{}"',
  '" {\\"zone\\": 1.0} "',
  '"UTC"',
  '[1.0]',
  '5',
  'UTC',
  ' \n{"a": 1.0}',
  '{}',
  '{}{}',
  '{ }{"a": 1.0}',
  '{"a":{}}',
]

const PAIRS = TEXT_WIRES.flatMap((upstream) => CLIENTS.map((client) => [upstream, client] as const))

describe.each(PAIRS)('from an upstream of %s to a client of %s', (upstream, client) => {
  test.each(SAID)('a stream of %j, cut anywhere, is an object or what the client takes as text', (said) => {
    for (let cut = 0; cut <= said.length; cut++) {
      const pieces = [said.slice(0, cut), said.slice(cut)].filter((piece) => piece !== '')
      const got = streamed(upstream, client, pieces, said)
      expect(asObject(client, got)).toBe(JSON.stringify(textToObject(said)))
    }
  })

  // Anthropic's whole answers carry objects.
  test.skipIf(upstream === 'anthropic').each(SAID)('an answer of %j is one too', (said) => {
    const text = WIRES[upstream].answer({ args: said, text: '"Hi"' })
    const read = dialectOf(upstream).upstream.readResponse(parseJson(text))
    if (!read.ok) throw new Error('no answer')
    const body = dialectOf(client).client.writeResponse(read.response, REQUEST) as Body // answers are objects
    expect(asObject(client, WIRES[client].gotArguments(body))).toBe(JSON.stringify(textToObject(said)))
  })
})

/** Of text clients the object that the text means; the others got one. */
function asObject(client: DialectId, got: string): string {
  const isText = client === 'openai' || client === 'openai-responses'
  return JSON.stringify(isText ? textToObject(got) : parseJson(got))
}

function streamed(upstream: DialectId, client: DialectId, pieces: readonly string[], said: string): string {
  const reader = dialectOf(upstream).upstream.streamReader()
  const writer = dialectOf(client).client.streamWriter(REQUEST)
  const events = WIRES[upstream].stream({ pieces, args: said, text: '"Hi"' })
  const chunks = [...events.flatMap((data) => [...reader.push('', data)]), ...reader.end()]
  const lines = chunks.flatMap((chunk) => writer.write(chunk).split('\n'))
  const bodies = lines.filter((line) => line.startsWith('data: {')).map((line) => parseJson(line.slice(6)) as Body)
  return WIRES[client].streamedArguments(bodies)
}
