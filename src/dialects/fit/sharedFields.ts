/** What OpenAI's two dialects both have fields for, told to a service of the other one. */

import type { ChatRequest, Extra } from '../../domain/chat.ts'
import { asRecord } from '../../domain/json.ts'
import type { SharedField } from '../../domain/wireFacts.ts'
import type { Recipient } from './recipient.ts'

const NONE: readonly SharedField[] = []

/** The fields that the service takes; nothing where client and service are not of OpenAI's two dialects. */
export function sharedFields({ extra }: ChatRequest, { dialect, wire }: Recipient): Readonly<Record<string, unknown>> {
  const areBoth = extra?.dialect.startsWith('openai') === true && dialect.startsWith('openai')
  if (!areBoth || extra.dialect === dialect) return {}
  const said = (wire.sharedFields ?? NONE).map((name) => [name, saidIn(extra, name)] as const)
  const told = Object.fromEntries(said.filter(([, value]) => value != null))
  // "The 'metadata' parameter is only allowed when 'store' is enabled.": https://github.com/QwenLM/qwen-code/issues/243
  if (dialect === 'openai' && told['store'] !== true) delete told['metadata']
  return told
}

function saidIn({ dialect, fields }: Extra, name: SharedField): unknown {
  return name === 'verbosity' && dialect === 'openai-responses' ? asRecord(fields['text'])?.[name] : fields[name]
}
