/**
 * Refusals of what stands in front of an API: a content delivery network, a firewall, a reverse proxy. They know
 * neither keys nor models and pass when the edge is well again. Web pages are recognised by `ErrorEnvelope.html`.
 */

import type { ErrorEnvelope } from './envelope.ts'

interface EdgeSight {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly envelope: ErrorEnvelope
  /** The message in lower case. */
  readonly text: string
}

/** Set by the firewall itself: https://developers.cloudflare.com/cloudflare-challenges/ and AWS WAF's developer guide. */
const MITIGATION_HEADERS = ['cf-mitigated', 'x-amzn-waf-action']

/** Cloudflare's 1xxx errors, for clients that do not ask for a page: `error code: 1010`. */
const CLOUDFLARE_CODE = /^error code: \d{3,4}$/

/** Words of Cloudflare, Imperva, CloudFront, F5, Akamai, Envoy and Sucuri that no API uses. */
const FIREWALL_WORDS =
  /used cloudflare to restrict access|incapsula incident|powered by incapsula|the request could not be satisfied|the requested url was rejected|you don't have permission to access "?https?:|reference ?#\d{1,3}\.[\da-f]{4,}|^rbac: access denied|sucuri website firewall|blocked by (?:mod_?security|the (?:web application )?firewall|security policy)|web application firewall/

/** A refusal that gives no reason. */
const BARE_WORDS =
  /^(?:http )?(?:(?:error )?40[36][ :-]{0,3})?(?:forbidden|access ?denied|access forbidden|request (?:blocked|rejected|forbidden|denied|not allowed)|blocked|not acceptable)?[.!]?$/
/** Codes that repeat the status and say no more. */
const BARE_CODE =
  /^(?:\d{3}|forbidden(?:exception|error)?|access[ _]?denied|not[ _]acceptable|http[ _]?(?:error|exception)|about:blank)$/
/** An API that speaks in plain text still names what it refuses. */
const API_WORDS =
  /\b(?:api|keys?|tokens?|models?|permissions?|permitted|accounts?|plans?|subscriptions?|organi[sz]ations?|projects?|users?|quota|limits?|credits?|balance|scopes?|roles?|countr(?:y|ies)|regions?|territory|location|network settings|auth\w{0,12})\b/

export function isEdge({ status, headers, envelope, text }: EdgeSight): boolean {
  if (status < 400 || status === 402) return false
  if (envelope.fromEdge || CLOUDFLARE_CODE.test(text)) return true
  if (MITIGATION_HEADERS.some((name) => name in headers)) return true
  if (FIREWALL_WORDS.test(text)) return true
  if (status !== 403 && status !== 406) return false
  const isBare = BARE_WORDS.test(text) && givesNoReason(envelope)
  return isBare || (envelope.isPlainText && !API_WORDS.test(text))
}

function givesNoReason({ codes, details, metadata }: ErrorEnvelope): boolean {
  return details.length === 0 && Object.keys(metadata).length === 0 && [...codes].every((code) => BARE_CODE.test(code))
}
