/**
 * A request that its client wrote in the service's own dialect. The client's words are kept; only what this service is
 * known to refuse of them is changed.
 */

import type { ChatRequest, DialectId, Message } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { type ModelWire, NOTHING_KNOWN } from '../../domain/wireFacts.ts'
import { type ArgumentNames, hasRefusedNames } from './argumentNames.ts'
import { fitCallIds } from './callIds.ts'
import { LeftOut } from './leftOut.ts'
import { withoutSystem } from './messages.ts'
import { cutLength, fitFormat } from './options.ts'
import { fitOwnReasoning } from './reasoning.ts'
import type { Fitted, Recipient } from './recipient.ts'
import { fitArgumentNames, fitTools } from './tools.ts'

interface Body {
  /** Whether the text occurs anywhere outside the long texts. */
  mentions(text: string): boolean
}

/** Whether the body may hold what the service is known to refuse; only then is it parsed. */
export function mustFit(body: Body | null, dialect: DialectId, wire: ModelWire): boolean {
  if (wire === NOTHING_KNOWN || body === null) return false
  return (
    (dialect === 'openai' && mustFitChat(body, wire)) ||
    (dialect === 'google' && mustFitGoogle(body, wire)) ||
    (wire.toolCallIdLength !== undefined && body.mentions('"tool_call')) ||
    (wire.customTools === false && body.mentions('"custom"'))
  )
}

function mustFitGoogle(body: Body, { systemMessages, jsonMode }: ModelWire): boolean {
  return (systemMessages === false && body.mentions('"system')) || (jsonMode === false && body.mentions('"response'))
}

function mustFitChat(body: Body, { thoughts, maxTokensField, toolsBesideThinking }: ModelWire): boolean {
  return (
    (thoughts !== undefined && body.mentions('"reasoning')) ||
    (maxTokensField !== undefined && body.mentions('"max_tokens"')) ||
    (toolsBesideThinking === false && body.mentions('"tools"'))
  )
}

/** Whether a tool has arguments of names that the dialect's vendor refuses. */
export function mustRename({ tools }: ChatRequest, dialect: DialectId, wire: ModelWire): boolean {
  if (wire === NOTHING_KNOWN || tools === undefined) return false
  return tools.some(({ parameters }) => parameters !== undefined && hasRefusedNames(parameters, dialect))
}

export function fitOwn(asked: ChatRequest, recipient: Recipient): Fitted {
  const { dialect, wire } = recipient
  const leftOut = new LeftOut()
  const { request: named, renamed } = mustRename(asked, dialect, wire)
    ? fitArgumentNames(asked, dialect)
    : { request: asked, renamed: NONE }
  const worded = wire.jsonMode === false ? fitFormat(named, recipient) : named
  const request = fitOwnReasoning(withOwnTools(worded, renamed), recipient, leftOut)
  const hasCustom = wire.customTools === false && request.tools?.some((tool) => tool.custom !== undefined)
  const tools = hasCustom ? fitTools(request, recipient, leftOut) : { request, answer: {} }
  const spoken = wire.thoughts === 'none' ? tools.request.messages.map(withoutThoughts) : tools.request.messages
  const messages = wire.systemMessages === false ? withoutSystem(spoken) : spoken
  const fitted = wire.toolCallIdLength === undefined ? messages : fitCallIds(messages, dialect, wire)
  const said = fitted === request.messages ? tools.request : { ...tools.request, messages: fitted }
  const answer = { ...tools.answer, ...(renamed.size > 0 && { argumentNames: renamed }) }
  return {
    request: cutLength(said, recipient, leftOut),
    leftOut: leftOut.names,
    answer: Object.keys(answer).length === 0 ? null : answer,
  }
}

const NONE: ReadonlyMap<string, ArgumentNames> = new Map()

/** Beside tools that run at the provider the dialect keeps the whole list in its own words. */
function withOwnTools(request: ChatRequest, renamed: ReadonlyMap<string, ArgumentNames>): ChatRequest {
  const own = asArray(request.extra?.fields['tools'])
  if (own === undefined || request.extra === undefined || renamed.size === 0) return request
  const tools = own.map((tool) => {
    const fields = asRecord(tool)
    const schema = renamed.get(asString(fields?.['name']) ?? '')?.schema
    return fields?.['input_schema'] === undefined || schema === undefined ? tool : { ...fields, input_schema: schema }
  })
  return { ...request, extra: { ...request.extra, fields: { ...request.extra.fields, tools } } }
}

function withoutThoughts(message: Message): Message {
  const content = message.content.filter((part) => part.type !== 'reasoning')
  return content.length === message.content.length ? message : { ...message, content }
}
