/**
 * The sentences in which upstreams say the same few things, in lower case. Each is looked for only where the status
 * makes it likely (`rules.ts`). Linear patterns only: the texts are hostile input.
 */

export const LOCATION = /location is not supported|country|region|territory|not available in your/
export const NO_CREDIT =
  /(?:any|no|more|out of|enough|insufficient|used all(?: available)?|purchase) credits|credit balance|spending limit|balance is (?:too low|insufficient)|insufficient (?:account )?(?:balance|funds)|arrearage|payment required|key limit exceeded|exceeded your current quota, please check your plan and billing/
export const LACKS =
  /(?:does not|doesn't|do not|don't) support|not support(?:ed|ing)?\b|unsupported|extra (?:fields|inputs) (?:are )?not permitted|unrecognized request argument|(?:unknown|unrecognized|unexpected) (?:parameter|field|argument|keyword)|unknown name "[^"]{1,100}" at|not enabled for|no endpoints found that support|requires --enable|is not available (?:on|for|with) this model|maximum allowed number of output tokens|max(?:_completion)?_tokens.{0,3} (?:is too large|must be less than)/

/** A name at the root of Gemini's request that carries an ability; any other unknown name is a malformed request. */
export const UNKNOWN_ABILITY =
  /unknown name "(?:tools|tool_?config|tool_choice|functions|response_?format|response_?schema|response_?mime_?type|system_?instruction|stream_options|reasoning(?:_effort)?|thinking_?config)"/
export const TOO_LONG =
  /maximum context length|prompt is too long|input is too long|exceeds? the maximum number of tokens|too many tokens|current length is \d{1,12} while limit is \d{1,12}|context (?:window|size|length)|reduce the length of the (?:messages|prompt|input)/
export const GONE =
  /no endpoints found|is not a valid model|no such model|(?:unknown|invalid) model|try pulling|not found for account|decommissioned|has been (?:deprecated|retired|removed|shut down|discontinued)|end of life/
export const FULL =
  /capacity exceeded|overloaded|at capacity|over capacity|no capacity|high demand|high load|high traffic|degraded function|model is (?:currently )?loading|server (?:is )?busy|temporarily unavailable/
export const PER_DAY = /\((?:rpd|tpd|asd)\)|per[ -]day\b|\/ ?day\b|daily|per month|\/ ?month\b|monthly/

export const LIMITED = /limit|quota|allocation|exceed/
