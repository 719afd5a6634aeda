/** The smallest bodies of each dialect that hold a tool call, its result, a schema and a text, and where those are. */

import type { DialectId } from '../../src/domain/chat.ts'
import { asArray, asRecord } from '../../src/domain/json.ts'

export type Body = Readonly<Record<string, unknown>>

interface Asked {
  /** JSON texts. */
  readonly args: string
  readonly result: string
  readonly schema: string
}

interface Answered {
  readonly args: string
  readonly text: string
}

export interface Wire {
  /** A client's request, as text. */
  request(asked: Asked): string
  sentArguments(body: Body): string
  sentResult(body: Body): string
  sentSchema(body: Body): unknown
  /** An upstream's answer, as text. */
  answer(answered: Answered): string
  gotArguments(body: Body): string
  gotText(body: Body): string
  /** The data of its events; `pieces`: the arguments cut up, for dialects that stream them so. */
  stream(answered: Answered & { readonly pieces: readonly string[] }): readonly string[]
  streamedArguments(events: readonly Body[]): string
  streamedText(events: readonly Body[]): string
}

/** The value at a path of names and places; undefined where it ends. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value
  for (const step of path) found = typeof step === 'number' ? asArray(found)?.at(step) : asRecord(found)?.[step]
  return found
}

/** The list at the path of an object, those of its items that have the field of that value. */
function items(value: unknown, field: string, wanted: unknown): readonly unknown[] {
  return (asArray(value) ?? []).filter((item) => at(item, field) === wanted)
}

const string = (value: unknown) => (typeof value === 'string' ? value : '')
const joined = (values: readonly unknown[]) => values.map(string).join('')
const json = JSON.stringify

const openai: Wire = {
  request: ({ args, result, schema }) =>
    `{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":${json(args)}}}]},{"role":"tool","tool_call_id":"c1","content":${result}}],"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}]}`,
  sentArguments: (body) => string(at(body, 'messages', 1, 'tool_calls', 0, 'function', 'arguments')),
  sentResult: (body) => string(at(body, 'messages', 2, 'content')),
  sentSchema: (body) => at(body, 'tools', 0, 'function', 'parameters'),
  answer: ({ args, text }) =>
    `{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":${text},"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":${json(args)}}}]},"finish_reason":"tool_calls"}]}`,
  gotArguments: (body) => string(at(body, 'choices', 0, 'message', 'tool_calls', 0, 'function', 'arguments')),
  gotText: (body) => string(at(body, 'choices', 0, 'message', 'content')),
  stream: ({ pieces, text }) => {
    const chunk = (delta: string, finish = 'null') =>
      `{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}`
    return [
      chunk(`{"role":"assistant","content":${text}}`),
      chunk('{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}'),
      ...pieces.map((piece) => chunk(`{"tool_calls":[{"index":0,"function":{"arguments":${json(piece)}}}]}`)),
      chunk('{}', '"tool_calls"'),
      '[DONE]',
    ]
  },
  streamedArguments: (events) =>
    joined(events.map((event) => at(event, 'choices', 0, 'delta', 'tool_calls', 0, 'function', 'arguments'))),
  streamedText: (events) => joined(events.map((event) => at(event, 'choices', 0, 'delta', 'content'))),
}

const responses: Wire = {
  request: ({ args, result, schema }) =>
    `{"model":"m","input":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"c1","name":"f","arguments":${json(args)}},{"type":"function_call_output","call_id":"c1","output":${result}}],"tools":[{"type":"function","name":"f","parameters":${schema}}]}`,
  sentArguments: (body) => string(at(items(body['input'], 'type', 'function_call'), 0, 'arguments')),
  sentResult: (body) => string(at(items(body['input'], 'type', 'function_call_output'), 0, 'output')),
  sentSchema: (body) => at(body, 'tools', 0, 'parameters'),
  answer: ({ args, text }) =>
    `{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"m","output":[{"type":"message","id":"m1","role":"assistant","status":"completed","content":[{"type":"output_text","text":${text},"annotations":[]}]},{"type":"function_call","id":"f1","call_id":"c1","name":"f","arguments":${json(args)}}]}`,
  gotArguments: (body) => string(at(items(body['output'], 'type', 'function_call'), 0, 'arguments')),
  gotText: (body) => string(at(items(body['output'], 'type', 'message'), 0, 'content', 0, 'text')),
  stream: ({ pieces, args, text }) => {
    const item = (said: string) =>
      `{"type":"function_call","id":"f1","call_id":"c1","name":"f","arguments":${json(said)}}`
    return [
      '{"type":"response.created","response":{"id":"resp_1","model":"m","status":"in_progress","output":[]}}',
      `{"type":"response.output_text.delta","output_index":0,"delta":${text}}`,
      `{"type":"response.output_item.added","output_index":1,"item":${item('')}}`,
      ...pieces.map(
        (piece) => `{"type":"response.function_call_arguments.delta","output_index":1,"delta":${json(piece)}}`,
      ),
      `{"type":"response.output_item.done","output_index":1,"item":${item(args)}}`,
      '{"type":"response.completed","response":{"id":"resp_1","model":"m","status":"completed","output":[]}}',
    ]
  },
  streamedArguments: (events) => {
    const done = items(events, 'type', 'response.output_item.done').map((event) => at(event, 'item'))
    return string(at(items(done, 'type', 'function_call'), 0, 'arguments'))
  },
  streamedText: (events) =>
    joined(items(events, 'type', 'response.output_text.delta').map((event) => at(event, 'delta'))),
}

const anthropic: Wire = {
  request: ({ args, result, schema }) =>
    `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":${args}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":${result}}]}],"tools":[{"name":"f","input_schema":${schema}}]}`,
  sentArguments: (body) => json(at(body, 'messages', 1, 'content', 0, 'input')) ?? '',
  sentResult: (body) => {
    const content = at(body, 'messages', 2, 'content', 0, 'content')
    return string(content) || string(at(content, 0, 'text'))
  },
  sentSchema: (body) => at(body, 'tools', 0, 'input_schema'),
  answer: ({ args, text }) =>
    `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":${text}},{"type":"tool_use","id":"c1","name":"f","input":${args}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`,
  gotArguments: (body) => json(at(items(body['content'], 'type', 'tool_use'), 0, 'input')) ?? '',
  gotText: (body) => string(at(items(body['content'], 'type', 'text'), 0, 'text')),
  stream: ({ pieces, text }) => [
    '{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}',
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${text}}}`,
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c1","name":"f","input":{}}}',
    ...pieces.map(
      (piece) =>
        `{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":${json(piece)}}}`,
    ),
    '{"type":"content_block_stop","index":1}',
    '{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":1}}',
    '{"type":"message_stop"}',
  ],
  streamedArguments: (events) => joined(events.map((event) => at(event, 'delta', 'partial_json'))) || '{}',
  streamedText: (events) => joined(events.map((event) => at(event, 'delta', 'text'))),
}

const google: Wire = {
  request: ({ args, result, schema }) =>
    `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":${args}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":${result}}}}]}],"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":${schema}}]}]}`,
  sentArguments: (body) => json(at(body, 'contents', 1, 'parts', 0, 'functionCall', 'args')) ?? '',
  sentResult: (body) => {
    const response = at(body, 'contents', 2, 'parts', 0, 'functionResponse', 'response')
    return string(at(response, 'output')) || (json(response) ?? '')
  },
  sentSchema: (body) => {
    const declaration = at(body, 'tools', 0, 'functionDeclarations', 0)
    return at(declaration, 'parametersJsonSchema') ?? at(declaration, 'parameters')
  },
  answer: ({ args, text }) =>
    `{"candidates":[{"content":{"role":"model","parts":[{"text":${text}},{"functionCall":{"name":"f","args":${args}}}]},"finishReason":"STOP","index":0}],"modelVersion":"m","responseId":"r"}`,
  gotArguments: (body) =>
    json(at(asArray(at(body, 'candidates', 0, 'content', 'parts'))?.at(-1), 'functionCall', 'args')) ?? '',
  gotText: (body) => string(at(body, 'candidates', 0, 'content', 'parts', 0, 'text')),
  stream: ({ args, text }) => {
    const piece = (part: string, finish = '') =>
      `{"candidates":[{"content":{"role":"model","parts":[${part}]},"index":0${finish}}],"modelVersion":"m","responseId":"r"}`
    return [piece(`{"text":${text}}`), piece(`{"functionCall":{"name":"f","args":${args}}}`, ',"finishReason":"STOP"')]
  },
  streamedArguments: (events) => {
    const parts = events.flatMap((event) => asArray(at(event, 'candidates', 0, 'content', 'parts')) ?? [])
    return json(parts.map((part) => at(part, 'functionCall', 'args')).find((args) => args !== undefined)) ?? ''
  },
  streamedText: (events) => joined(events.map((event) => at(event, 'candidates', 0, 'content', 'parts', 0, 'text'))),
}

export const WIRES: { readonly [D in DialectId]: Wire } = {
  openai,
  'openai-responses': responses,
  anthropic,
  google,
}
