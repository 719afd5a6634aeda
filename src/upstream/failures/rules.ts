/**
 * How errors are recognised: one ordered table, first match wins. Bodies decide before statuses, distinctive words
 * before general ones. Providers are distinguished by what they say, never by their name.
 */

import type { FailureKind, RequestSubject } from '../../domain/failure.ts'
import type { GatewayName } from './gatewayName.ts'
import {
  CAN_AFFORD,
  FILTERED,
  FULL,
  GONE,
  LACKS,
  LIMITED,
  LOCATION,
  NO_CREDIT,
  NO_PLAN,
  NO_ROUTE,
  NO_SCOPE,
  NOT_READY,
  OF_THE_MODEL,
  OTHERWISE,
  PER_DAY,
  PREPAID,
  RETIRED,
  TOO_LONG,
} from './phrases.ts'
import type { RefusedPart } from './refusedPart.ts'
import { accountRefusal, isOfModel } from './refusedSubject.ts'
import type { StatedQuota } from './statedQuota.ts'

/** An answer as the rules see it. */
export interface FailedResponse {
  /** The HTTP status, or the one stated inside a body that came with 200; 0 when none was stated. */
  readonly status: number
  readonly codes: ReadonlySet<string>
  /** The message as it came, without the long quotations. */
  readonly message: string
  /** The message in lower case, without the long quotations in which prompts are echoed. */
  readonly text: string
  readonly html: boolean
  /** What stands in front of the API refused, rather than the API. */
  readonly edge: boolean
  /** The gateway that answered; null for an API. */
  readonly gateway: GatewayName | null
  readonly passedOn: boolean
  readonly metadata: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
  readonly violations: readonly StatedQuota[]
  readonly quota: StatedQuota
  /** The stated wait in milliseconds; undefined when there is none, or only the reset of some limit. */
  readonly waitMs: number | undefined
  /** A header states the wait, rather than the body. */
  readonly waitsByHeader: boolean
  readonly model: string
  /** The parameter the body names beside the message. */
  readonly parameter: string | undefined
  /** The part of the request that the refusal is about; null for none in particular. */
  readonly part: RefusedPart | null
}

/** Everything that is given must hold; of a list, one. */
export interface FailureRule {
  readonly kind: FailureKind
  readonly statuses?: readonly number[]
  readonly codes?: readonly string[]
  readonly text?: RegExp
  readonly when?: (sight: FailedResponse) => boolean
  /** Facts the recognition itself establishes. */
  readonly facts?: Readonly<Record<string, unknown>>
  /** A stated wait shorter than this is not believed. */
  readonly shortestWaitMs?: number
}

/** Inside HTTP 200, or where the body states no status, only the words decide. */
const NO_STATUS = 0
const CLIENT_SIDE = [NO_STATUS, 400, 404, 410, 413, 415, 422, 501]
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** A Pacific day may have 25 hours. */
const LONGEST_DAY_MS = 25 * HOUR_MS
/** Refused as such, not for a value of it. */
const AS_SUCH: ReadonlySet<RequestSubject | undefined> = new Set(['ability', 'parameter'])

const speaksOfGoogleQuota = ({ codes, text }: FailedResponse) =>
  codes.has('resource_exhausted') || text.includes('generativelanguage') || text.includes('ai.google.dev')

/** The name of a daily quota of Google's where only its text was passed on: `GenerateRequestsPerDayPerProject`. */
const GOOGLE_DAY = /requestsperday|tokensperday|perdayper/

export function isGoogleDay({ violations, text }: Pick<FailedResponse, 'violations' | 'text'>): boolean {
  return violations.some(({ window }) => window === 'day') || GOOGLE_DAY.test(text)
}

function isGoogleZero(sight: FailedResponse): boolean {
  const { violations, text } = sight
  if (violations.length > 0 && violations.every(({ limit }) => limit === 0)) return true
  return /\blimit: 0, model: /.test(text) && (violations.length > 0 || speaksOfGoogleQuota(sight))
}

/** Words alone decide only where no time is stated beside them. */
const statesNoTime = ({ waitMs }: FailedResponse) => waitMs === undefined

const AUTH_CODES: readonly string[] = [
  'api_key_invalid',
  'invalid_api_key',
  'authentication_error',
  'invalid_authentication_error',
  'authentication',
  'unauthenticated',
  'account_deactivated',
  'organization_restricted',
  'cloudflare-10000',
  // https://docs.litellm.ai/docs/proxy/error_reference
  'token_not_found_in_db',
  'expired_key',
  'auth_error',
  // https://platform.minimax.io/docs/api-reference/errorcode
  'minimax-1004',
  'minimax-2049',
]

const MODEL_CODES: readonly string[] = [
  'model_not_found',
  'model_decommissioned',
  'model_not_supported',
  'model_not_available',
  'unavailable_model',
  'deploymentnotfound',
  'invalid_model',
  'unknown_model',
  'cloudflare-5007',
  'cloudflare-3042',
]

const SENSITIVE_CODE = /sensitivecontentdetected|riskdetection$/

/** The address is what was not found, whatever names stand in it. */
const ADDRESS =
  /page not found|cannot (?:post|get) |invalid url|no route|requested (?:url|path)|(?:url|path|route) (?:was )?not found|unrecognized request url/
const MODEL_WORDS = /models?\b|deployment|\bengine\b|function '/

function speaksOfModel({ codes, text, model, parameter }: FailedResponse): boolean {
  if (parameter === 'model' || MODEL_CODES.some((code) => codes.has(code)) || GONE.test(text)) return true
  if (ADDRESS.test(text)) return false
  return MODEL_WORDS.test(text) || (model.length >= 3 && text.includes(model.toLowerCase()))
}

/** A refusal that gives no reason, as some services answer a prompt that is too long, and some proxies anything. */
function isUnexplained({ codes, text }: FailedResponse): boolean {
  return /^(?:(?:http )?400:? ?)?(?:bad request)?[.!]?$/.test(text) && [...codes].every((code) => BARE_CODE.test(code))
}

const BARE_CODE = /^(?:400|bad[ _]?request(?:error)?|about:blank)$/

const NO_SCOPE_CODES: readonly string[] = [
  'missing_scope',
  'missing_scopes',
  // https://www.rfc-editor.org/rfc/rfc6750#section-3.1
  'insufficient_scope',
  'access_token_scope_insufficient',
]

const BILLING_CODES: readonly string[] = [
  'insufficient_quota',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'billing_error',
  'billing_hard_limit_reached',
  'billing_not_active',
  'payment_required',
  'insufficient_balance',
  'insufficient_credits',
  'insufficient_funds',
  'not_enough_balance',
  'minimax-1008',
  'exceeded_current_quota_error',
  'arrearage',
  // https://github.com/songquanpeng/one-api and its descendants, which answer 403.
  'insufficient_user_quota',
  'pre_consume_token_quota_failed',
  'budget_exceeded',
]

/** A request that alone is larger than what is left of money or of a limit, whatever wait is stated beside it. */
export const SIZE_RULES: readonly FailureRule[] = [
  {
    // https://openrouter.ai/docs/api-reference/errors : the answer asked for could cost more than the credit that is left.
    kind: 'too_large_for_limit',
    statuses: [NO_STATUS, 400, 402, 403, 429, 500],
    text: CAN_AFFORD,
  },
  {
    // https://openrouter.ai/docs/api_reference/limits (read 2026-11-30): this request alone, not the credit.
    kind: 'too_large_for_limit',
    statuses: [NO_STATUS, 402],
    when: ({ metadata }) => metadata['reason'] === 'weight_exceeds_budget',
  },
  { kind: 'too_large_for_limit', statuses: [NO_STATUS, 413, 429], text: /^request too large for / },
  // Seen at Anthropic: the plan covers shorter requests, and they go on.
  { kind: 'too_large_for_limit', statuses: [NO_STATUS, 400, 429], text: /required for long context requests/ },
  { kind: 'too_large_for_limit', statuses: [413], codes: ['tokens', 'rate_limit_exceeded', 'request_too_large'] },
  {
    kind: 'too_large_for_limit',
    statuses: [NO_STATUS, 413, 429],
    when: ({ quota }) => quota.unit !== 'requests' && (quota.requested ?? 0) > (quota.limit ?? Infinity),
  },
]

export const FAILURE_RULES: readonly FailureRule[] = [
  // A challenge or an error page of a proxy is not about the key, whatever its status.
  { kind: 'server', when: ({ edge }) => edge },
  { kind: 'server', when: (sight) => sight.html && ![402, 408, 413, 429, 498, 503, 529].includes(sight.status) },

  // The content.
  {
    kind: 'content_filter',
    codes: [
      'content_filter',
      'responsibleaipolicyviolation',
      'content_policy_violation',
      'refusal',
      'safety',
      'prohibited_content',
      'blocklist',
      'spii',
      'recitation',
      'image_safety',
      'moderation_blocked',
      // https://help.aliyun.com/en/model-studio/error-code
      'data_inspection_failed',
      'datainspectionfailed',
      // https://platform.minimax.io/docs/api-reference/errorcode
      'minimax-1026',
      'minimax-1027',
      'censorship_blocked',
    ],
  },
  // https://docs.z.ai/api-reference/api-code
  { kind: 'content_filter', statuses: [NO_STATUS, 400], codes: ['1301'] },
  // https://www.volcengine.com/docs/82379/1099476
  { kind: 'content_filter', when: ({ codes }) => [...codes].some((code) => SENSITIVE_CODE.test(code)) },
  {
    kind: 'content_filter',
    statuses: [403],
    when: ({ metadata }) => 'flagged_input' in metadata || 'reasons' in metadata,
  },
  {
    kind: 'content_filter',
    statuses: [NO_STATUS, 400, 403, 422, 451],
    text: FILTERED,
  },

  // Whatever code stands in it: gateways answer a model that has no free channel like one that they do not know.
  { kind: 'overloaded', statuses: [503, 529] },

  // A router's problem with its own account at the provider behind it is not the key's fault.
  { kind: 'server', statuses: [401, 402, 403], when: (sight) => sight.passedOn },
  {
    kind: 'rate_minute',
    statuses: [429],
    when: (sight) => sight.passedOn && !isGoogleDay(sight),
    facts: { scope: 'model' },
  },
  { kind: 'server', codes: [...AUTH_CODES, ...BILLING_CODES], when: (sight) => sight.passedOn },
  { kind: 'server', statuses: [NO_STATUS, 400], text: NO_CREDIT, when: (sight) => sight.passedOn },

  // A key that lacks the scope of one route may be good for the others.
  { kind: 'auth_forbidden', statuses: [401, 403], codes: NO_SCOPE_CODES, facts: { routeOnly: true } },
  { kind: 'auth_forbidden', statuses: [401, 403], text: NO_SCOPE, facts: { routeOnly: true } },

  // Everything that the key may do. https://cloud.google.com/apis/design/errors#error_info, google.api.ErrorReason
  {
    kind: 'auth_forbidden',
    statuses: [400, 403],
    codes: [
      'service_disabled',
      'consumer_suspended',
      'consumer_invalid',
      'api_key_service_blocked',
      'api_key_http_referrer_blocked',
      'api_key_ip_address_blocked',
      'api_key_android_app_blocked',
      'api_key_ios_app_blocked',
    ],
    facts: { keyWide: true },
  },
  { kind: 'billing', statuses: [400, 403], codes: ['billing_disabled'] },

  // The key.
  { kind: 'auth_invalid', text: /reported as leaked/, statuses: [400, 401, 403], facts: { leaked: true } },
  {
    kind: 'auth_invalid',
    codes: AUTH_CODES,
  },
  {
    kind: 'auth_invalid',
    statuses: [400, 403],
    text: /^(?:api key (?:not valid|expired|not found)|authorization failed|(?:incorrect|invalid) (?:api|authentication) (?:key|token)|authentication (?:failed|error))/,
  },

  // https://help.aliyun.com/en/model-studio/error-code : limits of a minute under the code `insufficient_quota`.
  {
    kind: 'rate_minute',
    statuses: [429],
    text: /allocated quota exceeded|exceeded your current requests? (?:list|limit)|request rate increased too quickly/,
  },

  // Money. Anthropic's is a 400 and DeepSeek's carries the code of a bad request, so this stands before both.
  {
    kind: 'in_flight_budget',
    codes: ['openrouter_in_flight_budget'],
    when: ({ headers }) => 'retry-after' in headers || 'retry-after-ms' in headers,
  },
  // A gateway's budget that says when it opens again is a limit like any other.
  { kind: 'rate_minute', statuses: [429], codes: ['budget_exceeded'], when: ({ waitMs }) => waitMs !== undefined },
  // https://openrouter.ai/docs/api_reference/limits (read 2026-11-30), and the words it had before.
  { kind: 'billing', codes: ['openrouter_key_limit'], facts: { keyLimit: true } },
  { kind: 'billing', statuses: [402, 403], text: /^key limit exceeded/, facts: { keyLimit: true } },
  {
    kind: 'billing',
    codes: ['enforced_spend_limit_reached'],
    facts: { untilMonthEnd: true },
  },
  {
    kind: 'billing',
    statuses: [NO_STATUS, 400, 402, 403, 429],
    text: /^you have reached your specified (?:workspace )?api usage limits/,
    facts: { untilMonthEnd: true },
  },
  {
    kind: 'billing',
    codes: BILLING_CODES,
  },
  { kind: 'billing', statuses: [402], when: ({ model }) => model.endsWith(':free'), facts: { coversFree: true } },
  { kind: 'billing', statuses: [402] },
  {
    kind: 'billing',
    statuses: [400],
    text: /^(?:your credit balance is too low|insufficient balance|access denied.{0,40}arrearage)|draw from your extra usage/,
  },
  // https://ai.google.dev/gemini-api/docs/billing : its status is that of every other limit.
  { kind: 'billing', statuses: [NO_STATUS, 400, 403, 429], text: PREPAID },
  // A retired model may answer as if it were our balance (seen at ModelScope).
  { kind: 'model_not_found', statuses: [429], text: /insufficient balance \(1008\)/ },
  // Gemini says "check your plan and billing details" also when only the free minute is used up.
  {
    kind: 'billing',
    statuses: [NO_STATUS, 401, 403, 412, 429],
    text: NO_CREDIT,
    when: (sight) => !speaksOfGoogleQuota(sight) && (sight.status === 412 || statesNoTime(sight)),
  },
  { kind: 'billing', statuses: [403, 429], text: NO_PLAN, when: statesNoTime },

  // Full house, also where it is dressed as a limit or as a bad request.
  { kind: 'overloaded', text: /service tier capacity exceeded|degraded function cannot be invoked/ },
  {
    kind: 'overloaded',
    codes: [
      'overloaded_error',
      'unavailable',
      'server_is_overloaded',
      'engine_overloaded',
      'engine_overloaded_error',
      'provider_overloaded',
      'provider_unavailable',
      'capacity_exceeded',
      'queue_exceeded',
      'insufficient_system_resource',
      'cloudflare-3040',
    ],
  },
  { kind: 'overloaded', statuses: [NO_STATUS, 429, 500, 502], text: FULL },
  { kind: 'overloaded', statuses: [NO_STATUS, 400, 404, 409, 422], text: NOT_READY },
  { kind: 'overloaded', statuses: [400, 404, 409, 422], text: FULL, when: isOfModel },
  { kind: 'overloaded', statuses: [400, 404, 409, 422], codes: ['model_not_ready', 'invalidendpoint.closedendpoint'] },

  // Limits, the longest first.
  {
    // https://ai.google.dev/gemini-api/docs/rate-limits : the retryDelay beside it is as wrong as beside a day's quota.
    kind: 'zero_quota',
    statuses: [NO_STATUS, 429],
    when: (sight) => !sight.waitsByHeader && isGoogleZero(sight),
  },
  // https://help.aliyun.com/en/model-studio/error-code
  { kind: 'zero_quota', statuses: [403, 429], codes: ['allocationquota.freetieronly'], when: statesNoTime },
  {
    // Beside a daily violation Gemini's retryDelay is still a few seconds, and wrong.
    kind: 'quota_day',
    when: isGoogleDay,
    shortestWaitMs: HOUR_MS,
  },
  {
    kind: 'quota_day',
    codes: ['quota_exceeded', 'openrouter_free_tier_daily', 'cloudflare-3036'],
  },
  // GitHub's models say in a header which of their limits it was.
  { kind: 'quota_day', statuses: [429], when: ({ headers }) => /byday$/i.test(headers['x-ratelimit-type'] ?? '') },
  {
    kind: 'quota_day',
    statuses: [NO_STATUS, 403, 429],
    text: PER_DAY,
    when: ({ text, waitMs = HOUR_MS }) => LIMITED.test(text) && waitMs >= MINUTE_MS && waitMs <= LONGEST_DAY_MS,
  },
  {
    kind: 'rate_minute',
    codes: [
      'rate_limit_exceeded',
      'rate_limit_error',
      'rate_limited',
      'slow_down',
      'too_many_requests',
      'too_many_requests_error',
      'request_quota_exceeded',
      'token_quota_exceeded',
      'resource_exhausted',
      'usage_limit_reached',
      'throttling_error',
      'minimax-1002',
      'minimax-1039',
      'minimax-1041',
      'minimax-2045',
      'minimax-2056',
    ],
  },
  { kind: 'rate_minute', statuses: [403], text: /\b(?:rate|usage) limit|too many requests/ },
  { kind: 'rate_minute', statuses: [400], text: /^(?:(?:rate|usage) limit|quota) (?:has been )?(?:exceeded|reached)/ },

  // The size of the answer, before that of the prompt, whose words it shares.
  {
    kind: 'unsupported',
    statuses: CLIENT_SIDE,
    when: ({ part, text }) => part?.about === 'size' && part.parameter !== undefined && !/maximum context/.test(text),
  },

  // The size of the prompt.
  {
    kind: 'context_too_long',
    codes: [
      'context_length_exceeded',
      'model_context_window_exceeded',
      'token_limit_exceeded',
      'string_too_long',
      'exceed_context_size_error',
    ],
  },
  { kind: 'context_too_long', statuses: [NO_STATUS, 400, 413, 422, 500], text: TOO_LONG },
  { kind: 'bad_request', statuses: CLIENT_SIDE, when: ({ part }) => part?.about === 'size' },

  // The place.
  {
    kind: 'auth_forbidden',
    codes: ['unsupported_country_region_territory', 'unsupported_country_region'],
    facts: { hostBlocked: true },
  },
  { kind: 'auth_forbidden', codes: ['failed_precondition'], text: LOCATION, facts: { hostBlocked: true } },
  { kind: 'auth_forbidden', statuses: [403], text: /check your network settings/, facts: { hostBlocked: true } },

  // What the request refers to. A missing file is not a missing model, whatever its status and code are.
  { kind: 'bad_request', statuses: [...CLIENT_SIDE, 403, 409], when: ({ part }) => part?.about === 'object' },
  { kind: 'bad_request', statuses: CLIENT_SIDE, when: ({ part }) => part?.about === 'media' },

  // The model.
  { kind: 'auth_forbidden', statuses: [404], text: /matching your data policy|guardrail restrictions/ },
  // What one request wants beside the model takes the model from nobody else.
  { kind: 'unsupported', statuses: [400, 404], text: NO_ROUTE },
  {
    kind: 'unsupported',
    statuses: [400, 404],
    text: /^(?:hosted |the )?tools? ["'`]?[\w.-]{1,80}["'`]? (?:is|are) not /,
  },
  { kind: 'unsupported', statuses: [404], when: ({ parameter = 'model' }) => parameter !== 'model' },
  // A proxy without its server and a wrong address say the same; neither is known to last.
  {
    kind: 'model_not_found',
    statuses: [404],
    when: (sight) => sight.part === null && !speaksOfModel(sight),
    facts: { unexplained: true },
  },
  {
    kind: 'model_not_found',
    codes: [...MODEL_CODES, 'not_found_error', 'not_found'],
  },
  { kind: 'model_not_found', statuses: CLIENT_SIDE, text: GONE },
  {
    kind: 'model_not_found',
    statuses: CLIENT_SIDE,
    text: RETIRED,
    when: (sight) => sight.status === 410 || isOfModel(sight),
  },
  { kind: 'model_not_found', statuses: [400, 422], text: /does not exist/, when: ({ text }) => text.includes('model') },

  // Permission.
  {
    kind: 'auth_forbidden',
    codes: [
      'permission_error',
      'permission_denied',
      'failed_precondition',
      'precondition_failed',
      'cloudflare-5016',
      'cloudflare-5018',
      'cloudflare-3041',
      'model_terms_required',
      'minimax-2061',
      // https://docs.litellm.ai/docs/proxy/error_reference
      'key_model_access_denied',
      'team_model_access_denied',
      'user_model_access_denied',
      'org_model_access_denied',
      'project_model_access_denied',
    ],
  },
  // Z.ai's 1311, a 429.
  { kind: 'auth_forbidden', statuses: [403, 429], text: /subscription plan does not (?:yet )?include access/ },

  // The account, also where the status blames the request.
  {
    kind: 'auth_forbidden',
    statuses: [NO_STATUS, 400, 422],
    when: (sight) => accountRefusal(sight) === 'credential',
    facts: { keyWide: true },
  },
  { kind: 'auth_forbidden', statuses: [NO_STATUS, 400, 422], when: (sight) => accountRefusal(sight) === 'access' },
  { kind: 'unsupported', statuses: [NO_STATUS, 400, 422], when: (sight) => accountRefusal(sight) === 'feature' },

  // What the model or the provider cannot do.
  {
    kind: 'unsupported',
    statuses: CLIENT_SIDE,
    codes: ['unsupported_parameter', 'unsupported_value', 'unimplemented'],
  },
  { kind: 'unsupported', statuses: [...CLIENT_SIDE, 500], when: ({ part }) => AS_SUCH.has(part?.about) },
  { kind: 'unsupported', statuses: CLIENT_SIDE, text: LACKS, when: ({ text }) => OF_THE_MODEL.test(text) },

  // The model's output cannot be parsed; the request was valid. https://console.groq.com/docs/tool-use
  { kind: 'server', codes: ['tool_use_failed', 'json_validate_failed'] },

  // Of the model, whatever it is: the caller did not choose this one.
  { kind: 'unsupported', statuses: [400, 409, 413, 415, 422], when: isOfModel },
  { kind: 'unsupported', statuses: [400, 422], text: OTHERWISE },
  { kind: 'unsupported', statuses: [400], when: isUnexplained },

  // Now the status alone.
  { kind: 'auth_invalid', statuses: [401] },
  { kind: 'auth_forbidden', statuses: [403] },
  { kind: 'model_not_found', statuses: [404, 410] },
  { kind: 'rate_minute', statuses: [429] },
  { kind: 'overloaded', statuses: [498, 503, 529] },
  { kind: 'server', statuses: [407, 408, 499] },
  { kind: 'server', when: ({ status }) => status >= 500 || (status >= 300 && status < 400) },
  { kind: 'bad_request', statuses: [400, 409, 413, 415, 416, 422] },
  // No well-formed call of an API is answered with any other status: what stands in front of it is broken.
  { kind: 'server', when: ({ status }) => status >= 400 },

  // Inside HTTP 200, and nothing distinctive: the general words.
  { kind: 'unsupported', codes: ['invalid_request_error', 'invalid_argument', 'invalid_request'], when: isOfModel },
  {
    kind: 'bad_request',
    codes: [
      'invalid_request_error',
      'invalid_argument',
      'invalid_request',
      'invalid_prompt',
      'payload_too_large',
      'request_too_large',
      'unprocessable',
      'out_of_range',
      'minimax-2013',
    ],
  },
  { kind: 'server' },
]
