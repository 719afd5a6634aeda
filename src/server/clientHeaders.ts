/** Request options from the headers: session, deadline, attempts, task, labels; and the headers forwarded upstream. */

import type { IncomingHttpHeaders } from 'node:http'
import type { DialectId } from '../domain/chat.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { asRecord, asString } from '../domain/json.ts'
import type { RequestOptions } from '../engine/prepareRequest.ts'

/** Options the headers do not set are undefined. */
export function clientHeaders(headers: IncomingHttpHeaders, body: unknown): RequestOptions {
  return {
    sessionId: text(headers, 'x-keywise-session') ?? knownSession(headers, body),
    timeoutMs: positive(headers, 'x-keywise-timeout-ms'),
    maxAttempts: positive(headers, 'x-keywise-max-attempts'),
    retryFiltered: flag(headers, 'x-keywise-retry-filtered'),
    task: text(headers, 'x-keywise-task'),
    labels: labels(text(headers, 'x-keywise-labels')),
    variables: variables(headers['x-keywise-variables']),
  }
}

function text(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value.slice(0, 300) : undefined
}

function positive(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = text(headers, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new InvalidRequestError(`the header ${name} takes a whole number above 0, not "${value.slice(0, 40)}"`, {
    parameter: name,
  })
}

/** Coding agents identify their conversation: codex in a header, claude-code inside its user id. */
function knownSession(headers: IncomingHttpHeaders, body: unknown): string | undefined {
  const header =
    text(headers, 'session-id') ??
    text(headers, 'session_id') ??
    text(headers, 'x-session-id') ??
    text(headers, 'conversation_id')
  if (header !== undefined) return header
  const user = asString(asRecord(asRecord(body)?.['metadata'])?.['user_id'])
  return user?.includes('session') ? user.slice(0, 300) : undefined
}

function flag(headers: IncomingHttpHeaders, name: string): boolean {
  const value = text(headers, name)
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw new InvalidRequestError(`the header ${name} is "true" or "false", not "${value.slice(0, 40)}"`, {
    parameter: name,
  })
}

const MOST_LABELS = 20

/** `team=search,env=prod` */
function labels(value: string | undefined): Record<string, string> | undefined {
  if (value === undefined) return undefined
  const entries = value
    .split(',')
    .slice(0, MOST_LABELS)
    .map((pair) => {
      const at = Math.max(0, pair.indexOf('='))
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
    })
  if (entries.some(([name]) => name === '' || FORBIDDEN.has(name)))
    throw new InvalidRequestError('the header x-keywise-labels is written as name=value,name=value', {
      parameter: 'x-keywise-labels',
    })
  return Object.fromEntries(entries)
}

/**
 * `{"name":"Ana"}`: template variables of an experiment besides the prompt; JSON, because its escapes fit any character
 * into a header.
 */
function variables(value: string | string[] | undefined): RequestOptions['variables'] {
  if (value === undefined || value === '') return undefined
  try {
    const record = asRecord(JSON.parse(String(value)))
    // Each value is checked where it is used.
    if (record !== undefined) return record as RequestOptions['variables']
  } catch {
    // Reported below.
  }
  throw new InvalidRequestError('the header x-keywise-variables takes a JSON object of texts', {
    parameter: 'x-keywise-variables',
  })
}

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

/** Headers that affect how an upstream of the same dialect reads the request; no others are forwarded. */
const FORWARDED: { readonly [D in DialectId]: readonly string[] } = {
  openai: ['openai-beta'],
  'openai-responses': ['openai-beta'],
  anthropic: ['anthropic-beta'],
  google: [],
}
const PLAIN = /^[\x20-\x7e]{1,2000}$/

export function forwardedHeaders(headers: IncomingHttpHeaders, dialect: DialectId): readonly string[] {
  const names = FORWARDED[dialect]
  if (names.length === 0) return names
  return names.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' && PLAIN.test(value) ? [name, value] : []
  })
}
