import { expect, test } from 'vitest'
import { openai } from '../../providers/openai.ts'
import { classify } from './classify.ts'

/** Sentences as services write them, and what they say: window, prompt, answer; null for what they do not say. */
const SENTENCES: readonly [text: string, limit: number | null, input: number | null, output: number | null][] = [
  ['prompt is too long: 210000 tokens > 200000 maximum', 200_000, 210_000, null],
  [
    'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again',
    200_000,
    188_240,
    21_333,
  ],
  [
    "This model's maximum context length is 128000 tokens. However, you requested 130000 tokens (120000 in the messages, 10000 in the completion). Please reduce the length of the messages or completion.",
    128_000,
    120_000,
    10_000,
  ],
  [
    "This model's maximum context length is 8,192 tokens. However, you requested 9,500 tokens (8,000 in the messages, 500 in the functions, and 1,000 in the completion). Please reduce the length of the messages, functions, or completion.",
    8192,
    8500,
    1000,
  ],
  [
    "This endpoint's maximum context length is 64000 tokens. However, you requested about 64225 tokens (25 of text input, 200 of tool input, 64000 in the output). Please reduce the length of either one.",
    64_000,
    225,
    64_000,
  ],
  [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
    8192,
    9000,
    null,
  ],
  [
    "This model's maximum context length is 32768 tokens. However, you requested 32818 tokens in the messages, Please reduce the length of the messages.",
    32_768,
    32_818,
    null,
  ],
  [
    "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 65536 tokens and your request has 34006 input tokens (32000 > 65536 - 34006).",
    65_536,
    34_006,
    32_000,
  ],
  [
    "This model's maximum context length is 40960 tokens. However, you requested 8000 output tokens and your prompt contains at least 32961 input tokens, for a total of at least 40961 tokens.",
    40_960,
    32_961,
    8000,
  ],
  [
    'Your input exceeds the context window of this model. Please adjust your input and try again. (keywise: 900 + 300 tokens > 1000: x)',
    1000,
    900,
    300,
  ],
  [
    'The input token count (1058724) exceeds the maximum number of tokens allowed (1048576).',
    1_048_576,
    1_058_724,
    null,
  ],
  ['The input token count exceeds the maximum number of tokens allowed (1048576).', 1_048_576, null, null],
  ["This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 131_072, 537_812, null],
  ['request (40000 tokens) exceeds the available context size (32768 tokens), try increasing it', 32_768, 40_000, null],
  [
    'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
    32_768,
    40_000,
    null,
  ],
  ["The input (345516 tokens) is longer than the model's context length (262144 tokens).", 262_144, 345_516, null],
  [
    "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 9000 tokens: 5000 tokens from the input messages and 4000 tokens for the completion.",
    8192,
    5000,
    4000,
  ],
  ["Input length (196905) exceeds model's maximum context length (196608).", 196_608, 196_905, null],
  ['The prompt is too long: 300000, model maximum context length: 131072', 131_072, 300_000, null],
  ['too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000', 4081, 5000, null],
  [
    'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 500 `max_new_tokens`',
    4096,
    4000,
    500,
  ],
  [
    'Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192',
    8192,
    null,
    null,
  ],
  ['Your request exceeded model token limit: 262144 (requested: 300000)', 262_144, null, null],
  [
    'Input tokens exceed the configured limit of 922000 tokens. Your messages resulted in 1860900 tokens. Please reduce the length of the messages.',
    922_000,
    1_860_900,
    null,
  ],
  ['Your input exceeds the context window of this model. Please adjust your input and try again.', null, null, null],
]

function read(error: object) {
  const failure = classify({
    status: 400,
    headers: {},
    body: { error },
    provider: openai,
    model: 'gpt-4.1',
    now: 0,
    redact: (text) => text,
  })
  expect(failure).toMatchObject({ kind: 'context_too_long' })
  const found = failure.kind === 'context_too_long' ? failure : undefined
  return [found?.limitTokens ?? null, found?.inputTokens ?? null, found?.outputTokens ?? null]
}

test.each(SENTENCES)('%s', (message, limit, input, output) => {
  expect(read({ message, type: 'invalid_request_error' })).toEqual([limit, input, output])
})

test('numbers in fields beside a sentence that says none', () => {
  const message = 'the request exceeds the available context size. try increasing the context size'
  const error = { code: 400, message, type: 'exceed_context_size_error', n_prompt_tokens: 9000, n_ctx: 4096 }
  expect(read(error)).toEqual([4096, 9000, null])
})
