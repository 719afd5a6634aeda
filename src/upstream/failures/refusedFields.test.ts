import { describe, expect, test } from 'vitest'
import type { FieldRefusal } from '../../domain/fieldRefusal.ts'
import { redactShapes } from '../../domain/redact.ts'
import { defineProvider } from '../../providers/provider.ts'
import { classify } from './classify.ts'

const provider = defineProvider({
  id: 'somebody',
  name: 'Somebody',
  dialect: 'openai',
  baseUrl: 'https://api.somebody.example/v1',
  auth: 'bearer',
  keyCheck: 'call',
  modelsList: null,
  quotaScope: 'account+model',
  dayBoundary: 'rolling',
  trainsOnFreePrompts: null,
  seedLimits: [],
  models: [],
  env: [],
  verified: false,
})

function fieldsOf(body: unknown, status = 400): readonly FieldRefusal[] | undefined {
  const failure = classify({ status, headers: {}, body, provider, model: 'some-model', now: 0, redact: redactShapes })
  if (failure.kind !== 'unsupported' && failure.kind !== 'bad_request') throw new TypeError(`a ${failure.kind}`)
  return failure.fields
}

const openai = (message: string, param: string | null = null, code: string | null = null) => ({
  error: { message, type: 'invalid_request_error', param, code },
})
const anthropic = (message: string) => ({ type: 'error', error: { type: 'invalid_request_error', message } })
const google = (message: string) => ({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } })
const forbidden = (...loc: (string | number)[]) => ({
  type: 'extra_forbidden',
  loc,
  msg: 'Extra inputs are not permitted',
  input: 1,
})

describe('a field that is refused as such is named', () => {
  test.each<[name: string, body: unknown, paths: readonly string[]]>([
    ['without quotes', openai('Unrecognized request argument supplied: usage'), ['usage']],
    ['with others', openai('Unrecognized request arguments supplied: top_k, min_p'), ['top_k', 'min_p']],
    [
      'by its path, with another name suggested',
      openai(
        "Unknown parameter: 'messages[1].prefix'. Did you mean 'messages[1].refusal'?",
        'messages[1].prefix',
        'unknown_parameter',
      ),
      ['messages[].prefix'],
    ],
    [
      'by its path without a code',
      openai("Unknown parameter: 'messages[0].content[2].cache_control'."),
      ['messages[].content[].cache_control'],
    ],
    [
      'as unsupported by the model',
      openai("Unsupported parameter: 'top_p' is not supported with this model.", 'top_p', 'unsupported_parameter'),
      ['top_p'],
    ],
    [
      'with the name to use instead',
      openai(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        'max_tokens',
        'unsupported_parameter',
      ),
      ['max_tokens'],
    ],
    [
      'as a value other than its default',
      openai(
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
        'temperature',
        'unsupported_value',
      ),
      ['temperature'],
    ],
    ['as an unsupported property', openai("property 'store' is unsupported"), ['store']],
    [
      'as a property of a message',
      openai(
        "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]",
      ),
      ['messages[].reasoning_content'],
    ],
    [
      'as a property with the whole path',
      {
        message:
          "messages.1.assistant.reasoning_content: property 'messages.1.assistant.reasoning_content' is unsupported",
        type: 'invalid_request_error',
        param: 'validation_error',
        code: 'wrong_api_format',
      },
      ['messages[].assistant.reasoning_content'],
    ],
    ['in a list of validation errors', { detail: [forbidden('body', 'top_k')] }, ['top_k']],
    [
      'in a list of several',
      { detail: [forbidden('body', 'messages', 1, 'assistant', 'prefix'), forbidden('body', 'store')] },
      ['messages[].assistant.prefix', 'store'],
    ],
    [
      'in a wrapped list',
      { object: 'error', message: { detail: [forbidden('body', 'user')] }, type: 'invalid_request_error' },
      ['user'],
    ],
    [
      'in a list printed as JSON',
      openai(JSON.stringify({ detail: [forbidden('body', 'messages', 0, 'user', 'name')] })),
      ['messages[].user.name'],
    ],
    [
      'in a list printed by Python',
      {
        object: 'error',
        message:
          "[{'type': 'extra_forbidden', 'loc': ('body', 'safe_prompt'), 'msg': 'Extra inputs are not permitted', 'input': True}]",
        type: 'BadRequestError',
        code: 400,
      },
      ['safe_prompt'],
    ],
    [
      'in the error of a provider that a router asked',
      {
        error: {
          message: 'Provider returned error',
          code: 400,
          metadata: { raw: JSON.stringify({ detail: [forbidden('body', 'verbosity')] }), provider_name: 'Somebody' },
        },
      },
      ['verbosity'],
    ],
    ['before what is said of it', anthropic('store: Extra inputs are not permitted'), ['store']],
    [
      'by a path with the type of a part',
      anthropic('messages.0.content.1.image.detail: Extra inputs are not permitted'),
      ['messages[].content[].image.detail'],
    ],
    [
      'behind what is said of it',
      {
        error: {
          object: 'error',
          message: "Extra inputs are not permitted, field: 'messages[2].reasoning', value: 'x'",
        },
      },
      ['messages[].reasoning'],
    ],
    [
      'in the words of pydantic 1',
      openai('1 validation error for Request\nbody -> messages -> 0 -> prefix\n  extra fields not permitted'),
      ['messages[].prefix'],
    ],
    [
      'with the place it is in',
      google(
        'Invalid JSON payload received. Unknown name "x" at \'generation_config.thinking_config\': Cannot find field.',
      ),
      ['generation_config.thinking_config.x'],
    ],
    [
      'with a place of many steps, once for each',
      google(
        [
          'Invalid JSON payload received. Unknown name "id" at \'contents[1].parts[0].function_response.response.candidates\': Cannot find field.',
          'Invalid JSON payload received. Unknown name "store": Cannot find field.',
        ].join('\n'),
      ),
      ['contents[].parts[].function_response.response.candidates.id', 'store'],
    ],
    [
      "in the service's own spelling",
      { code: 'invalid-argument', error: 'Model some-model does not support parameter presencePenalty.' },
      ['presencePenalty'],
    ],
    [
      'by a reader that knows all fields',
      openai(
        'Failed to deserialize the JSON body into the target type: messages[1]: unknown field `prefix`, expected one of `role`, `content` at line 1 column 90',
      ),
      ['messages[].prefix'],
    ],
    [
      'by a function that was called with it',
      openai("Completions.create() got an unexpected keyword argument 'top_k'"),
      ['top_k'],
    ],
    ['as not supported, in quotes', openai('`logit_bias` is not supported with this model'), ['logit_bias']],
    [
      'in front of what it stands for',
      openai('messages[1].reasoning: reasoning is not supported with this model'),
      ['messages[].reasoning'],
    ],
    ['as one of some', openai('Validation: Unsupported parameter(s): `logit_bias`, `seed`'), ['logit_bias', 'seed']],
    ['as an empty list', openai("Invalid 'tools': empty array. Expected an array with minimum length 1."), ['tools']],
    ['by a reader in another language', openai('json: unknown field "store"'), ['store']],
    ['in front of the word parameter', anthropic('This model does not support the effort parameter.'), ['effort']],
    ['as deprecated', anthropic('`temperature` is deprecated for this model.'), ['temperature']],
    [
      'as an additional property',
      openai("Additional properties are not allowed ('seed', 'user' were unexpected)"),
      ['seed', 'user'],
    ],
  ])('%s', (_name, body, paths) => {
    expect(fieldsOf(body, 'detail' in (body as object) ? 422 : 400)).toEqual(
      paths.map((path) => ({ path, refused: 'field' })),
    )
  })
})

describe('what is said to be taken instead is read', () => {
  test.each<[name: string, body: unknown, field: FieldRefusal]>([
    [
      'a list behind the name',
      openai(
        "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'none', 'low', 'medium', 'high', and 'xhigh'.",
        'reasoning_effort',
        'unsupported_value',
      ),
      { path: 'reasoning_effort', refused: 'value', taken: ['none', 'low', 'medium', 'high', 'xhigh'] },
    ],
    [
      'a list beside the parameter',
      openai(
        "Unsupported value: 'minimal' is not supported with the 'some-model' model. Supported values are: 'low' and 'high'.",
        'reasoning.effort',
        'unsupported_value',
      ),
      { path: 'reasoning.effort', refused: 'value', taken: ['low', 'high'] },
    ],
    [
      'a list in backquotes',
      openai('`reasoning_effort` must be one of `low`, `medium`, or `high`'),
      { path: 'reasoning_effort', refused: 'value', taken: ['low', 'medium', 'high'] },
    ],
    [
      'the variants of a type',
      openai(
        'Failed to deserialize the JSON body into the target type: reasoning_effort: unknown variant `minimal`, expected one of `high`, `low` at line 1 column 9',
      ),
      { path: 'reasoning_effort', refused: 'value', taken: ['high', 'low'] },
    ],
    [
      'a list of a validator',
      anthropic("output_config.effort: Input should be 'low', 'medium' or 'high'"),
      { path: 'output_config.effort', refused: 'value', taken: ['low', 'medium', 'high'] },
    ],
    [
      'a list in validation errors',
      {
        detail: [
          {
            type: 'literal_error',
            loc: ['body', 'reasoning_effort'],
            msg: "Input should be 'none' or 'high'",
            input: 'low',
          },
        ],
      },
      { path: 'reasoning_effort', refused: 'value', taken: ['none', 'high'] },
    ],
    [
      'a list of levels',
      anthropic("This model does not support effort level 'max'. Supported levels: high, low, medium."),
      { path: 'effort', refused: 'value', taken: ['high', 'low', 'medium'] },
    ],
    [
      'what it may not stand beside',
      anthropic('`temperature` and `top_p` cannot both be specified for this model. Please use only one.'),
      { path: 'top_p', refused: 'beside', other: 'temperature' },
    ],
    [
      'that it may not stand beside thinking',
      anthropic('`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.'),
      { path: 'top_p', refused: 'beside', other: 'thinking' },
    ],
    [
      'the longest text',
      openai(
        "Invalid 'user': string too long. Expected a string with maximum length 64, but got a string with length 100 instead.",
        'user',
        'string_above_max_length',
      ),
      { path: 'user', refused: 'length', most: 64 },
    ],
    [
      "the longest text, in a validator's words",
      anthropic('metadata.user_id: String should have at most 256 characters'),
      { path: 'metadata.user_id', refused: 'length', most: 256 },
    ],
    [
      'the only value beside tools',
      openai(
        "Function tools with reasoning_effort are not supported for some-model in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
        'reasoning_effort',
      ),
      { path: 'reasoning_effort', refused: 'beside-tools', taken: 'none' },
    ],
    [
      'the tools that are missing',
      openai(
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        'tool_choice',
      ),
      { path: 'tool_choice', refused: 'alone', without: 'tools' },
    ],
    [
      'the option that is missing',
      openai("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", 'top_logprobs'),
      { path: 'top_logprobs', refused: 'alone', without: 'logprobs' },
    ],
    [
      'the option that is missing, the other way round',
      openai('Invalid top_logprobs and logprobs value, logprobs must be set to true if top_logprobs is used.'),
      { path: 'top_logprobs', refused: 'alone', without: 'logprobs' },
    ],
  ])('%s', (_name, body, field) => {
    expect(fieldsOf(body, 'detail' in (body as object) ? 422 : 400)).toEqual([field])
  })
})

describe('no field is read from', () => {
  test.each<[name: string, body: unknown]>([
    ['a schema that is wrong', openai("Invalid schema for function 'f': In context=(), 'oneOf' is not supported.")],
    ['a value of which nothing else is said', openai("Invalid value for 'voice'.", 'voice', 'invalid_value')],
    ['a prompt that is echoed', openai(`Cannot read "${'Unknown parameter: user. '.repeat(9)}"`)],
    ['a sentence about the request', openai('Unknown parameter in your request')],
    ['names that no body has', openai("Unknown parameter: '[1].x y'")],
  ])('%s', (_name, body) => {
    expect(fieldsOf(body)).toBeUndefined()
  })
})
