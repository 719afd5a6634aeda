/**
 * Which fields of a request are hints, which a service may go without, and which carry what the caller means. A repair
 * never takes away the latter: then another target is asked, or the caller is told.
 */

import { asRecord } from '../../domain/json.ts'
import { inSnakeCase } from './changeAt.ts'

const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean))

/** At the top of a body, or in Gemini's `generationConfig`. */
const MEANING = set(`
  model messages input contents prompt system system_instruction instructions
  tools functions tool_choice tool_config function_call web_search_options mcp_servers plugins
  response_format format output_format response_mime_type response_schema response_json_schema
  n candidate_count stop stop_sequences logprobs top_logprobs response_logprobs
  modalities response_modalities audio speech_config image_config media_resolution
  max_tokens max_completion_tokens max_output_tokens stream
  previous_response_id previous_interaction_id conversation thread container cached_content background
  safety_settings dimensions output_dimensionality encoding_format task_type generation_config
`)

/** Where a conversation and its tools are. */
const HOLDS_CONTENT = set('messages input contents prompt system system_instruction instructions tools functions')

/** There, these say something about a part, and nothing that the model is to know. */
const HINTS_INSIDE = set(`
  cache_control prefix index annotations citations status phase logprobs metadata provider_options
  reasoning reasoning_content reasoning_details reasoning_text reasoning_signature thinking_blocks
  provider_specific_fields extra_content thought_signature created created_at timestamp eager_input_streaming
`)
/** Of a message, whose role says who speaks; of a tool it is the name. */
const HINTS_OF_MESSAGES = set('name id')

/** Parts of content and of options, which make no sense without them. */
const MEANING_INSIDE = set(`
  role content type text parts tool_calls tool_call_id function function_call function_response arguments id call_id
  name description parameters input output data url source image image_url file file_id file_data input_audio audio
  refusal mime_type media_type title budget_tokens encrypted_content signature is_error
`)
/** What is inside is a schema of the caller's, or what the answer must look like. */
const SCHEMAS = set(
  'parameters input_schema schema response_schema response_json_schema json_schema parameters_json_schema',
)

/** Whether `value`, at the end of the path, may be left out. */
export function isHint(path: readonly string[], value: unknown): boolean {
  const steps = path.filter((step) => step !== '[]').map(inSnakeCase)
  if (steps.length > 1 && steps[0] === 'generation_config') steps.shift()
  const [root = '', ...rest] = steps
  const last = rest.at(-1)
  if (saysNothing(path, value)) return true
  if (last === undefined) return !MEANING.has(root) && !('format' in (asRecord(value) ?? {}))
  if (steps.slice(0, -1).some((step) => SCHEMAS.has(step))) return false
  if (HOLDS_CONTENT.has(root)) return rest.some((step) => HINTS_INSIDE.has(step)) || isHintInside(root, last, value)
  // `text.verbosity`, `output_config.effort`, `tool_choice.disable_parallel_tool_use` beside what they are inside.
  if (MEANING.has(root) || rest.includes('format')) return HINTS_BESIDE_MEANING.has(last)
  return !MEANING_INSIDE.has(last)
}

const HINTS_BESIDE_MEANING = set('verbosity effort disable_parallel_tool_use')

function isHintInside(root: string, last: string, value: unknown): boolean {
  if (root !== 'tools' && root !== 'functions' && HINTS_OF_MESSAGES.has(last)) return true
  return !MEANING_INSIDE.has(last) && (typeof value === 'boolean' || typeof value === 'number')
}

/** A field whose value is that of its absence. */
export function saysNothing(path: readonly string[], value: unknown): boolean {
  if (value === null) return true
  if (path.length > 1) return false
  const name = path[0] ?? ''
  if (Array.isArray(value))
    return (
      (value.length === 0 && !CONVERSATION.has(name)) ||
      (MODALITIES.has(name) && value.length === 1 && value[0] === 'text')
    )
  if (name === 'n' || name === 'candidate_count') return value === 1
  return (value === false || value === 0) && (name === 'logprobs' || name === 'top_logprobs' || name === 'stream')
}

const CONVERSATION = set('messages input contents')
const MODALITIES = set('modalities response_modalities')
