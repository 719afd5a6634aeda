/**
 * Whose matter a refusal is by the subject of its sentence. What is said of the model, the organization, the account
 * or the credential is never the caller's: it chose neither, and another target may well serve it.
 */

import type { RefusedPart } from './refusedPart.ts'

interface RefusedSentence {
  /** In lower case. */
  readonly text: string
  /** The parameter the body names beside the message. */
  readonly parameter: string | undefined
  readonly model: string
  readonly part: RefusedPart | null
}

/** `credential`: nothing that the key is used for. `access`: not this model. `feature`: not what this request wants. */
type AccountRefusal = 'credential' | 'access' | 'feature'

/** Where a sentence begins, or a part of one behind the name of an error. */
const BEGIN = '(?:^|[.;:,>)] ?)["\'`]?'
const DETERMINERS =
  '(?:(?:the|this|that|your|our|requested|selected|specified|given|chosen|current|provided|target) ){0,3}'
const OWNER = '(?:organi[sz]ation|account|workspace|project|team|tenant|subscription|plan|tier)'
const NAME = '(?: ["\'`(]?[\\w./:@<>-]{1,120}["\'`)]?)?'
const LINKED =
  '(?: (?:linked|associated|belonging|tied|assigned|with|to|of|for|this|your|the|api|key|token|project|organi[sz]ation|account)){1,8}'
const VERB =
  "(?:is|was|has|have|does|do|can|cannot|can't|isn't|hasn't|doesn't|may|must|needs?|requires?|lacks?|only|not)\\b"

const OF_MODEL = new RegExp(`${BEGIN}${DETERMINERS}(?:models?|(?:inference )?endpoint|deployment)(?:\\b|_)`)
const OF_ACCOUNT = new RegExp(
  `${BEGIN}${DETERMINERS}(?:${OWNER}|credentials?|(?:(?:api|access|auth|oauth|bearer) )(?:key|token))(?:${LINKED}|${NAME}) ${VERB}`,
)
/** The account as what a feature or a model is not for. */
const NOT_FOR_ACCOUNT = new RegExp(
  `(?:not|n't) (?:yet |currently |been ){0,2}(?:enabled|available|allowed|permitted|supported|activated|accessible|authori[sz]ed|included) (?:for|on|in|to|by|with|under) ${DETERMINERS}(?:[\\w-]{1,30} )?${OWNER}`,
)
const NOT_FOR_FREE =
  /only (?:accessible|available|offered) (?:to|for|on|with|in) (?:the )?(?:billed|paid|paying|pro\b|premium|enterprise|verified|eligible)/
const YOU =
  /you (?:do not|don't|are not|aren't) (?:yet )?(?:have (?:access|permission)|allowed|authori[sz]ed|permitted|eligible)|verify your (?:organi[sz]ation|account|identity)|(?:add|update) (?:a |your )?payment method|(?:please|must) enable billing/
const SHUT =
  /disabled|suspended|deactivated|blocked|banned|restricted|closed|on hold|terminated|locked|inactive|not active|only authori[sz]ed|revoked/
/** Something that the request wants beside its model is missing, and nothing is wrong with the key. */
const WANTED = /disabled for|blocked for|restricted for/

const ABOUT_ACCOUNT = [NOT_FOR_ACCOUNT, NOT_FOR_FREE, YOU]
/** A model among what the account may not. */
const SOME_MODEL = /\b(?:this|the|that|requested) model\b|access to models?\b|\bapi is only\b/

/** The model is the subject, or the body names `model` as what it refuses. */
export function isOfModel({ text, parameter, model }: RefusedSentence): boolean {
  if (parameter === 'model' || OF_MODEL.test(text)) return true
  if (model.length < 3) return false
  const id = model.toLowerCase()
  const at = text.replace(/^["'`]?(?:models\/)?/, '')
  return at.startsWith(id) && /^["'`]? [a-z]/.test(at.slice(id.length, id.length + 4))
}

/** What of the account was refused; undefined when the sentence is not about it. */
export function accountRefusal(sentence: RefusedSentence): AccountRefusal | undefined {
  const { text, part } = sentence
  const isSubject = OF_ACCOUNT.test(text)
  if (!isSubject && !ABOUT_ACCOUNT.some((pattern) => pattern.test(text))) return undefined
  if (part?.parameter !== undefined) return 'feature'
  if (isSubject && SHUT.test(text) && !WANTED.test(text)) return 'credential'
  return isOfModel(sentence) || SOME_MODEL.test(text) ? 'access' : 'feature'
}
