/** Which fields of answers hold what was said, as opposed to ids, names and facts. */

/** Fields of all dialects that hold what a model, or the caller, said. */
export const CONTENT: ReadonlySet<string> = new Set([
  'content',
  'text',
  'thinking',
  'reasoning',
  'reasoning_content',
  'refusal',
  'arguments',
  'input',
  'partial_json',
  'delta',
  'transcript',
  'data',
  'signature',
  'thoughtSignature',
  'encrypted_content',
  'code',
  'output',
  'instructions',
  'token',
  'b64_json',
  'cited_text',
])
