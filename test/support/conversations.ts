/** Random conversations as agents have them: tools, their results, thoughts, pictures, and options of every kind. */

import fc from 'fast-check'
import type {
  ChatRequest,
  DialectId,
  Message,
  Part,
  Tool,
  ToolCallPart,
  ToolResultPart,
} from '../../src/domain/chat.ts'
import { someText } from './chatArbitraries.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUg=='
const PDF = Buffer.from('%PDF-1.7 a').toString('base64')
const DIALECTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']

const toolName = fc.constantFrom(
  'read',
  'files.read',
  'mcp__server__get',
  `long_${'x'.repeat(90)}`,
  'a b',
  '7up',
  'Bash',
)
const callId = fc.oneof(
  fc.constantFrom('call_0', 'call_1', 'functions.read:0', `call_${'y'.repeat(60)}`),
  fc.stringMatching(/^toolu_[a-zA-Z0-9]{12}$/),
)

/** The last five are refused as outermost names by Claude. */
const argumentName = fc.constantFrom('path', 'line', 'text', 'user name', 'filter[id]', '$top', '', `${'n'.repeat(90)}`)

const leaf = fc.constantFrom<Record<string, unknown>>(
  { type: 'string' },
  { type: 'string', enum: ['a', 'b'] },
  { type: 'integer', minimum: 1 },
  { type: ['string', 'null'] },
  { type: 'array', items: { type: 'string' } },
  { type: 'array' },
  { anyOf: [{ type: 'string' }, { type: 'number' }] },
  { type: 'object', properties: { x: { type: 'boolean' } } },
  { type: 'string', format: 'uri', minLength: 1 },
  { description: 'anything' },
  {},
)
const schema = fc
  .record({
    type: fc.constantFrom('object', undefined),
    properties: fc.option(fc.dictionary(argumentName, leaf, { maxKeys: 3 }), {
      nil: undefined,
    }),
    required: fc.constantFrom(['path'], ['user name'], undefined),
    additionalProperties: fc.constantFrom(false, undefined),
    $schema: fc.constantFrom('http://json-schema.org/draft-07/schema#', undefined),
  })
  .map((fields) => JSON.parse(JSON.stringify(fields)) as Record<string, unknown>) // drops what is undefined

const tool: fc.Arbitrary<Tool> = fc
  .record({
    name: toolName,
    description: fc.constantFrom('Reads a file.', undefined),
    parameters: fc.option(schema, { nil: undefined }),
    strict: fc.constantFrom(true, false, undefined),
    custom: fc.option(fc.constantFrom({}, { grammar: { syntax: 'regex', definition: '[a-z]+' } }), {
      nil: undefined,
      freq: 6,
    }),
  })
  .map(({ custom, ...rest }): Tool => (custom === undefined ? rest : { name: rest.name, custom }))

const userPart: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: someText.map((text) => ({ type: 'text' as const, text })) },
  { weight: 1, arbitrary: fc.constant<Part>({ type: 'image', mediaType: 'image/png', data: PNG }) },
  {
    weight: 1,
    arbitrary: fc.constant<Part>({ type: 'file', mediaType: 'application/pdf', data: PDF, filename: 'a.pdf' }),
  },
)
const user: fc.Arbitrary<Message> = fc
  .array(userPart, { minLength: 1, maxLength: 3 })
  .map((content) => ({ role: 'user', content: [{ type: 'text', text: 'Go on.' }, ...content] }))

const resultContent: fc.Arbitrary<ToolResultPart['content']> = fc.oneof(
  { weight: 5, arbitrary: someText.map((text) => [{ type: 'text' as const, text }]) },
  { weight: 1, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.constant<ToolResultPart['content']>([{ type: 'image', mediaType: 'image/png', data: PNG }]),
  },
)

const picture: fc.Arbitrary<Part> = fc.constantFrom<Part>(
  { type: 'image', mediaType: 'image/png', data: PNG },
  { type: 'text', text: `See:\n\n![image](data:image/png;base64,${PNG})\n\nSeen?` },
)
const oddArguments = fc.constantFrom('{"id":2512292042121000001,"x":1.10}', '{}', 'null', '', '{"a":', '"{\\"a\\":1}"')

/** An answer of any provider, with the results of its calls. */
const exchange: fc.Arbitrary<readonly Message[]> = fc
  .record({
    thought: fc.option(fc.record({ text: someText, origin: fc.constantFrom(...DIALECTS), signed: fc.boolean() }), {
      nil: undefined,
    }),
    text: fc.option(fc.oneof(someText, fc.constantFrom('', '\n\n')), { nil: undefined }),
    pictures: fc.array(picture, { maxLength: 1 }),
    calls: fc.array(
      fc.record({
        id: callId,
        name: toolName,
        text: fc.oneof(
          fc.dictionary(argumentName, someText, { maxKeys: 3 }).map((one) => JSON.stringify(one)),
          oddArguments,
        ),
        custom: fc.constantFrom(undefined, undefined, undefined, true as const),
        origin: fc.constantFrom(undefined, undefined, ...DIALECTS),
      }),
      { maxLength: 3 },
    ),
    contents: fc.array(resultContent, { minLength: 3, maxLength: 3 }),
    isError: fc.boolean(),
  })
  .map(({ thought, text, pictures, calls, contents, isError }) => {
    const unique = calls.filter(({ id }, index) => calls.findIndex((call) => call.id === id) === index)
    const parts: Part[] = []
    if (thought !== undefined) {
      const signature = thought.signed ? `${thought.origin}:c2lnbmF0dXJl` : undefined
      parts.push({ type: 'reasoning', text: thought.text, signature })
    }
    if (text !== undefined) parts.push({ type: 'text', text })
    parts.push(...pictures)
    for (const { id, name, text: written, custom, origin } of unique) {
      const signature = origin && `${origin}:c2lnbmF0dXJl`
      parts.push({ type: 'tool-call', id, name, arguments: written, custom, signature } satisfies ToolCallPart)
    }
    if (parts.length === 0) parts.push({ type: 'text', text: 'Yes.' })
    const results: Part[] = unique.map(({ id, name }, index) => {
      return {
        type: 'tool-result',
        toolCallId: id,
        name,
        content: contents[index] ?? [],
        isError: isError || undefined,
      }
    })
    const answer: Message = { role: 'assistant', content: parts }
    return results.length === 0 ? [answer] : [answer, { role: 'tool', content: results }]
  })

/** Schemas of answers that strict services look at closely. */
const ODD: readonly Record<string, unknown>[] = [
  { type: 'string', default: 'x' },
  { type: 'string', format: 'uri' },
  { description: 'anything' },
  { type: 'array', items: {} },
  { type: 'object', additionalProperties: { type: 'string' } },
  { type: ['string', 'null'], format: 'date' },
].map((a) => ({ type: 'object', properties: { a, 'user name': { type: 'string' } }, required: ['a', 'user name'] }))
/** Schemas of what is no object. */
const LISTS: readonly Record<string, unknown>[] = [
  {
    type: 'array',
    items: { $ref: '#/$defs/row' },
    $defs: { row: { type: 'object', properties: { 'user name': {} } } },
  },
  { type: 'string', enum: ['a', 'b'] },
  { anyOf: [{ type: 'object', properties: { a: { type: 'string' } } }, { type: 'null' }] },
  { $ref: '#/$defs/one', $defs: { one: { type: 'integer' } } },
]

const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

/** One that some service answers: it begins with the user, and every call has its result. */
export const someConversation: fc.Arbitrary<ChatRequest> = fc
  .record({
    system: option(someText),
    first: user,
    turns: fc.array(fc.tuple(exchange, fc.option(user, { nil: undefined, freq: 3 })), { maxLength: 4 }),
    last: fc.boolean(),
    tools: fc.array(tool, { maxLength: 3 }),
    choice: fc.constantFrom('auto', 'required', 'none', undefined),
    parallelToolCalls: option(fc.boolean()),
    format: fc.constantFrom<ChatRequest['responseFormat'][]>(
      undefined,
      undefined,
      { type: 'json' },
      {
        type: 'json-schema',
        name: 'answer',
        schema: { type: 'object', properties: { a: { type: 'string' } } },
        strict: true,
      },
      ...[...LISTS, ...ODD].map((schema) => ({ type: 'json-schema' as const, name: 'a list', schema, strict: true })),
    ),
    answers: option(fc.integer({ min: 2, max: 3 })),
    logprobs: option(fc.integer({ min: 0, max: 3 }).map((top) => ({ top }))),
    maxTokens: option(fc.integer({ min: 1, max: 100_000 })),
    temperature: option(fc.constantFrom(0, 0.2, 1, 1.5)),
    topP: option(fc.constantFrom(0.5, 0.95, 1)),
    topK: option(fc.integer({ min: 1, max: 64 })),
    stop: option(
      fc.array(fc.constantFrom('END', '\n', '', 'STOP', '###', 'User:', '}'), { minLength: 1, maxLength: 6 }),
    ),
    seed: option(fc.nat()),
    presencePenalty: option(fc.constant(0.4)),
    reasoning: option(
      fc.oneof(
        fc.record({ effort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max') }),
        fc.record({ budgetTokens: fc.constantFrom(1024, 2000, 8000, 30_000) }),
        fc.constant({ adaptive: true as const }),
      ),
    ),
    user: option(fc.constantFrom('u1', 'ana@example.org', 'z'.repeat(140))),
  })
  .map(({ system, first, turns, last, tools, choice, format, ...options }): ChatRequest => {
    const messages: Message[] =
      system === undefined ? [] : [{ role: 'system', content: [{ type: 'text', text: system }] }]
    messages.push(first)
    for (const [answered, said] of turns) messages.push(...answered, ...(said === undefined ? [] : [said]))
    if (last && messages.at(-1)?.role === 'assistant')
      messages.push({ role: 'user', content: [{ type: 'text', text: 'And?' }] })
    const named = tools.filter(({ name }, index) => tools.findIndex((one) => one.name === name) === index)
    return {
      model: 'm',
      stream: false,
      messages,
      ...options,
      responseFormat: format,
      ...(named.length > 0 && { tools: named, toolChoice: choice }),
    }
  })
