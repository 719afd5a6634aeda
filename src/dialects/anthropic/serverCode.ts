/**
 * Code that the model had run at the provider, and what it printed:
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool
 */

import type { TextPart } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { fence } from '../fields/fence.ts'
import type { Fields } from '../fields/requestFields.ts'

/** As fenced text, with the block itself beside it; undefined for every other block. */
export function readServerCode(block: Fields): TextPart | undefined {
  const text = block['type'] === 'server_tool_use' ? codeText(block) : outputText(block)
  return text === undefined ? undefined : { type: 'text', text, extra: { dialect: 'anthropic', fields: block } }
}

function codeText(block: Fields): string | undefined {
  if (!asString(block['name'])?.endsWith('code_execution')) return undefined
  const input = asRecord(block['input'])
  const code = asString(input?.['code'])
  const command = asString(input?.['command'])
  if (code !== undefined) return fence(code, 'python')
  return command === undefined || block['name'] !== 'bash_code_execution' ? undefined : fence(command, 'bash')
}

function outputText(block: Fields): string | undefined {
  if (!asString(block['type'])?.endsWith('code_execution_tool_result')) return undefined
  const content = asRecord(block['content'])
  const [printed, complaints] = [asString(content?.['stdout']), asString(content?.['stderr'])]
  if (printed === undefined && complaints === undefined) return undefined
  return fence(`${printed ?? ''}${complaints ?? ''}`, '')
}
