/**
 * Enrols a request in an experiment: which one it names, which variant it gets, and the request as that variant changes
 * it. It is named by the option `experiment`, the model `experiment:NAME`, or the label `experiment=NAME`; the label
 * alone leaves the model unchanged and has no effect when there is no such experiment.
 */

import type { ChatRequest, Message } from '../../domain/chat.ts'
import { InvalidRequestError, ModelNotFoundError } from '../../domain/errors.ts'
import { nearest } from '../../domain/nearest.ts'
import { PROMPT_VARIABLE } from '../../experiment/definition.ts'
import type { Experiment, Variant } from '../../experiment/experiment.ts'
import { changesBy } from '../../experiment/parameters.ts'
import { renderTemplate, templateVariables } from '../../experiment/template.ts'
import type { Enrolment, Experiments, UnitFacts } from './experiments.ts'
import type { Version } from './versions.ts'

export const EXPERIMENT_MODEL = 'experiment:'
const LABEL = 'experiment'

/** Values for the templates' `{{variables}}`. */
export type TemplateVariables = Readonly<Record<string, string | number | boolean>>

interface ExperimentRequest {
  readonly request: ChatRequest
  /** The request with all its texts; `request` may be an outline of it. */
  readonly whole: () => ChatRequest
  /** The name, where the caller used the option. */
  readonly experiment: string | undefined
  readonly variables: TemplateVariables | undefined
  readonly unit: UnitFacts
  /** Whether any key currently has that model. */
  readonly hasModel: (model: string) => boolean
}

export interface EnrolledRequest {
  readonly enrolment: Enrolment
  readonly request: ChatRequest
  /** The only provider that may serve it; null for any. */
  readonly provider: string | null
  /** More than the model was changed, so the client's bytes no longer match. */
  readonly isRewritten: boolean
}

/** Null for a request that names none. Throws InvalidRequestError and ModelNotFoundError. */
export function enrol(experiments: Experiments, wanted: ExperimentRequest): EnrolledRequest | null {
  const version = askedFor(experiments, wanted)
  if (version === null) return null
  const values = valuesFor(version.experiment, wanted)
  const enrolment = experiments.enrol(version, wanted.unit)
  // The label alone must not break a program, so there it runs as usual.
  if (enrolment.reason === 'no_session' && isAskedFor(wanted)) throw withoutSession(version.experiment)
  const variant = variantFor(version, enrolment)
  if (variant?.model !== undefined && !wanted.hasModel(variant.model)) {
    // No request is refused for the sake of a comparison.
    return written(version, null, { wanted, values, enrolment: runningAsUsual(enrolment) })
  }
  return written(version, variant, { wanted, values, enrolment })
}

/** A variant that is kept after a stop was not assigned, and its requests have their reason. */
function runningAsUsual(enrolment: Enrolment): Enrolment {
  return { ...enrolment, variant: null, reason: enrolment.reason ?? 'no_model', trial: null }
}

function withoutSession({ name }: Experiment): InvalidRequestError {
  return new InvalidRequestError(
    `experiment "${name}" gives each session one variant, and this request names no session: send sessionId (at the gateway the header x-keywise-session), or variables that tell it from others, or let the experiment count "unit": "request"`,
    { parameter: 'sessionId' },
  )
}

const isAskedFor = ({ request, experiment }: ExperimentRequest) =>
  experiment !== undefined || request.model.startsWith(EXPERIMENT_MODEL)

function askedFor(experiments: Experiments, { request, experiment, unit }: ExperimentRequest): Version | null {
  if (experiment !== undefined) return experiments.known(experiment)
  if (request.model.startsWith(EXPERIMENT_MODEL)) return byModel(experiments, request.model)
  const { labels } = unit
  const name = labels !== undefined && Object.hasOwn(labels, LABEL) ? labels[LABEL] : undefined
  return (name === undefined ? undefined : experiments.find(name)) ?? null
}

function byModel(experiments: Experiments, model: string): Version {
  const version = experiments.find(model.slice(EXPERIMENT_MODEL.length))
  if (version !== undefined) return version
  const names = experiments.running().map((name) => `${EXPERIMENT_MODEL}${name}`)
  throw new ModelNotFoundError(model.slice(0, 200), nearest(model, names))
}

function variantFor({ experiment, stopped, kept }: Version, { variant }: Enrolment): Variant | null {
  const name = variant ?? (stopped === null ? null : kept)
  return experiment.variants.find((one) => one.name === name) ?? null
}

/**
 * The request as its variant changes it. Without a variant it stays unchanged; what it lacks (a prompt, a model) is
 * then taken from the first variant, which is the user's status quo.
 */
function written(
  { experiment }: Version,
  variant: Variant | null,
  { wanted, values, enrolment }: Parts,
): EnrolledRequest {
  const { request } = wanted
  const shown = variant ?? usual(experiment, request, isBare(request))
  const changes = { ...modelOf(request, shown), ...changesBy(shown.parameters ?? {}) }
  const isRewritten = shown.template !== undefined || Object.keys(shown.parameters ?? {}).length > 0
  const base = isRewritten ? wanted.whole() : request
  const messages = shown.template === undefined ? base.messages : filled(base.messages, shown.template, values)
  return { enrolment, request: { ...base, messages, ...changes }, provider: shown.provider ?? null, isRewritten }
}

interface Parts {
  readonly wanted: ExperimentRequest
  /** Of the templates' variables. */
  readonly values: Readonly<Record<string, string>>
  readonly enrolment: Enrolment
}

/** It says nothing yet; the template is all that is asked. */
function isBare({ messages }: ChatRequest): boolean {
  return !messages.some((message) => message.role !== 'system' && saysAnything(message))
}

type Shown = Pick<Variant, 'template' | 'model' | 'provider' | 'parameters'>

function usual({ variants }: Experiment, request: ChatRequest, isBareRequest: boolean): Shown {
  const [first] = variants
  return {
    ...(isBareRequest && first?.template !== undefined && { template: first.template }),
    ...(request.model.startsWith(EXPERIMENT_MODEL) && { model: first?.model, provider: first?.provider }),
  }
}

function modelOf({ model }: ChatRequest, shown: Shown): { readonly model: string } {
  if (shown.model !== undefined) return { model: shown.model }
  return { model: model.startsWith(EXPERIMENT_MODEL) ? 'auto' : model }
}

/** The values of all variables. Every request must provide what any variant needs, whichever it gets. */
function valuesFor({ name, variants }: Experiment, wanted: ExperimentRequest): Readonly<Record<string, string>> {
  const isBareRequest = isBare(wanted.request)
  const plain = variants.find(({ template }) => template === undefined)
  if (isBareRequest && plain !== undefined)
    throw new InvalidRequestError(`variant "${plain.name}" of experiment "${name}" has no template; give a prompt`, {
      parameter: 'prompt',
    })
  const values: Record<string, string> = Object.create(null)
  const needed = new Set(variants.flatMap(({ template }) => templateVariables(template ?? '')))
  if (!isBareRequest && needed.has(PROMPT_VARIABLE))
    values[PROMPT_VARIABLE] = textOf(lastFromUser(wanted.whole().messages))
  for (const [variable, value] of Object.entries(wanted.variables ?? {}))
    values[variable] = textOfValue(variable, value)
  const missing = [...needed].filter((variable) => !(variable in values))
  if (missing.length === 0) return values
  const needs = missing.map((variable) => `{{${variable}}}`).join(', ')
  const inCode = missing.map((variable) => `${variable}: …`).join(', ')
  const inHeader = missing.map((variable) => `"${variable}":"…"`).join(',')
  throw new InvalidRequestError(
    `experiment "${name}" needs ${needs}; give variables: { ${inCode} } (at the gateway the header x-keywise-variables: {${inHeader}})`,
    { parameter: 'variables' },
  )
}

function textOfValue(variable: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new InvalidRequestError(`the variable "${variable.slice(0, 60)}" must be a text or a number`, {
    parameter: 'variables',
  })
}

const saysAnything = ({ content }: Message) => content.some((part) => part.type !== 'text' || part.text.trim() !== '')
const lastFromUser = (messages: readonly Message[]) => messages.findLast(({ role }) => role === 'user')

function textOf(message: Message | undefined): string {
  return (message?.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')
}

/** Replaces the text of the last user message by the template; its images and files stay. */
function filled(
  messages: readonly Message[],
  template: string,
  values: Readonly<Record<string, string>>,
): readonly Message[] {
  const rendering = renderTemplate(template, values)
  if (!rendering.ok) throw new TypeError(`nothing fills ${rendering.missing.join(', ')}`)
  const last = lastFromUser(messages)
  const text = { type: 'text', text: rendering.text } as const
  if (last === undefined) return [...messages, { role: 'user', content: [text] }]
  const others = last.content.filter((part) => part.type !== 'text')
  return messages.map((message) => (message === last ? { ...message, content: [text, ...others] } : message))
}
