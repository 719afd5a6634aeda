/** What a client itself cannot do, whatever the gateway answers. A cell that fails for another reason still fails. */

interface KnownLimit {
  /** As in `clients.ts`. */
  readonly client: string
  readonly feature: string
  /** Default: with every upstream. */
  readonly upstream?: string
  /** What the failure says, so that another one is not taken for it; and one that was seen. */
  readonly says: RegExp
  readonly example: string
  readonly reason: string
}

const unseen = (upstream: string): KnownLimit => ({
  client: 'node @langchain/google-genai',
  feature: 'image',
  upstream,
  says: /does not support images/,
  example: 'Error: This model does not support images',
  reason: 'it sends pictures to models with a name of Gemini only',
})

const inWords = (upstream: string): KnownLimit => ({
  client: 'Python litellm gemini/',
  feature: 'schema',
  upstream,
  says: /^ValidationError/,
  example: 'ValidationError: 5 validation errors for Report',
  reason: 'for a model without a name of Gemini it asks for the schema in words only',
})

const goesOn = (client: string): KnownLimit => ({
  client,
  feature: 'abort',
  says: /^the upstream went on/,
  example: 'the upstream went on answering',
  reason: 'its stream can be left, but the connection stays open',
})

const waits = (client: string): KnownLimit => ({
  client,
  feature: 'errors',
  says: /^no answer within/,
  example: 'no answer within 30 s',
  reason: 'at a limit it waits as long as it is told, and asks again',
})

export const KNOWN_LIMITS: readonly KnownLimit[] = [
  goesOn('Python openai-agents chat'),
  goesOn('Python openai-agents responses'),
  goesOn('Python llama-index'),
  goesOn('Python smolagents'),
  goesOn('Python llm'),
  {
    client: 'Python aider',
    feature: 'usage',
    says: /^counted \[\d+,25\] where/,
    example: 'counted [92,25] where [76,24] was used',
    reason: 'it counts the tokens of a stream by itself',
  },
  {
    client: 'node @langchain/anthropic',
    feature: 'usage',
    says: /^counted \[0,/,
    example: 'counted [0,24] where [9,24] was used',
    reason: 'it reads the input tokens at the start of a stream, where only Anthropic knows them',
  },
  {
    client: 'node @anthropic-ai/claude-agent-sdk',
    feature: 'cut',
    says: /^took Once/,
    example: 'took Once upon a time for the whole answer',
    reason: 'it ends its turn with what has come of an answer that breaks off',
  },
  waits('node @continuedev/cli openai'),
  waits('node cline'),
  unseen('openai'),
  unseen('responses'),
  unseen('anthropic'),
  inWords('openai'),
  inWords('responses'),
  inWords('anthropic'),
]

/** The reason why this failure is the client's own; undefined where none is known. */
export function limitOf(
  place: { client: string; feature: string; upstream: string },
  words: string,
): string | undefined {
  return KNOWN_LIMITS.find(
    ({ client, feature, upstream = place.upstream, says }) =>
      client === place.client && feature === place.feature && upstream === place.upstream && says.test(words),
  )?.reason
}
