/** The sampling parameters that a service takes, alone, beside each other and beside thinking. */

import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import type { LeftOut } from './leftOut.ts'
import type { Recipient } from './recipient.ts'

type Parameter = 'temperature' | 'topP' | 'topK' | 'seed' | 'frequencyPenalty' | 'presencePenalty'

const NAMES: { readonly [P in Parameter]: string } = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
}

const PARAMETERS = Object.keys(NAMES) as readonly Parameter[] // of the table above

/** What a dialect has no field for. */
const UNKNOWN: { readonly [D in DialectId]: readonly Parameter[] } = {
  openai: [],
  'openai-responses': ['topK', 'seed', 'frequencyPenalty', 'presencePenalty'],
  anthropic: ['seed', 'frequencyPenalty', 'presencePenalty'],
  google: [],
}

/** 0 to 1 for Claude, 0 to 2 elsewhere: https://platform.claude.com/docs/en/api/messages */
const MOST_TEMPERATURE: { readonly [D in DialectId]?: number } = { anthropic: 1 }

/** No hotter than the service goes, which is refused. */
export function fitTemperature(request: ChatRequest, { dialect, wire }: Recipient, leftOut: LeftOut): ChatRequest {
  const { temperature } = request
  const most = wire.maxTemperature ?? MOST_TEMPERATURE[dialect]
  if (temperature === undefined || most === undefined || temperature <= most) return request
  leftOut.add('temperature')
  return { ...request, temperature: most }
}

/**
 * The least and most of `seed` and `top_k`, which are whole numbers: int64 in
 * https://platform.openai.com/docs/api-reference/chat/create, int32 in the discovery document of Gemini
 * (https://generativelanguage.googleapis.com/$discovery/rest?version=v1beta). Both read 2026-11-30.
 */
const WHOLE: { readonly [D in DialectId]: readonly [least: number, most: number] } = {
  openai: [-(2 ** 63), 2 ** 63],
  'openai-responses': [-(2 ** 63), 2 ** 63],
  anthropic: [0, Number.POSITIVE_INFINITY],
  google: [-(2 ** 31), 2 ** 31 - 1],
}

export function fitSampling(asked: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  if (PARAMETERS.every((parameter) => asked[parameter] === undefined)) return asked
  const request = fitTemperature(asked, recipient, leftOut)
  const refused = new Set([
    ...UNKNOWN[recipient.dialect],
    ...refusedOf(request, recipient),
    ...unwhole(request, recipient),
  ])
  const dropped = [...refused].filter((parameter) => request[parameter] !== undefined)
  if (dropped.length === 0) return request
  leftOut.add(...dropped.filter((parameter) => !isDefault(parameter, request)).map((parameter) => NAMES[parameter]))
  return { ...request, ...Object.fromEntries(dropped.map((parameter) => [parameter, undefined])) }
}

function refusedOf(request: ChatRequest, { wire }: Recipient): readonly Parameter[] {
  const refused: Parameter[] = wire.topK === false ? ['topK'] : []
  if (wire.penalties === false) refused.push('frequencyPenalty', 'presencePenalty')
  const isAlone = wire.samplingBesideThinking === false && thinks(request, wire)
  if (wire.sampling === 'none' || isAlone)
    refused.push('temperature', 'topP', 'topK', 'frequencyPenalty', 'presencePenalty')
  else if (wire.sampling === 'one' && request.temperature !== undefined) refused.push(lessMeant(request))
  return refused
}

/** Where only one is taken: the one that says nothing, else the one that fewer callers mean. */
function lessMeant(request: ChatRequest): Parameter {
  const isTopPMeant = request.topP !== undefined && !isDefault('topP', request)
  return isDefault('temperature', request) && isTopPMeant ? 'temperature' : 'topP'
}

function unwhole(request: ChatRequest, { dialect }: Recipient): readonly Parameter[] {
  const [least, most] = WHOLE[dialect]
  return (['seed', 'topK'] as const).filter((parameter) => {
    const value = request[parameter]
    return value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)
  })
}

function thinks({ reasoning }: ChatRequest, { thinksByDefault = false }: ModelWire): boolean {
  if (reasoning?.effort === 'none') return false
  if (reasoning === undefined || thinksByDefault) return thinksByDefault
  return reasoning.effort !== undefined || reasoning.budgetTokens !== undefined || reasoning.adaptive === true
}

/** 1 is every vendor's own value of both; many clients always send it, and it changes nothing. */
function isDefault(parameter: Parameter, request: ChatRequest): boolean {
  return (parameter === 'temperature' || parameter === 'topP') && request[parameter] === 1
}
