/**
 * The fields of OpenAI's Responses API and of the items of its input; any other is refused.
 * https://platform.openai.com/docs/api-reference/responses/create, and `openai` 7 (`resources/responses`).
 * `client_metadata` is in no document, but codex sends it with every request, to whatever server it is pointed at:
 * https://github.com/openai/codex/blob/main/codex-rs/core/src/client.rs (2026-11-29).
 */

const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean))

export const RESPONSES_FIELDS = set(`
  access_programs background client_metadata context_management conversation frequency_penalty image include input instructions
  max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls presence_penalty previous_response_id
  prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store
  stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user
`)

/** Where fields of Chat Completions went. */
export const MOVED_FIELDS: Readonly<Record<string, string>> = {
  messages: 'input',
  response_format: 'text.format',
  max_tokens: 'max_output_tokens',
  max_completion_tokens: 'max_output_tokens',
  reasoning_effort: 'reasoning.effort',
}

export const STREAM_FIELDS_OF_RESPONSES = set('include_obfuscation')
export const TEXT_FIELDS = set('format verbosity')
export const REASONING_FIELDS = set('context effort generate_summary mode summary')

interface ItemShape {
  readonly fields: ReadonlySet<string>
  readonly required: readonly string[]
  /** What its id begins with. */
  readonly prefix: string | null
}

/** The kinds of items whose fields are looked at. */
export const ITEM_SHAPES: Readonly<Record<string, ItemShape>> = {
  function_call: {
    fields: set('arguments call_id name type id async caller namespace status'),
    required: ['call_id', 'name', 'arguments'],
    prefix: 'fc',
  },
  function_call_output: {
    fields: set('output type id call_id caller name namespace status'),
    required: ['call_id', 'output'],
    prefix: 'fc',
  },
  custom_tool_call: {
    fields: set('call_id input name type id async caller namespace status'),
    required: ['call_id', 'name', 'input'],
    prefix: 'ctc',
  },
  custom_tool_call_output: {
    fields: set('call_id output type id caller status'),
    required: ['call_id', 'output'],
    prefix: null,
  },
  reasoning: {
    fields: set('id summary type content encrypted_content status'),
    required: ['summary'],
    prefix: 'rs',
  },
  item_reference: { fields: set('id type'), required: ['id'], prefix: null },
}

const MESSAGE = 'content role type id status'
/** `phase` is the assistant's only. */
export const MESSAGE_SHAPES: Readonly<Record<string, ReadonlySet<string>>> = {
  user: set(MESSAGE),
  system: set(MESSAGE),
  developer: set(MESSAGE),
  assistant: set(`${MESSAGE} phase`),
}

/** Every kind of item; the service lists them all when it meets another. */
export const ITEM_TYPES = [
  'message',
  'file_search_call',
  'computer_call',
  'computer_call_output',
  'web_search_call',
  'function_call',
  'function_call_output',
  'tool_search_call',
  'tool_search_output',
  'additional_tools',
  'configuration_update',
  'reasoning',
  'compaction',
  'image_generation_call',
  'code_interpreter_call',
  'local_shell_call',
  'local_shell_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'mcp_call',
  'custom_tool_call_output',
  'custom_tool_call',
  'compaction_trigger',
  'item_reference',
  'program',
  'program_output',
]

/** Parts of an input by their kind. */
export const INPUT_PART_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  input_text: set('text type prompt_cache_breakpoint'),
  input_image: set('detail type file_id image_url prompt_cache_breakpoint'),
  input_file: set('type detail file_data file_id file_url filename prompt_cache_breakpoint'),
  input_audio: set('type input_audio'),
  output_text: set('annotations text type logprobs'),
  refusal: set('refusal type'),
}

export const TOOL_FIELDS_OF_RESPONSES = set(
  'name parameters strict type allowed_callers async defer_loading description output_schema',
)
