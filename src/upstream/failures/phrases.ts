/**
 * The sentences in which upstreams say the same few things, in lower case. Each is looked for only where the status
 * makes it likely (`rules.ts`). Linear patterns only: the texts are hostile input.
 */

export const LOCATION = /location is not supported|country|region|territory|not available in your/
export const NO_CREDIT =
  /(?:any|no|more|out of|enough|insufficient|used all(?: available)?|purchase) credits|credit balance|spending limit|balance is (?:too low|insufficient)|insufficient (?:account )?(?:balance|funds)|arrearage|payment required|key limit exceeded|exceeded your current quota, please check your plan and billing|quota is not enough|余额不足|余额已用尽|额度(?:不足|已用尽)|欠费/
/** A plan that has run out is money, not a limit: Z.ai's 1309 and 1314. */
export const NO_PLAN = /(?:package|plan|subscription) has expired/
/** The request is refused for its size, not the account for its state; who can afford 0 has no credit left. */
export const CAN_AFFORD = /can only afford [1-9][\d,]{0,14}|prompt tokens limit exceeded: [\d,]{1,15} > [\d,]{1,15}/
/** The key is good, and not for this route: OpenAI's restricted keys, GitHub's fine-grained ones. */
export const NO_SCOPE =
  /missing scopes?\b|insufficient (?:authentication )?scopes?|insufficient permissions for this operation|permission is required to access this endpoint|not allowed to call this route|permission to (?:list|read|view) (?:the )?models/
/** What a model or its server cannot do; only beside `OF_THE_MODEL`, for a value can be "not supported" as well. */
export const LACKS =
  /(?:does not|doesn't|do not|don't) support|not support(?:ed|ing)?\b|unsupported|not enabled for|no endpoints found that support|requires --enable|is not available|is deprecated/
export const OF_THE_MODEL =
  /\b(?:this|the|that|for|with|by|your) (?:model|endpoint|deployment|provider|server)s?\b|^[\w./:-]{1,120} (?:does not|doesn't) support|no endpoints found|requires --enable/
export const TOO_LONG =
  /maximum context length|prompt is too long|input is too long|exceeds? the maximum number of tokens|too many tokens|current length is \d{1,12} while limit is \d{1,12}|context (?:window|size|length)|reduce the length of the (?:messages|prompt|input)/
export const GONE =
  /no endpoints found|is not a valid model|no such model|(?:unknown|invalid) model|try pulling|not found for account|decommissioned|has been (?:deprecated|retired|removed|shut down|discontinued)|end of life/
export const FULL =
  /capacity exceeded|overloaded|at capacity|over capacity|no capacity|high demand|high load|high traffic|degraded function|model is (?:currently )?loading|server (?:is )?busy|temporarily unavailable/
/**
 * The forms in which providers name a limit of a day, and Cohere's of a month. Single words of time (`monthly`) are in
 * no provider's documentation, and a rest of weeks does not follow from them.
 */
export const PER_DAY =
  /\((?:rpd|tpd|asd)\)|free-models-per-day|(?:requests?|tokens?|messages?|calls?|neurons?|prompts?|images?|quer(?:y|ies)|generations?|units?) ?(?:per|a|\/)[ -]?day\b|\bper[ -]day (?:[\w-]{1,20} ){0,3}(?:limit|quota)|\bdaily (?:[\w-]{1,20} ){0,4}(?:limit|quota|allocation|allowance|cap)|\b(?:limit|quota)s? (?:per|for (?:the|this)|of (?:the|this)) day\b|\d api calls ?\/ ?month\b/

export const LIMITED = /limit|quota|allocation|exceed/
