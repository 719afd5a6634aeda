/** Requests of every client through the readers, fitted to every service and written for it. */

import { isDeepStrictEqual } from 'node:util'
import { readCompletions } from '../../../src/dialects/completions/readCompletions.ts'
import { dialectOf } from '../../../src/dialects/dialects.ts'
import { googleEmbedding, googleEmbeddings, openaiEmbeddings } from '../../../src/dialects/embeddings/client.ts'
import { embeddingsFor } from '../../../src/dialects/embeddings/upstream.ts'
import type { DialectId } from '../../../src/domain/chat.ts'
import { parseJson } from '../../../src/domain/parseJson.ts'
import { hash32 } from '../../../src/domain/random.ts'
import { parseBody } from '../../../src/server/body.ts'
import { RECIPIENTS, writtenFor } from '../../support/strictRecipients.ts'
import { type FuzzTarget, promise } from '../driver.ts'
import { mutated, mutatedText, smallerTexts, smallerValues } from '../mutate.ts'
import { bounded, noPollution, orRefusal, parsedOr } from '../promises.ts'
import { DIALECTS, someRequest } from '../values.ts'

interface Sent {
  readonly dialect: DialectId
  readonly text: string
}

const PATH = { model: 'm', stream: false }
/** Of what one field says, a few others may repeat parts: tools in words, schemas in a prompt. */
const MOST_TIMES = 12

export const requests: FuzzTarget<Sent> = {
  name: 'requests',
  share: 13,
  make(random) {
    const dialect = random.of(DIALECTS)
    return { dialect, text: mutatedText(mutated(someRequest(dialect, random), random), random, 0.1) }
  },
  check({ dialect, text }) {
    const body = parsedOr(() => parseBody(Buffer.from(text)))
    if (body === undefined) return
    const { client, upstream } = dialectOf(dialect)
    const asked = orRefusal(() => client.readRequest(body, PATH))
    noPollution()
    if (asked === undefined) return
    const recipient = RECIPIENTS[hash32(text) % RECIPIENTS.length]
    if (recipient !== undefined) {
      const written = writtenFor(recipient, dialect, asked)
      if (written !== null) bounded(JSON.stringify(written.sent), text, MOST_TIMES, `for ${recipient[1]}`)
    }
    // What one dialect cannot say is settled when it is written; from then on reading and writing change nothing.
    const settled = rewritten(dialect, sent(upstream.writeRequest(asked, 'm').body))
    if (settled === undefined) return
    const again = rewritten(dialect, settled)
    promise(again === undefined || isDeepStrictEqual(again, settled), () => {
      return `a request changes each time it is read and written:\n  ${JSON.stringify(again)}\n  ${JSON.stringify(settled)}`
    })
    noPollution()
  },
  *smaller({ dialect, text }) {
    yield* smallerJson(text, (smaller) => ({ dialect, text: smaller }))
  },
  show: ({ dialect, text }) => `${dialect} ${text}`,
}

/** Read and written again; undefined for a body that is refused. */
function rewritten(dialect: DialectId, body: unknown): unknown {
  const { client, upstream } = dialectOf(dialect)
  const asked = orRefusal(() => client.readRequest(body, PATH))
  return asked === undefined ? undefined : sent(upstream.writeRequest(asked, 'm').body)
}

/** Nothing may be spelled as a text or as a list. */
const sent = (body: unknown): unknown => parseJson(JSON.stringify(body).replaceAll('"content":[]', '"content":""'))

/** Smaller values where it is JSON, else smaller texts. */
export function* smallerJson<T>(text: string, of: (text: string) => T): Generator<T> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    for (const smaller of smallerTexts(text)) yield of(smaller)
    return
  }
  for (const smaller of smallerValues(value)) {
    const written = JSON.stringify(smaller)
    if (written !== undefined) yield of(written)
  }
}

const INPUTS: readonly (readonly [reader: string, body: object])[] = [
  ['embeddings', { model: 'm', input: ['one', 'two'], encoding_format: 'base64', dimensions: 8, user: 'u' }],
  ['embeddings', { model: 'm', input: [[1, 2], [3]], input_type: 'search_query' }],
  ['embedContent', { content: { parts: [{ text: 'one' }] }, taskType: 'RETRIEVAL_QUERY', outputDimensionality: 8 }],
  [
    'batchEmbedContents',
    { requests: [{ model: 'models/m', content: { parts: [{ text: 'one' }] } }, { content: { parts: [] } }] },
  ],
  ['completions', { model: 'm', prompt: ['one', 'two'], n: 2, echo: true, max_tokens: 5, stop: '\n', suffix: '' }],
  ['completions', { model: 'm', prompt: 'one', logprobs: null, best_of: 1, stream: true, temperature: 0 }],
]

const READERS = {
  embeddings: openaiEmbeddings,
  embedContent: googleEmbedding,
  batchEmbedContents: googleEmbeddings,
} as const

export const inputs: FuzzTarget<{ readonly reader: string; readonly text: string }> = {
  name: 'inputs',
  share: 5,
  make(random) {
    const [reader, body] = random.of(INPUTS)
    return { reader, text: mutatedText(mutated(body, random), random, 0.1) }
  },
  check({ reader, text }) {
    const body = parsedOr(() => parseBody(Buffer.from(text)))
    if (body === undefined) return
    if (reader === 'completions') orRefusal(() => readCompletions(body))
    else {
      const client = READERS[reader as keyof typeof READERS] // one of its names
      const asked = orRefusal(() => client.readRequest(body, reader === 'embeddings' ? undefined : 'm'))
      if (asked !== undefined)
        for (const dialect of ['openai', 'google'] as const) {
          const written = orRefusal(() => embeddingsFor(dialect)?.upstream.writeRequest(asked, 'm'))
          bounded(JSON.stringify(written?.body ?? null), text, MOST_TIMES, `embeddings for ${dialect}`)
          client.ignoredBy(dialect, asked)
        }
    }
    noPollution()
  },
  *smaller({ reader, text }) {
    yield* smallerJson(text, (smaller) => ({ reader, text: smaller }))
  },
  show: ({ reader, text }) => `${reader} ${text}`,
}
