/**
 * What OpenAI's models take, by generation: efforts, sampling, tools in Chat Completions.
 * https://developers.openai.com/api/docs/guides/reasoning, and calls of gpt-5.6-terra recorded in
 * https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter/blob/main/docs/conformance-matrix.md (5.5.5)
 */

export interface OpenaiModel {
  /** The values of the reasoning effort in the service's order; none for a model that does not reason. */
  readonly efforts: readonly string[]
  /** The effort of a request that names none. */
  readonly usualEffort: string | null
  /** How Chat Completions refuses function tools beside an effort; null where it takes them. */
  readonly toolsAdvice: string | null
  /** Of a name that no generation has nothing is known, and nothing is refused. */
  readonly isKnown: boolean
  /** From gpt-5.6 on the service checks with another schema: fewer fields, other bounds, other words. */
  readonly isNew: boolean
}

const OLD = ['low', 'medium', 'high']
const WITH_NONE = ['none', ...OLD]
const WITH_XHIGH = [...WITH_NONE, 'xhigh']
/** `max` is for the Responses API; Chat Completions ends at `xhigh`. */
const WITH_MAX = [...WITH_XHIGH, 'max']

const USE_RESPONSES = 'Please use /v1/responses instead.'
const OR_NONE = "To use function tools, use /v1/responses or set reasoning_effort to 'none'."

const reasoner = (
  efforts: readonly string[],
  usualEffort: string,
  toolsAdvice: string | null = null,
  isNew = false,
): OpenaiModel => ({ efforts, usualEffort, toolsAdvice, isKnown: true, isNew })

const NO_REASONING: OpenaiModel = { efforts: [], usualEffort: null, toolsAdvice: null, isKnown: true, isNew: false }

const UNKNOWN: OpenaiModel = { ...NO_REASONING, isKnown: false }

/** The first that matches. */
const GENERATIONS: readonly (readonly [names: RegExp, facts: OpenaiModel])[] = [
  [/^gpt-\d+(?:\.\d+)?-chat|^chatgpt|^gpt-[1-4]/, NO_REASONING],
  [/^o\d/, reasoner(OLD, 'medium')],
  [/^gpt-5(?:-|$)/, reasoner(['minimal', ...OLD], 'medium')],
  [/^gpt-5\.1(?:-|$)/, reasoner(WITH_NONE, 'none')],
  [/^gpt-5\.[23](?:-|$)/, reasoner(WITH_XHIGH, 'none')],
  [/^gpt-5\.4(?:-|$)/, reasoner(WITH_XHIGH, 'none', USE_RESPONSES)],
  [/^gpt-5\.5(?:-|$)/, reasoner(WITH_XHIGH, 'medium')],
  [/^gpt-6-astra|^gpt-6\.1-sol/, reasoner(WITH_MAX.slice(1), 'medium', OR_NONE, true)],
  [/^gpt-(?:5\.[6-9]|[6-9])/, reasoner(WITH_MAX, 'medium', OR_NONE, true)],
]

/** What the model of that name takes; the facts of its generation. */
export function openaiModel(name: string): OpenaiModel {
  const bare = name.replace(/^ft:/, '')
  return GENERATIONS.find(([names]) => names.test(bare))?.[1] ?? UNKNOWN
}

/** Measured on gpt-5.5 and gpt-5.6: an empty array of parts is content. Older models were reported to refuse it. */
export const takesEmptyContent = (name: string): boolean => openaiModel(name).isNew || /^gpt-5\.5(?:-|$)/.test(name)

/** By the model pages (https://platform.openai.com/docs/models): these read text only. */
export const readsTextOnly = (name: string): boolean =>
  /^(?:ft:)?(?:gpt-3\.5|gpt-4(?:-0\d{3}|-32k.*|-1106-preview|-0125-preview|-turbo-preview)?$|o1-mini|o1-preview|o3-mini)/.test(
    name,
  )

export const reasons = (facts: OpenaiModel): boolean => facts.efforts.length > 0

/** Whether the model is known to be one that does not reason. */
export const isPlain = (facts: OpenaiModel): boolean => facts.isKnown && !reasons(facts)

/** The efforts of Chat Completions. */
export const chatEfforts = (facts: OpenaiModel): readonly string[] => facts.efforts.filter((effort) => effort !== 'max')

/** Sampling settings are taken by models that do not reason, or are told not to. */
export function takesSampling(facts: OpenaiModel, effort: unknown): boolean {
  return !reasons(facts) || (effort ?? facts.usualEffort) === 'none'
}
