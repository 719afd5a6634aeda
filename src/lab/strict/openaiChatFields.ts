/** The fields of OpenAI's Chat Completions; any other is refused. https://platform.openai.com/docs/api-reference/chat */

const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean))

/** From `openai` 7 (`resources/chat/completions`). */
export const CHAT_FIELDS = set(`
  messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
  metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
  prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop
  store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
`)

/** Known to older models only; the newer ones call them unknown. */
export const FORMER_FIELDS = set('audio modalities web_search_options')

export const STREAM_FIELDS = set('include_usage include_obfuscation')

export const MESSAGE_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  developer: set('content role name'),
  system: set('content role name'),
  user: set('content role name tool_calls'),
  assistant: set('role audio content function_call name refusal tool_calls annotations'),
  tool: set('content role tool_call_id name'),
  function: set('content name role'),
}

export const PART_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: set('text type prompt_cache_breakpoint'),
  image_url: set('image_url type prompt_cache_breakpoint'),
  input_audio: set('input_audio type prompt_cache_breakpoint'),
  file: set('file type prompt_cache_breakpoint'),
  refusal: set('refusal type'),
}

export const TOOL_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  function: set('type function'),
  custom: set('type custom'),
}

/** `tools[0].function`. */
export const FUNCTION_FIELDS = set('name description parameters strict')

/** `messages[1].tool_calls[0]`; the `index` of a stream is not among them. */
export const CALL_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  function: set('id type function'),
  custom: set('id type custom'),
}
