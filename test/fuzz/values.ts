/** Valid requests, answers and streams of every dialect: what the fuzzed ones are changed from. */

import fc from 'fast-check'
import { dialectOf } from '../../src/dialects/dialects.ts'
import { SseReader } from '../../src/dialects/stream/sse.ts'
import type { ChatRequest, ChatResponse, DialectId } from '../../src/domain/chat.ts'
import { AWKWARD_REQUESTS } from '../support/awkwardRequests.ts'
import { someResponse } from '../support/chatArbitraries.ts'
import { chunksOf } from '../support/chunks.ts'
import { type OddAnswer, ofAnthropic, ofChat, ofGoogle, ofResponses } from '../support/odderAnswers.ts'
import { WIRES } from '../support/wires.ts'
import type { Random } from './driver.ts'

type Body = Readonly<Record<string, unknown>>

export const DIALECTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']

/** The fields in which the turns of a conversation stand. */
const TURNS: Readonly<Record<DialectId, string>> = {
  openai: 'messages',
  'openai-responses': 'input',
  anthropic: 'messages',
  google: 'contents',
}

/** More than any one client says at once. */
const RICH: Readonly<Record<DialectId, Body>> = {
  openai: {
    stream_options: { include_usage: true },
    tool_choice: { type: 'function', function: { name: 'f' } },
    parallel_tool_calls: false,
    max_completion_tokens: 100,
    temperature: 0.5,
    top_p: 0.9,
    stop: ['END', '\n'],
    logit_bias: { '50256': -100 },
    user: 'u',
    reasoning_effort: 'low',
    modalities: ['text'],
    prediction: { type: 'content', content: 'x' },
    web_search_options: {},
  },
  'openai-responses': {
    instructions: 'Be brief.',
    tool_choice: 'required',
    max_output_tokens: 100,
    max_tool_calls: 2,
    previous_response_id: null,
    include: ['reasoning.encrypted_content'],
    store: false,
    reasoning: { effort: 'high', summary: 'auto' },
    text: { format: { type: 'text' }, verbosity: 'low' },
    truncation: 'auto',
  },
  anthropic: {
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
    stop_sequences: ['END'],
    temperature: 1,
    top_k: 5,
    thinking: { type: 'enabled', budget_tokens: 1024 },
    metadata: { user_id: 'u' },
    container: null,
  },
  google: {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
    generationConfig: {
      maxOutputTokens: 100,
      stopSequences: ['END'],
      temperature: 0.3,
      thinkingConfig: { thinkingBudget: 128, includeThoughts: true },
      responseMimeType: 'text/plain',
    },
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
  },
}

const ASKED = { args: '{"a":1}', result: '"found"', schema: '{"type":"object","properties":{"a":{"type":"number"}}}' }

const REQUESTS = new Map(
  DIALECTS.map((dialect) => {
    const awkward = AWKWARD_REQUESTS.filter(([, own]) => own === dialect).map(([, , body]) => body)
    return [dialect, [JSON.parse(WIRES[dialect].request(ASKED)) as Body, ...awkward, ...awkward]] as const
  }),
)

/** A conversation of one or two of the requests in a row, sometimes with many options. */
export function someRequest(dialect: DialectId, random: Random): Body {
  const bodies = REQUESTS.get(dialect) ?? []
  const [one, other] = [random.of(bodies), random.of(bodies)]
  const body = random.chance(0.4) ? joined(one, other, TURNS[dialect]) : one
  const stream = random.chance(0.3) && dialect !== 'google' ? { stream: true } : {}
  return { ...(dialect !== 'google' && { model: 'm' }), ...body, ...(random.chance(0.3) && RICH[dialect]), ...stream }
}

function joined(one: Body, other: Body, turns: string): Body {
  const lists = [one[turns], other[turns]]
  const both = lists.every(Array.isArray) ? { [turns]: lists.flat() } : {}
  return { ...one, ...other, ...both }
}

/** Answers that hold more than text, as upstreams spell them. */
const ODD: readonly OddAnswer[] = [
  ofChat({ content: 'Hi', reasoning_content: 'Hm', refusal: null }, [{ reasoning_content: 'Hm' }, { content: 'Hi' }]),
  ofChat({ content: null, refusal: 'No.' }, [{ refusal: 'No.' }]),
  ofChat({ content: '', audio: { id: 'a', data: 'YQ==', transcript: 'Hi', expires_at: 1 } }, [
    { audio: { data: 'YQ==' } },
  ]),
  ofChat(
    {
      content: 'Hi',
      annotations: [
        { type: 'url_citation', url_citation: { url: 'https://e.org', title: 't', start_index: 0, end_index: 2 } },
      ],
    },
    [{ content: 'Hi' }],
  ),
  ofResponses([
    { type: 'reasoning', id: 'r1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'YQ==' },
    { type: 'web_search_call', id: 'w1', status: 'completed', action: { type: 'search', query: 'x' } },
    {
      type: 'message',
      id: 'm1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hi', annotations: [], logprobs: [] }],
    },
    { type: 'custom_tool_call', id: 'c1', call_id: 'c1', name: 'f', input: 'x' },
  ]),
  ofAnthropic([
    { type: 'thinking', thinking: 'Hm', signature: 'YQ==' },
    { type: 'redacted_thinking', data: 'YQ==' },
    { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'x' } },
    {
      type: 'web_search_tool_result',
      tool_use_id: 's1',
      content: [{ type: 'web_search_result', url: 'https://e.org', title: 't', encrypted_content: 'x' }],
    },
    {
      type: 'text',
      text: 'Hi',
      citations: [
        { type: 'char_location', cited_text: 'x', document_index: 0, start_char_index: 0, end_char_index: 1 },
      ],
    },
    { type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } },
  ]),
  ofGoogle([
    [
      { text: 'Hm', thought: true },
      { text: 'Hi', thoughtSignature: 'YQ==' },
    ],
    [{ functionCall: { name: 'f', args: { a: 1 } } }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
    [
      { executableCode: { language: 'PYTHON', code: '1' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
    ],
  ]),
]

export const ASKED_REQUEST: ChatRequest = { model: 'm', messages: [], stream: true }

const RESPONSES: readonly ChatResponse[] = fc.sample(someResponse, { numRuns: 300, seed: 16 })

/** The body of a whole answer of an upstream. */
export function someAnswer(dialect: DialectId, random: Random): unknown {
  const odd = ODD.filter(({ upstream }) => upstream === dialect)
  if (random.chance(0.4)) return random.of(odd).whole
  const written = dialectOf(dialect).client.writeResponse(random.of(RESPONSES), { ...ASKED_REQUEST, stream: false })
  return JSON.parse(JSON.stringify(written))
}

export interface WireEvent {
  readonly event: string
  readonly data: string
}

const STREAMS = new Map(
  DIALECTS.map((dialect) => {
    const odd = ODD.filter(({ upstream }) => upstream === dialect).map(({ stream }) => eventsOf(stream))
    const own = RESPONSES.map((response) => {
      const writer = dialectOf(dialect).client.streamWriter(ASKED_REQUEST)
      return eventsOf(
        chunksOf(response)
          .map((chunk) => writer.write(chunk))
          .join(''),
      )
    })
    return [dialect, { odd, own }] as const
  }),
)

/** The events of a streamed answer of an upstream. */
export function someStream(dialect: DialectId, random: Random): readonly WireEvent[] {
  const streams = STREAMS.get(dialect)
  if (streams === undefined) return []
  return random.of(random.chance(0.4) ? streams.odd : streams.own)
}

function eventsOf(stream: string): readonly WireEvent[] {
  const reader = new SseReader()
  return [...reader.push(Buffer.from(stream)), ...reader.end()]
}

/** The events as an upstream writes them. */
export const streamText = (events: readonly WireEvent[]) =>
  events.map(({ event, data }) => `${event === '' ? '' : `event: ${event}\n`}data: ${data}\n\n`).join('')
