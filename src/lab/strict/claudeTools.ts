/** Tools, the choice among them, and how calls and results pair up. */

import { asArray, asRecord } from '../../domain/json.ts'
import { claudeFacts } from './claudeModels.ts'
import { brokenSchemaAt } from './claudeSchema.ts'
import { blocksOf, type ClaudeFields, claudeRule, firstProblem, placedBlocks, turnsOf } from './claudeWire.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

const DEFINE = 'https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools'
const SDK = 'https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/messages/messages.ts'
const SEARCH = 'https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool'
const HANDLE = 'https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls'

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/
const CALL_ID = /^[a-zA-Z0-9_-]+$/
const PROPERTY = /^[a-zA-Z0-9_.-]{1,64}$/

const SERVER_TOOLS = [
  ...['advisor_', 'bash_', 'browser_toolset_', 'code_execution_', 'computer_', 'memory_', 'text_editor_'],
  ...['tool_search_tool_', 'web_fetch_', 'web_search_', 'mcp_toolset'],
]
const TOOL_TAGS = "'bash_20250124', 'custom', 'text_editor_20250124', 'text_editor_20250429', 'text_editor_20250728'"

interface PlacedTool {
  readonly tool: ClaudeFields
  readonly place: string
}

/** The caller's own tools, with their schemas. */
function customTools({ body }: StrictRequest): readonly PlacedTool[] {
  return blocksOf(body['tools'])
    .map((tool, index) => ({ tool, place: `tools.${index}.custom` }))
    .filter(({ tool }) => tool['type'] == null || tool['type'] === 'custom')
}

function toolType({ body }: StrictRequest) {
  return firstProblem([...blocksOf(body['tools']).entries()], ([index, { type }]) => {
    if (type == null || type === 'custom' || SERVER_TOOLS.some((name) => sentText(type).startsWith(name))) return null
    return `tools.${index}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${TOOL_TAGS}`
  })
}

function toolName(request: StrictRequest) {
  return firstProblem(customTools(request), ({ tool, place }) => {
    if (tool['name'] === undefined) return `${place}.name: Field required`
    return TOOL_NAME.test(sentText(tool['name'])) ? null : `${place}.name: ${MISMATCH} '${TOOL_NAME.source}'`
  })
}

const MISMATCH = 'String should match pattern'

function doubleNames({ body }: StrictRequest): string | null {
  const names = blocksOf(body['tools']).map((tool) => tool['name'])
  return new Set(names).size < names.length ? 'tools: Tool names must be unique.' : null
}

function inputSchema(request: StrictRequest) {
  return firstProblem(customTools(request), ({ tool, place }) => {
    const schema = asRecord(tool['input_schema'])
    if (!schema) return `${place}.input_schema: Field required`
    if (schema['type'] === undefined) return `${place}.input_schema.type: Field required`
    return schema['type'] === 'object' ? null : `${place}.input_schema.type: Input should be 'object'`
  })
}

function topLevelChoice(request: StrictRequest) {
  return firstProblem(customTools(request), ({ tool, place }) => {
    const schema = asRecord(tool['input_schema']) ?? {}
    return ['oneOf', 'allOf', 'anyOf'].some((keyword) => schema[keyword] !== undefined)
      ? `${place}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`
      : null
  })
}

function propertyNames(request: StrictRequest) {
  return firstProblem(customTools(request), ({ tool, place }) => {
    const properties = asRecord(asRecord(tool['input_schema'])?.['properties']) ?? {}
    return Object.keys(properties).every((name) => PROPERTY.test(name))
      ? null
      : `${place}.input_schema.properties: Property keys should match pattern '${PROPERTY.source}'`
  })
}

const DRAFT =
  'JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12). ' +
  'Learn more about tool use at https://docs.claude.com/en/docs/tool-use.'

function brokenSchema(request: StrictRequest) {
  return firstProblem(customTools(request), ({ tool, place }) =>
    brokenSchemaAt(tool['input_schema']) ? `${place}.input_schema: ${DRAFT}` : null,
  )
}

function choiceWithoutTools({ body }: StrictRequest): string | null {
  const type = asRecord(body['tool_choice'])?.['type']
  if (type === undefined || (asArray(body['tools']) ?? []).length > 0) return null
  return `tool_choice.${type} may only be specified while providing tools`
}

function unknownChoice({ body }: StrictRequest): string | null {
  const { type, name } = asRecord(body['tool_choice']) ?? {}
  if (type !== 'tool' || blocksOf(body['tools']).some((tool) => tool['name'] === name)) return null
  return `Tool '${name}' not found in provided tools`
}

function allDeferred({ body }: StrictRequest): string | null {
  const tools = blocksOf(body['tools'])
  return tools.length > 0 && tools.every((tool) => tool['defer_loading'] === true)
    ? 'All tools have defer_loading set. At least one tool must be non-deferred.'
    : null
}

/** What a client's own search has found stands in a tool's result. */
function unknownReference({ body }: StrictRequest): string | null | undefined {
  const names = new Set(blocksOf(body['tools']).map((tool) => tool['name']))
  return firstProblem(placedBlocks(body), ({ block, type }) =>
    type === 'tool_reference' && !names.has(block['tool_name'])
      ? `Tool reference '${block['tool_name']}' has no corresponding tool definition`
      : null,
  )
}

export function isForced(body: StrictRequest['body']): boolean {
  return ['any', 'tool'].includes(sentText(asRecord(body['tool_choice'])?.['type']))
}

function callFields({ body }: StrictRequest) {
  return firstProblem(placedBlocks(body), ({ block, type, place, role }) => {
    if (type === 'tool_result' && !CALL_ID.test(sentText(block['tool_use_id'])))
      return `${place}.tool_result.tool_use_id: ${MISMATCH} '${CALL_ID.source}'`
    if (type !== 'tool_use') return null
    if (role !== 'assistant') {
      return `messages.${place.split('.')[1]}: \`tool_use\` blocks can only be in \`assistant\` messages`
    }
    if (!CALL_ID.test(sentText(block['id']))) return `${place}.tool_use.id: ${MISMATCH} '${CALL_ID.source}'`
    if (!TOOL_NAME.test(sentText(block['name']))) return `${place}.tool_use.name: ${MISMATCH} '${TOOL_NAME.source}'`
    return asRecord(block['input']) ? null : `${place}.tool_use.input: Input should be a valid dictionary`
  })
}

function doubleCalls({ body }: StrictRequest) {
  const seen = new Set<unknown>()
  return firstProblem(placedBlocks(body), ({ block, type, place }) => {
    if (type !== 'tool_use') return null
    if (seen.has(block['id'])) return `${place}: \`tool_use\` ids must be unique`
    seen.add(block['id'])
    return null
  })
}

/** Calls are answered by the results with which the next turn begins. */
function unansweredCalls({ body }: StrictRequest): string | null | undefined {
  const turns = turnsOf(body)
  return firstProblem([...turns.entries()], ([at, turn]) => {
    const calls = turn.blocks.filter(({ type }) => type === 'tool_use').map(({ block }) => block['id'])
    const next = turns[at + 1]?.blocks ?? []
    const other = next.findIndex(({ type }) => type !== 'tool_result')
    const results = (other < 0 ? next : next.slice(0, other)).map(({ block }) => block['tool_use_id'])
    const open = calls.filter((id) => !results.includes(id))
    if (open.length === 0) return null
    return (
      `messages.${turn.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
      `${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    )
  })
}

function orphanResults({ body }: StrictRequest): string | null | undefined {
  const turns = turnsOf(body)
  return firstProblem([...turns.entries()], ([at, turn]) => {
    const calls = new Set((turns[at - 1]?.blocks ?? []).map(({ type, block }) => type === 'tool_use' && block['id']))
    return firstProblem(turn.blocks, ({ block, type, place }) => {
      const id = block['tool_use_id']
      if (type !== 'tool_result' || calls.has(sentText(id))) return null
      return (
        `${place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. ` +
        'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.'
      )
    })
  })
}

function doubleResults({ body }: StrictRequest): string | null | undefined {
  const seen = new Set<unknown>()
  return firstProblem(placedBlocks(body), ({ block, type, place }) => {
    const id = block['tool_use_id']
    if (type !== 'tool_result') return null
    if (seen.has(id))
      return `${place}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`
    seen.add(id)
    return null
  })
}

export const claudeToolRules: readonly Rule[] = [
  claudeRule('tool-type', DEFINE, toolType),
  claudeRule('tool-name', DEFINE, toolName),
  claudeRule('tool-names-unique', DEFINE, doubleNames),
  claudeRule('tool-input-schema', SDK, inputSchema),
  claudeRule('tool-schema-choice', 'https://github.com/anthropics/claude-code/issues/5973', topLevelChoice),
  claudeRule('tool-property-names', 'https://github.com/modelcontextprotocol/go-sdk/issues/169', propertyNames),
  claudeRule('tool-schema-draft', DEFINE, brokenSchema),
  claudeRule('tool-choice-without-tools', DEFINE, choiceWithoutTools),
  claudeRule('tool-choice-unknown', DEFINE, unknownChoice),
  claudeRule('tool-choice-forced', 'https://github.com/stdapi-ai/stdapi.ai/issues/284', ({ model, body }) =>
    isForced(body) && claudeFacts(model)?.hasForcedTools === false
      ? 'tool_choice: type "tool" and "any" are not supported for this model.'
      : null,
  ),
  claudeRule('tools-all-deferred', SEARCH, allDeferred),
  claudeRule('tool-reference-unknown', SEARCH, unknownReference),
  claudeRule('tool-call-fields', HANDLE, callFields),
  claudeRule('tool-call-unique', 'https://github.com/trycua/cua/issues/524', doubleCalls),
  claudeRule('tool-call-answered', 'https://github.com/anthropics/claude-code/issues/5060', unansweredCalls),
  claudeRule('tool-result-orphan', 'https://github.com/decocms/studio/issues/1803', orphanResults),
  claudeRule('tool-result-single', 'https://github.com/vectorize-io/hindsight/pull/4250', doubleResults),
]
