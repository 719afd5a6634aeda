/** Whole answers of every upstream, read, judged, and written for every client. */

import { dialectOf } from '../../../src/dialects/dialects.ts'
import { embeddingsFor } from '../../../src/dialects/embeddings/upstream.ts'
import type { ChatRequest, DialectId } from '../../../src/domain/chat.ts'
import { parseJson } from '../../../src/domain/parseJson.ts'
import { readAnswer } from '../../../src/upstream/answers/readAnswer.ts'
import type { FuzzTarget } from '../driver.ts'
import { mutated, mutatedText } from '../mutate.ts'
import { bounded, noPollution, parsedOr, sameText } from '../promises.ts'
import { DIALECTS, someAnswer } from '../values.ts'
import { smallerJson } from './requests.ts'

interface Said {
  readonly upstream: DialectId | 'embeddings'
  readonly text: string
}

const REQUEST: ChatRequest = { model: 'asked', messages: [], stream: false }
const FACTS = { now: 1_700_000_000_000, id: 'kw_1' }
const VECTORS = {
  object: 'list',
  model: 'm',
  data: [{ object: 'embedding', index: 0, embedding: [0.1, -0.2] }],
  usage: { prompt_tokens: 1, total_tokens: 1 },
}
const MOST_TIMES = 12

export const answers: FuzzTarget<Said> = {
  name: 'answers',
  share: 8,
  make(random) {
    if (random.chance(0.05)) return { upstream: 'embeddings', text: mutatedText(mutated(VECTORS, random), random, 0.1) }
    const upstream = random.of(DIALECTS)
    return { upstream, text: mutatedText(mutated(someAnswer(upstream, random), random), random, 0.1) }
  },
  check({ upstream, text }) {
    const dialect = upstream === 'embeddings' ? embeddingsFor('openai') : dialectOf(upstream)
    if (dialect === null) throw new TypeError('there are no embeddings')
    const body = parsedOr(() => (dialect.upstream.parse ?? parseJson)(text))
    if (body === undefined) return
    const read = dialect.upstream.readResponse(body)
    noPollution()
    if (!read.ok || upstream === 'embeddings') return
    readAnswer(read.response, { request: {}, anyAnswer: false })
    for (const client of DIALECTS) {
      const written = JSON.stringify(dialectOf(client).client.writeResponse(read.response, REQUEST, FACTS))
      bounded(written, text, MOST_TIMES, `for ${client}`)
      // What a client of ours is told is an answer that keywise itself could read, and says the same again.
      const back = dialectOf(client).upstream.readResponse(parseJson(written))
      if (!back.ok) continue
      const again = JSON.stringify(dialectOf(client).client.writeResponse(back.response, REQUEST, FACTS))
      const third = dialectOf(client).upstream.readResponse(parseJson(again))
      if (third.ok)
        sameText(
          JSON.stringify(dialectOf(client).client.writeResponse(third.response, REQUEST, FACTS)),
          again,
          `an answer for ${client} changes each time it is read and written`,
        )
    }
  },
  *smaller({ upstream, text }) {
    yield* smallerJson(text, (smaller) => ({ upstream, text: smaller }))
  },
  show: ({ upstream, text }) => `${upstream} ${text}`,
}
