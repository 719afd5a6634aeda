/**
 * The sentences in which upstreams say the same few things, in lower case. Each is looked for only where the status
 * makes it likely (`rules.ts`). Linear patterns only: the texts are hostile input.
 */

export const LOCATION = /location is not supported|country|region|territory|not available in your/
export const NO_CREDIT =
  /not enough balance|(?:any|no|more|out of|enough|insufficient|used all(?: available)?|purchase) credits|credit balance|spending limit|balance is (?:too low|insufficient)|insufficient (?:account )?(?:balance|funds)|arrearage|payment required|key limit exceeded|exceeded your current quota, please check your plan and billing|quota is not enough|余额不足|余额已用尽|额度(?:不足|已用尽)|欠费/
/** A plan that has run out is money, not a limit: Z.ai's 1309 and 1314. */
export const NO_PLAN = /(?:package|plan|subscription) has expired/
/** The request is refused for its size, not the account for its state; who can afford 0 has no credit left. */
export const CAN_AFFORD =
  /can only afford [1-9][\d,]{0,14}|token capacity required, [1-9][\d,]{0,14} available|prompt tokens limit exceeded: [\d,]{1,15} > [\d,]{1,15}/
/** The key is good, and not for this route: OpenAI's restricted keys, GitHub's fine-grained ones. */
export const NO_SCOPE =
  /missing scopes?\b|insufficient (?:authentication )?scopes?|insufficient permissions for this operation|permission is required to access this endpoint|not allowed to call this route|permission to (?:list|read|view) (?:the )?models/
/** What a model or its server cannot do; only beside `OF_THE_MODEL`, for a value can be "not supported" as well. */
export const LACKS =
  /(?:does not|doesn't|do not|don't) support|not support(?:ed|ing)?\b|unsupported|not enabled for|no endpoints found that support|requires --enable|is not available|is deprecated|is mandatory for|(?:is|are) no longer (?:supported|available)|has been (?:deprecated|removed)/
export const OF_THE_MODEL =
  /\b(?:this|the|that|for|with|by|your) (?:model|endpoint|deployment|provider|server)s?\b|^["'`]?[\w./:-]{1,120}["'`]? (?:does not|doesn't) support|no endpoints found|requires --enable/
/** What other models take as it is: Groq's for those that take no parts, Dashscope's for those that always think. */
export const OTHERWISE =
  /messages[.[]\d{1,6}\]?\.content["'`]? ?: (?:value|input) (?:must|should) be a (?:valid )?string|must be set to (?:true|false) for (?:non-)?stream/
export const TOO_LONG =
  /maximum context length|(?:prompt|input|request body|request) (?:is )?too (?:long|large for [\w./:-]{1,120} model)|exceeds? the maximum number of tokens|too many (?:input |prompt )?tokens|current length is \d{1,12} while limit is \d{1,12}|(?:context (?:window|size|length|limit)|model context)|reduce the length of the (?:messages|prompt|input)|(?:prompt|inputs?|input length|messages|prompt length|token count|sequence length)(?: of)?(?: \d{1,12})?(?: tokens)? exceeds? (?:the )?(?:max|model's|limit)|(?:maximum|max) (?:supported |allowed |model )?(?:input|prompt|sequence) (?:length|size|tokens)|(?:maximum|max) (?:number of )?(?:input|prompt) tokens|range of input length|`inputs` must have less than|`inputs` tokens \+ `max_new_tokens`|(?:input|prompt) tokens? (?:limit|exceed)|exceeded model token limit|tokens in the prompt cannot exceed/
/** Of a model that does not exist, or no longer. */
export const GONE =
  /no endpoints found(?: for\b|[.!]?$)|is not a valid model|no such model|(?:unknown|invalid|unavailable) model|unsupported model:|llm provider not provided|model (?:does |is )?not (?:exist|found)|try pulling|not found for account/
/** Said of options as well; of a model only where it is the subject. */
export const RETIRED =
  /decommissioned|has been (?:deprecated|retired|removed|shut down|discontinued)|(?:is|been) retired|end of life|no longer (?:available|supported|served|offered)/
/**
 * OpenRouter's answers to the request's own wishes (`only`, `ignore`, `quantizations`, `max_price`,
 * `require_parameters`): it has the model, and no provider of it that fits. https://openrouter.ai/docs/features/provider-routing
 */
export const NO_ROUTE =
  /no endpoints found (?!for\b)[a-z]|(?:no|none of the|all) (?:[a-z]{1,20} ){0,2}(?:providers?|endpoints?) (?:are|is|were|have been|has been|available|match|support|fit|satisf|can|found (?!for\b))/
export const FULL =
  /capacity exceeded|no available channel|无可用渠道|overloaded|at capacity|over capacity|no capacity|high demand|high load|high traffic|degraded function|model is (?:currently )?loading|server (?:is )?busy|temporarily unavailable/
/**
 * The forms in which providers name a limit of a day, and Cohere's of a month. Single words of time (`monthly`) are in
 * no provider's documentation, and a rest of weeks does not follow from them.
 */
export const PER_DAY =
  /\((?:rpd|tpd|asd)\)|free-models-per-day|(?:requests?|tokens?|messages?|calls?|neurons?|prompts?|images?|quer(?:y|ies)|generations?|units?) ?(?:per|a|\/)[ -]?day\b|\bper[ -]day (?:[\w-]{1,20} ){0,3}(?:limit|quota)|\bdaily (?:[\w-]{1,20} ){0,4}(?:limit|quota|allocation|allowance|cap)|\b(?:limit|quota)s? (?:per|for (?:the|this)|of (?:the|this)) day\b|\d api calls ?\/ ?month\b|\b[rt]pd (?:rate )?limit|\btoday's (?:[\w-]{1,20} ){0,2}(?:limit|quota)|\bper 86400 ?s|bymodelbyday\b/

/** A prompt or an answer that was withheld for its content. */
export const FILTERED =
  /content management policy|flagged (?:by|for|as)|content (?:was|is|has been) flagged|violates? (?:our |the )?(?:usage|content) (?:polic|guidelines)|blocked by (?:our |the )?(?:content|safety|moderation)|prohibited content|sensitive words?\b|涉敏|content exists risk|considered high risk|inappropriate content|unsafe or sensitive content|sensitive content that|new_sensitive|rejected (?:as a result of|by) (?:our |the )?(?:safety|moderation|content)|不安全或敏感|敏感内容/
/** What was paid in advance is used up, or a cap of spending is reached. */
export const PREPAID =
  /prepa(?:y(?:ment)?|id) credits?|credits? (?:are|is|have been|has been) (?:depleted|exhausted|used up)|spend(?:ing)? cap/
/** A model that is about to be there: a bad request only by its status. */
export const NOT_READY =
  /model (?:is|was|has been) (?:currently |still ){0,2}(?:loading|warming up|starting|unloaded|(?:being|getting) (?:loaded|updated|unloaded|deployed|upgraded|restarted))|model (?:unloaded|not ready)|model_not_ready|(?:model|deployment|endpoint) (?:is )?(?:not (?:yet )?(?:ready|loaded)|paused|scaling up|warming up)/

export const LIMITED = /limit|quota|allocation|exceed/
