/** Thinking, effort and sampling, by generation; and the thoughts that come back. */

import { asNumber, asRecord, asString } from '../../domain/json.ts'
import { claudeFacts } from './claudeModels.ts'
import { isForced } from './claudeTools.ts'
import { type ClaudeTurn, claudeRule, firstProblem, hasBeta, placedBlocks, turnsOf } from './claudeWire.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'
import { isForeignSignature } from './signatures.ts'

const THINKING = 'https://platform.claude.com/docs/en/build-with-claude/extended-thinking'
const ADAPTIVE = 'https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking'
const EFFORT = 'https://platform.claude.com/docs/en/build-with-claude/effort'
const API = 'https://platform.claude.com/docs/en/api/messages'
const TRIED = 'https://github.com/workglow-dev/libs/pull/746'
const EFFORT_TRIED = 'https://github.com/elizaOS/eliza/pull/16175'

const typeOf = (body: StrictRequest['body']) => asRecord(body['thinking'])?.['type']
const isThinking = (body: StrictRequest['body']) => ['enabled', 'adaptive'].includes(sentText(typeOf(body)))
const mode = (body: StrictRequest['body']) =>
  typeOf(body) === 'adaptive' ? 'when thinking is enabled or in adaptive mode' : 'when thinking is enabled'

const STEERED = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'

function thinkingType({ model, body }: StrictRequest): string | null {
  const type = typeOf(body)
  const taken: readonly unknown[] | undefined = claudeFacts(model)?.thinking
  if (type === undefined || taken === undefined || taken.includes(type)) return null
  if (type === 'adaptive') return 'adaptive thinking is not supported on this model'
  const refused = `"thinking.type.${type}" is not supported for this model.`
  if (type === 'enabled') return `${refused} ${STEERED}`
  if (type !== 'disabled') return refused
  if (!taken.includes('between_tools')) return `${refused} ${STEERED}`
  return `${refused} Use "thinking.type.between_tools" for the lowest thinking setting, or ${STEERED.slice(4)}`
}

function budget(request: StrictRequest): string | null {
  const { body } = request
  if (typeOf(body) !== 'enabled') return null
  const tokens = asNumber(asRecord(body['thinking'])?.['budget_tokens'])
  if (tokens === undefined) return 'thinking.enabled.budget_tokens: Field required'
  if (tokens < 1024) return 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024'
  // With interleaved thinking the budget is that of the whole turn.
  const isFree = hasBeta(request, 'interleaved-thinking-') || body['max_tokens'] === undefined
  if (isFree || tokens < Number(sentText(body['max_tokens']))) return null
  return `\`max_tokens\` must be greater than \`thinking.budget_tokens\`. Please consult our documentation at ${MAX_TOKENS}`
}

const MAX_TOKENS =
  'https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size'

const effortOf = (body: StrictRequest['body']) => asString(asRecord(body['output_config'])?.['effort'])

function effort({ model, body }: StrictRequest): string | null {
  const wanted = effortOf(body)
  if (wanted === undefined) return null
  if (!['low', 'medium', 'high', 'xhigh', 'max'].includes(wanted))
    return "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"
  const levels = claudeFacts(model)?.efforts
  if (!levels || levels.includes(wanted)) return null
  if (levels.length === 0) return 'This model does not support the effort parameter.'
  const supported = [...levels].sort().join(', ')
  return `This model does not support effort level '${wanted}'. Supported levels: ${supported}.`
}

function effortWithoutThinking({ model, body }: StrictRequest): string | null {
  const wanted = effortOf(body)
  if (typeOf(body) !== 'disabled' || !claudeFacts(model)?.isDisabledCapped) return null
  if (wanted !== 'xhigh' && wanted !== 'max') return null
  return (
    `output_config.effort '${wanted}' is not supported when thinking is disabled on this model. ` +
    "Use effort 'high' or below, or enable thinking."
  )
}

/** 1 and, for `top_p`, 0.99 and more are taken for the sake of old clients. */
function removedSampling({ model, body }: StrictRequest): string | null {
  if (claudeFacts(model)?.sampling !== 'none') return null
  const { temperature, top_p: topP, top_k: topK } = body
  if (temperature != null && temperature !== 1) return '`temperature` is deprecated for this model.'
  if (topP != null && Number(sentText(topP)) < 0.99) return '`top_p` is deprecated for this model.'
  return topK == null ? null : '`top_k` is deprecated for this model.'
}

function samplingBesideThinking({ body }: StrictRequest): string | null {
  if (!isThinking(body)) return null
  const { temperature, top_p: topP, top_k: topK } = body
  if (temperature != null && temperature !== 1) return `\`temperature\` may only be set to 1 ${mode(body)}.`
  if (topP != null && Number(sentText(topP)) < 0.95)
    return `\`top_p\` must be greater than or equal to 0.95 or unset ${mode(body)}`
  return topK == null ? null : `\`top_k\` must be unset ${mode(body)}`
}

const UNSIGNED_TURN =
  'When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost ' +
  'set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid ' +
  'this requirement, disable `thinking`. Please consult our documentation at ' +
  'https://docs.claude.com/en/docs/build-with-claude/extended-thinking'

/** With a budget the last answer of the assistant, all steps of its tool loop being one, begins with thoughts. */
function unthoughtfulTurn({ body }: StrictRequest): string | null {
  if (typeOf(body) !== 'enabled') return null
  const first = beginningOfLastAnswer(turnsOf(body))?.blocks[0]
  if (!first || first.type === 'thinking' || first.type === 'redacted_thinking') return null
  const { place, type } = first
  return `${place}.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${type}\`. ${UNSIGNED_TURN}`
}

function beginningOfLastAnswer(turns: readonly ClaudeTurn[]): ClaudeTurn | undefined {
  let beginning: ClaudeTurn | undefined
  for (const turn of turns.toReversed()) {
    if (turn.role === 'assistant') beginning = turn
    else if (!turn.blocks.some(({ type }) => type === 'tool_result')) break
  }
  return beginning
}

/** A signature is base64; that of another service, or one that was changed on its way, is refused. */
function signature({ body }: StrictRequest): string | null | undefined {
  return firstProblem(placedBlocks(body), ({ block, type, place }) => {
    if (type === 'redacted_thinking')
      return isOwn(block['data']) ? null : `${place}: Invalid \`data\` in \`redacted_thinking\` block`
    if (type !== 'thinking') return null
    if (block['signature'] === undefined) return `${place}.thinking.signature: Field required`
    // Thoughts that were left out of the answer come back empty and signed.
    if (block['thinking'] === '' && block['signature'] === '')
      return `${place}.thinking: each thinking block must contain thinking`
    return isOwn(block['signature']) ? null : `${place}: Invalid \`signature\` in \`thinking\` block`
  })
}

function isOwn(value: unknown): boolean {
  const isBase64 = typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
  return isBase64 && !isForeignSignature(value, 'anthropic')
}

export const claudeThinkingRules: readonly Rule[] = [
  claudeRule('thinking-type', ADAPTIVE, thinkingType),
  claudeRule('thinking-budget', TRIED, budget),
  claudeRule('effort', EFFORT_TRIED, effort),
  claudeRule('effort-without-thinking', 'https://github.com/elgorro/aiquila/issues/410', effortWithoutThinking),
  claudeRule('effort-between-tools', EFFORT, ({ body }) =>
    typeOf(body) === 'between_tools' && ['xhigh', 'max'].includes(effortOf(body) ?? '')
      ? `output_config.effort '${effortOf(body)}' is not supported with "thinking.type.between_tools".`
      : null,
  ),
  claudeRule('thinking-forced-tool', TRIED, ({ body }) =>
    isThinking(body) && isForced(body) ? 'Thinking may not be enabled when tool_choice forces tool use.' : null,
  ),
  claudeRule('temperature-range', API, ({ body }) => {
    const temperature = asNumber(body['temperature'])
    return temperature === undefined || (temperature >= 0 && temperature <= 1) ? null : 'temperature: range: 0..1'
  }),
  claudeRule('sampling-removed', API, removedSampling),
  claudeRule('sampling-thinking', THINKING, samplingBesideThinking),
  claudeRule('sampling-pair', 'https://github.com/cloud-apim/otoroshi-llm-extension/issues/140', ({ model, body }) =>
    claudeFacts(model)?.sampling === 'one' && body['temperature'] != null && body['top_p'] != null
      ? '`temperature` and `top_p` cannot both be specified for this model. Please use only one.'
      : null,
  ),
  claudeRule('thinking-first', 'https://github.com/anomalyco/opencode/issues/3077', unthoughtfulTurn),
  claudeRule('thinking-signature', 'https://github.com/NoeFabris/opencode-antigravity-auth/issues/73', signature),
]
