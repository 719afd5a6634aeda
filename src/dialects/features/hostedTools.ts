/** Tools that run at the provider. They are in the extra fields of the dialect that has them. */

import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import { asArray, asRecord, asString, asText } from '../../domain/json.ts'
import { clientTool } from '../anthropic/clientTools.ts'

/** Their names, as the client spells them. */
export function hostedTools({ extra }: Pick<ChatRequest, 'extra'>): readonly string[] {
  if (extra === undefined) return []
  const tools = asArray(extra.fields['tools']) ?? []
  return [...tools.flatMap((tool) => NAMES[extra.dialect](asRecord(tool) ?? {})), ...otherNames(extra.fields)]
}

type Names = (tool: Readonly<Record<string, unknown>>) => readonly string[]

const byType: Names = ({ type }) => (typeof type === 'string' ? [type] : [])

const NAMES: { readonly [D in DialectId]: Names } = {
  openai: byType,
  'openai-responses': byType,
  anthropic: ({ type, name }) => {
    const isOwn = type == null || type === 'custom' || clientTool(type) !== undefined
    return isOwn ? [] : [asString(name) ?? asText(type)]
  },
  google: (tool) => Object.keys(tool).filter((name) => !/^function_?declarations$/i.test(name)),
}

/** Fields that switch a tool on, whatever the choice among tools. */
const SWITCHES = ['web_search_options', 'plugins'] as const
const FIELDS = [...SWITCHES, 'mcp_servers'] as const

function otherNames(fields: Readonly<Record<string, unknown>>): readonly string[] {
  return FIELDS.filter((name) => fields[name] != null && (asArray(fields[name])?.length ?? 1) > 0)
}

/**
 * Whether the answer is wrong without them: one of them is forced, or there is nothing else to call. An explicit `auto`
 * says that the model may do without.
 */
export function isHostedDemanded(request: ChatRequest, hosted: readonly string[]): boolean {
  const { toolChoice, tools, allowedTools, extra } = request
  const isUnread = toolChoice === undefined && extra?.fields['tool_choice'] !== undefined && allowedTools === undefined
  if (isUnread || SWITCHES.some((name) => hosted.includes(name))) return true
  if (hosted.length === 0) return false
  if (toolChoice === 'none' || toolChoice === 'auto') return false
  if (typeof toolChoice === 'object') return !tools?.some(({ name }) => name === toolChoice.name)
  return (tools?.length ?? 0) === 0
}
