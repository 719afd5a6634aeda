/**
 * Whether a refusal is about an object that the request refers to and that this account does not have, may not read or
 * no longer has: a file, cache, container, item, thread, batch … A model is none; a tuned model is a model.
 */

/** An answer that refuses, as its words are read. */
export interface Refusal {
  readonly status: number
  readonly codes: ReadonlySet<string>
  /** The message as it came, without long quotations. */
  readonly message: string
  /** The same in lower case. */
  readonly text: string
  readonly model: string
  /** The parameter the body names beside the message. */
  readonly parameter: string | undefined
}

const KINDS =
  'files?|file[ _-]?(?:ids?|uris?|objects?)|containers?|cached?[ _-]?contents?|caches?|items?|(?:previous[ _])?responses?|(?:previous[ _])?interactions?|conversations?|threads?|messages?|runs?|run steps?|assistants?|batch(?:es)?|vector[ _-]?stores?|uploads?|sessions?|skills?|agents?|documents?|librar(?:y|ies)|data ?stores?|corpus|corpora|videos?|assets?|attachments?|artifacts?|jobs?|evals?|memory stores?'
/** Not inside an id such as `llama-prompt-guard`. */
const OBJECT = `(?<![\\w./-])(?:${KINDS})(?![\\w-])(?! (?:api|endpoint|feature|scope)s?\\b)`
const ID = `(?: (?:with )?(?:the )?(?:given |specified |provided )?(?:ids?|names?|uris?|objects?)\\b)?[ :=/]{0,3}(?:["'\`(<[]{0,2}[\\w./:@-]{1,160}["'\`)>\\]]{0,2})?`
/** Followed by its name, which a whole kind of objects is not. */
const NAMED = '[ :/]["\'`]?[\\w-]{0,80}[\\d_/]'
const ABSENT =
  "(?:(?:was|were|is|are|could|can|has|have|does|do|did|may|might) ?(?:not|n't)? ?(?:be |been |an? )?)?(?:not (?:be )?(?:found|exist|available|accessible)|found|exist\\b|expired|deleted|no longer (?:available|exists?|valid))"
const NEGATIVE = /not |n't |expired|deleted|no longer/

const ABOUT_OBJECT: readonly RegExp[] = [
  new RegExp(`\\bno (?:such )?${OBJECT}${ID}(?: (?:was |were )?(?:found|exists?|with)|[:.]|$)`),
  new RegExp(
    `(?:could not|couldn't|cannot|can't|unable to|failed to) (?:find|locate|access|retrieve|load|open|read) (?:the |a |any |your )?(?:specified |requested |given )?${OBJECT}`,
  ),
  new RegExp(
    `(?:(?:permissions?|authori[sz]ed|allowed) (?:to|for) (?:access|read|use|view|download|retrieve|open)|access(?: to)?|accessing) (?:(?:the |this |that |those |requested |specified |an? ){1,2}${OBJECT}|${OBJECT}${NAMED})`,
  ),
  new RegExp(`${OBJECT}${ID} (?:belongs to|is owned by) (?:a different|another)`),
  new RegExp(`${OBJECT}${ID} (?:is|are) not (?:in an? )?(?:active|ready|processed)`),
]
const ABSENCE = new RegExp(`${OBJECT}${ID} ?(${ABSENT})`)
const CODE =
  /^(?:(?:input_)?file|container|cache|cached_content|item|(?:previous_)?response|(?:previous_)?interaction|conversation|thread|message|run|assistant|batch|vector_store|upload|session|prompt|skill|agent|document|image|video|job)s?_(?:not_found|expired|deleted|missing)$/

export function missingObject(refusal: Refusal): boolean {
  const { codes } = refusal
  const isModels = [...codes].some((code) => /model_|deployment/.test(code))
  if (isModels) return false
  if ([...codes].some((code) => CODE.test(code))) return true
  const text = withoutModel(refusal)
  if (/\bscopes?\b/.test(text)) return false
  const absence = ABSENCE.exec(text)
  if (absence !== null && NEGATIVE.test(absence[0]) && !MODEL_ABSENT.test(text)) return true
  return ABOUT_OBJECT.some((pattern) => pattern.test(text)) || missingSomething(refusal, text)
}

/** Model ids are words like any others: one may be called after a prompt or a file. */
function withoutModel({ text, model }: Refusal): string {
  return model.length < 3 ? text : text.replaceAll(model.toLowerCase(), 'model-id')
}

const MODEL_ABSENT = /\bmodels?[ /:]{1,2}["'`]?[\w./:@-]{1,160}["'`]? (?:was |is |does |could )?(?:not |n't )/
const SOMETHING_ABSENT = /not (?:be )?found|(?:does|do) not exist|doesn't exist|no such|no longer exists?|has expired/
/** The model, the address, or the account. */
const SOMETHING_ELSE =
  /model|deployment|engine\b|endpoint|function '|pulling|url\b|uri\b|route|path\b|page not found|method|account|organi[sz]ation|project|workspace|user\b|api key/

/** A 404 that says that something is missing and speaks neither of a model nor of the address. */
function missingSomething({ status, model }: Refusal, text: string): boolean {
  if (status !== 404 && status !== 410) return false
  if (/^(?:\d{3}:? )?(?:the )?(?:requested )?(?:resource |page )?(?:was )?not found\W{0,2}$/.test(text)) return false
  return SOMETHING_ABSENT.test(text) && !SOMETHING_ELSE.test(text) && !/tunedmodels?\//i.test(model)
}
