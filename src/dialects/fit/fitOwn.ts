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
import { fitMessages, isStrictOrder, mediaApart, withEnd, withoutSystem } from './messages.ts'
import { cutLength, fitFormat } from './options.ts'
import { mayHoldForeignThoughts, withOwnThoughts, withSignedCalls } from './ownThoughts.ts'
import { fitPictures } from './pictures.ts'
import { fitOwnForm, fitOwnReasoning, unlessUnsigned } from './reasoning.ts'
import type { Fitted, Recipient } from './recipient.ts'
import { fitSampling, fitTemperature } from './sampling.ts'
import { asStep, inSteps, type Step } from './steps.ts'
import { fitStop } from './stop.ts'
import { isRefusedName } from './toolNames.ts'
import { fitArgumentNames, fitToolNames, fitTools, forcesTool } from './tools.ts'

interface Body {
  /** Whether the text occurs anywhere outside the long texts. */
  mentions(text: string): boolean
}

interface Sent {
  /** Of a long body only its outline was read. */
  readonly request: ChatRequest
  readonly body: Body | null
  readonly whole: () => ChatRequest
}

/**
 * Whether the service is known to refuse nothing of a request that its own dialect's client wrote, so that the client's
 * bytes may pass. What a glance at them shows comes first; all of a long body is read only where that leaves a doubt.
 */
export function isTakenAsSent({ request, body, whole }: Sent, recipient: Recipient): boolean {
  const { dialect, wire } = recipient
  if (mustRename(request, dialect, wire) || mustMend(request, dialect, wire)) return false
  if (recipient.reasons === false && body !== null && WISHES.some((name) => body.mentions(name))) return false
  return !mustFit(body, dialect, wire) || isTakenAsWritten(whole(), recipient)
}

/** What all fields begin with that say how much to think. */
const WISHES = ['"reasoning', '"thinking'] as const

/** Whether the body may hold what the service is known to refuse; only then is it parsed. */
function mustFit(body: Body | null, dialect: DialectId, wire: ModelWire): boolean {
  if (body === null) return false
  if (mayHoldForeignThoughts(body, dialect)) return true
  if (wire === NOTHING_KNOWN) return false
  return (
    (dialect === 'anthropic' && mayLackThoughts(body, wire)) ||
    mayAskOtherwise(body, dialect, wire) ||
    (dialect === 'google' && wire.signsCalls === true && CALLS.some((name) => body.mentions(name))) ||
    (dialect === 'openai' && mustFitChat(body, wire)) ||
    (isStrictOrder({ dialect, wire }) && body.mentions('"messages"')) ||
    (dialect === 'google' && mustFitGoogle(body, wire)) ||
    ((wire.toolCallIdLength !== undefined || wire.uniqueCallIds === true) && body.mentions('"tool_call')) ||
    (wire.customTools === false && body.mentions('"custom"'))
  )
}

function mustFitGoogle(body: Body, { systemMessages, jsonMode }: ModelWire): boolean {
  return (systemMessages === false && body.mentions('"system')) || (jsonMode === false && body.mentions('"response'))
}

/** A wish to think in a form that the model's generation may refuse: only then is a long body read whole. */
function mayAskOtherwise(body: Body, dialect: DialectId, { thinking, alwaysThinks }: ModelWire): boolean {
  const isFormless = thinking === 'none'
  if (dialect === 'google')
    return (isFormless || thinking === 'budget') && GEMINI_FORMS.some((name) => body.mentions(name))
  if (dialect !== 'anthropic') return false
  return (
    (isFormless && body.mentions('"thinking"')) ||
    (thinking === 'budget' && body.mentions('"adaptive"')) ||
    (thinking === 'effort' && body.mentions('"budget_tokens"')) ||
    (alwaysThinks === true && body.mentions('"disabled"'))
  )
}

const GEMINI_FORMS = ['thinkingConfig"', 'thinking_config"'] as const
const CALLS = ['functionCall"', 'function_call"'] as const

/** A tool loop beside a budget for thinking: the thoughts of its first step must be there. */
function mayLackThoughts(body: Body, { thinking }: ModelWire): boolean {
  return thinking !== 'effort' && body.mentions('"budget_tokens"') && body.mentions('"tool_result"')
}

/**
 * Whether the service can take the request as its client wrote it: nothing that `mustFit` looks for was there. Only of
 * the dialects whose writers need not know the service.
 */
function isTakenAsWritten(asked: ChatRequest, recipient: Recipient): boolean {
  if (recipient.dialect === 'openai') return false
  const { request, leftOut, answer } = fitOwn(asked, recipient)
  return request === asked && leftOut.length === 0 && answer === null
}

/** What OpenAI's own library writes of every answer that it is asked to repeat. */
const OF_ANSWERS = ['"refusal"', '"annotations"', '"function_call"', '"audio"'] as const

/** Mistral's clients write the address without an object around it. */
const URL_TEXTS = ['"image_url":"', '"image_url": "'] as const

/** Without what says nothing; what was refused is said as text. */
function bare(message: Message): Message {
  const said = Object.entries(message.extra?.fields ?? {}).filter(
    ([, value]) => !Array.isArray(value) || value.length > 0,
  )
  const content = message.content.map((part) =>
    part.type === 'text' && part.extra?.fields['refusal'] === true ? { ...part, extra: undefined } : part,
  )
  return { ...message, content, extra: message.extra && { ...message.extra, fields: Object.fromEntries(said) } }
}

function mustFitChat(body: Body, wire: ModelWire): boolean {
  const { thoughts, maxTokensField, toolsBesideThinking, jsonSchema } = wire
  return (
    (wire.demandsThoughts === true && body.mentions('"tool_calls"')) ||
    (wire.forcesToolsThinking === false && body.mentions('"tool_choice"')) ||
    (wire.bareMessages === true && OF_ANSWERS.some((name) => body.mentions(name))) ||
    (wire.imageUrlText === false && URL_TEXTS.some((start) => body.mentions(start))) ||
    (wire.stopSequences !== undefined && body.mentions('"stop"')) ||
    (wire.maxTemperature !== undefined && body.mentions('"temperature"')) ||
    (jsonSchema === false && body.mentions('"json_schema"')) ||
    (thoughts !== undefined && body.mentions('"reasoning')) ||
    (maxTokensField !== undefined && body.mentions('"max_tokens"')) ||
    (toolsBesideThinking === false && body.mentions('"tools"')) ||
    body.mentions('"images"')
  )
}

/** Whether a tool, or an argument of it, has a name that the dialect's vendor refuses. */
function mustRename({ tools }: ChatRequest, dialect: DialectId, wire: ModelWire): boolean {
  if (wire === NOTHING_KNOWN || tools === undefined) return false
  return tools.some(
    ({ name, parameters }) =>
      isRefusedName(name, dialect, wire) || (parameters !== undefined && hasRefusedNames(parameters, dialect)),
  )
}

/**
 * Whether a client of Anthropic or Gemini says what only other generations of its vendor's models take: told from the
 * outline of a long body as well.
 */
function mustMend(request: ChatRequest, dialect: DialectId, wire: ModelWire): boolean {
  if (!isKnown(dialect, wire)) return false
  const recipient: Recipient = { dialect, wire, maxOutputTokens: null, roomTokens: null }
  return (
    mended(request, recipient, new LeftOut()) !== request ||
    mendedTalk(request.messages, recipient) !== request.messages
  )
}

/** Whether it is known what the vendor takes of the model. */
const isKnown = (dialect: DialectId, wire: ModelWire) =>
  wire !== NOTHING_KNOWN && wire.isGuess !== true && !dialect.startsWith('openai')

function mended(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  if (!isKnown(recipient.dialect, recipient.wire)) return request
  const { formatBesideTools, forcesTools } = recipient.wire
  const isWorded = formatBesideTools === false && request.tools !== undefined
  const formed = isWorded ? fitFormat(request, recipient) : request
  const isForced = forcesTools === false && forcesTool(formed.toolChoice)
  if (isForced) leftOut.add('tool_choice')
  return fitSampling(isForced ? { ...formed, toolChoice: undefined } : formed, recipient, leftOut)
}

function mendedTalk(messages: readonly Message[], recipient: Recipient): readonly Message[] {
  const { dialect, wire } = recipient
  const isSplit = dialect === 'google' && wire.mediaInResults === false && messages.some(showsInResults)
  const split = isSplit ? mediaApart(messages, recipient) : messages
  return dialect === 'anthropic' && wire.prefill === false ? withEnd(split, recipient) : split
}

const showsInResults = ({ content }: Message) =>
  content.some((part) => part.type === 'tool-result' && part.content.some(({ type }) => type !== 'text'))

const STEPS: readonly Step[] = [
  renameArguments,
  (request, recipient, leftOut) =>
    recipient.wire.maxTemperature === undefined
      ? { request }
      : { request: fitTemperature(request, recipient, leftOut) },
  (request, recipient) => (recipient.wire.stopSequences === undefined ? { request } : fitStop(request, recipient)),
  asStep((request, recipient) => (isFormless(recipient.wire) ? fitFormat(request, recipient) : request)),
  asStep(fitOwnReasoning),
  asStep(fitOwnForm),
  asStep(mended),
  wrapCustomTools,
  renameTools,
  asStep(fitOwnTalk),
  asStep(thinkUnlessUnsigned),
  asStep(cutLength),
]

export function fitOwn(asked: ChatRequest, recipient: Recipient): Fitted {
  return inSteps(asked, recipient, STEPS)
}

function renameArguments(asked: ChatRequest, { dialect, wire }: Recipient): ReturnType<Step> {
  if (!mustRename(asked, dialect, wire)) return { request: asked }
  const { request, renamed } = fitArgumentNames(asked, dialect)
  return renamed.size === 0
    ? { request }
    : { request: withOwnTools(request, renamed), answer: { argumentNames: renamed } }
}

const isFormless = ({ jsonSchema, jsonMode }: ModelWire) => jsonSchema === false || jsonMode === false

function wrapCustomTools(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ReturnType<Step> {
  const isRefused = recipient.wire.customTools === false && request.tools?.some((tool) => tool.custom !== undefined)
  return isRefused ? fitTools(request, recipient, leftOut) : { request }
}

function renameTools(asked: ChatRequest, recipient: Recipient): ReturnType<Step> {
  if (!mustRename(asked, recipient.dialect, recipient.wire)) return { request: asked }
  const { request, back } = fitToolNames(asked, recipient)
  return back.size === 0 ? { request } : { request, answer: { toolNames: back } }
}

function thinkUnlessUnsigned(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  const thinking = unlessUnsigned(request, recipient)
  if (thinking !== request) leftOut.add('thinking')
  return thinking
}

/** The messages as the service takes them. */
function fitOwnTalk(request: ChatRequest, recipient: Recipient): ChatRequest {
  const { dialect, wire } = recipient
  const thoughtless = wire.thoughts === 'none' ? request.messages.map(withoutThoughts) : request.messages
  const spoken = wire.systemMessages === false ? withoutSystem(thoughtless) : thoughtless
  // A chat client hands back the pictures of other models' answers in a field that services do not know.
  const shown = dialect === 'openai' ? fitPictures(spoken, dialect) : withOwnThoughts(spoken, recipient)
  const signed = wire.signsCalls ? withSignedCalls(shown) : shown
  const messages = wire.bareMessages ? signed.map(bare) : signed
  const fitted = mendedTalk(fitTurns({ ...request, messages }, recipient), recipient)
  return fitted === request.messages ? request : { ...request, messages: fitted }
}

/** The talk in the order, and with the ids of calls, that the service demands. */
function fitTurns(request: ChatRequest, recipient: Recipient): readonly Message[] {
  if (isStrictOrder(recipient)) return fitMessages(request, recipient).messages
  const { dialect, wire } = recipient
  const keepsIds = wire.toolCallIdLength === undefined && wire.uniqueCallIds !== true
  return keepsIds ? request.messages : fitCallIds(request.messages, dialect, wire)
}

/** Beside tools that run at the provider the dialect keeps the whole list in its own words. */
function withOwnTools(request: ChatRequest, renamed: ReadonlyMap<string, ArgumentNames>): ChatRequest {
  const own = asArray(request.extra?.fields['tools'])
  if (own === undefined || request.extra === undefined) return request
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
