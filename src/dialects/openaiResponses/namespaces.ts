/**
 * Tools in groups, and tools that stand in the input in the place of the request's list: codex says all of its tools so
 * (https://github.com/openai/codex/pull/27946, 2026-11-29). Other languages know one list of names: there a tool is
 * called by both of its names, as the calls of MCP servers are.
 */

import type { ChatRequest, Extra, Tool, ToolCallPart } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'
import { ownFields } from '../fields/requestFields.ts'

const DIALECT = 'openai-responses'
const BETWEEN = '__'

/** What a tool's `extra` says of where it stood; neither is a field of the wire. */
const GROUP = 'keywise.group'
const IN_INPUT = 'keywise.inInput'

type Group = { readonly name: string; readonly description: unknown }
type ReadTool = (tool: unknown, index: number) => Tool | undefined

/** Whether all that is in it can be said as tools of the client's own. */
export function isOwnGroup(tool: Fields | undefined, isOwn: (tool: unknown) => boolean): boolean {
  const inner = tool?.['type'] === 'namespace' ? asArray(tool['tools']) : undefined
  return asString(tool?.['name']) !== undefined && (inner?.every(isOwn) ?? false)
}

/** The tools of a group, each by both names. */
export function readGroup(group: Fields, read: ReadTool): Tool[] {
  const name = asString(group['name']) ?? ''
  const facts: Group = { name, description: group['description'] }
  const inner = (asArray(group['tools']) ?? []).map(read).filter((tool) => tool !== undefined)
  return inner.map((tool) => ({ ...noted(tool, { [GROUP]: facts }), name: joined(name, tool.name) }))
}

/** Items of the input that are lists of tools: those of the conversation, and what a search for tools has found. */
const LISTS: ReadonlySet<unknown> = new Set(['additional_tools', 'tool_search_output'])

/** The lists of tools that are items of the input. */
export function toolsInInput(items: readonly unknown[]): readonly unknown[] {
  return items.flatMap((item) => {
    const fields = asRecord(item)
    return LISTS.has(fields?.['type']) ? (asArray(fields?.['tools']) ?? []) : []
  })
}

/** By which names they are called. */
export function namesOfTools(tools: readonly unknown[]): readonly string[] {
  return tools.flatMap((value) => {
    const tool = asRecord(value)
    const name = asString(tool?.['name'])
    if (name === undefined) return []
    if (tool?.['type'] !== 'namespace') return [name]
    return namesOfTools(asArray(tool['tools']) ?? []).map((inner) => joined(name, inner))
  })
}

/** Marks a tool that is written with its item. */
export const inInput = (tool: Tool): Tool => noted(tool, { [IN_INPUT]: true })

/** Whether a tool stands in the input. */
export const isInInput = (tool: Tool): boolean => ownFields(tool.extra, DIALECT)[IN_INPUT] === true

const joined = (group: string, name: string) => `${group}${BETWEEN}${name}`

function noted(tool: Tool, fields: Fields): Tool {
  return { ...tool, extra: { dialect: DIALECT, fields: { ...ownFields(tool.extra, DIALECT), ...fields } } }
}

const groupOf = ({ extra }: Pick<Tool, 'extra'>) => ownFields(extra, DIALECT)[GROUP] as Group | undefined // only noted here

/** The request's list again: groups are groups, and what stands in the input is left to it. */
export function writeGroups(tools: readonly Tool[], write: (tool: Tool) => Fields): Fields[] {
  const written: Fields[] = []
  const groups = new Map<string, Fields[]>()
  for (const tool of tools) {
    if (isInInput(tool)) continue
    const group = groupOf(tool)
    const plain = write(withoutNotes(tool))
    const known = group && groups.get(group.name)
    if (known !== undefined) known.push(plain)
    else if (group === undefined) written.push(plain)
    else {
      const inner = [plain]
      groups.set(group.name, inner)
      written.push({ type: 'namespace', ...group, tools: inner })
    }
  }
  return written
}

function withoutNotes(tool: Tool): Tool {
  const group = groupOf(tool)
  if (group === undefined) return tool
  const { [GROUP]: _, ...fields } = ownFields(tool.extra, DIALECT)
  const name = tool.name.slice(group.name.length + BETWEEN.length)
  return { ...tool, name, extra: { dialect: DIALECT, fields } }
}

/** A call by both names, where its item says the name of a group. */
export function calledName(item: Fields, name: string): string {
  const group = asString(item['namespace'])
  return group ? joined(group, name) : name
}

/** The name in its group of a call that was read from this dialect, or made for a client of it. */
export function nameInGroup({ name, extra }: Pick<ToolCallPart, 'name' | 'extra'>): string {
  const group = asString(ownFields(extra, DIALECT)['namespace'])
  return group && name.startsWith(joined(group, '')) ? name.slice(joined(group, '').length) : name
}

/** A call that another dialect's model made of a tool in a group. */
export function callInGroup<C extends { readonly name: string; readonly extra?: Extra }>(
  call: C,
  { tools }: Pick<ChatRequest, 'tools'>,
): C {
  const tool = tools?.find(({ name }) => name === call.name)
  const group = tool && groupOf(tool)
  if (group === undefined) return call
  return { ...call, extra: { dialect: DIALECT, fields: { ...ownFields(call.extra, DIALECT), namespace: group.name } } }
}
