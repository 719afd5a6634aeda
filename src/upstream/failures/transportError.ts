/** A request that never became an answer: what undici and Node throw, read as a failure. */

import type { Failure, FailureOf } from '../../domain/failure.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { isOwnShortage, OWN_SHORTAGES } from '../../domain/ownShortage.ts'

export interface Phase {
  /** What was being waited for when it happened. */
  readonly name: FailureOf<'timeout'>['phase']
  /** Milliseconds since the attempt began. */
  readonly afterMs: number
  /** Whether a byte of the answer had arrived. */
  readonly started: boolean
}

/** https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md and Node's system errors. */
const TIMEOUTS: ReadonlyMap<string, Phase['name'] | 'as-told'> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'connect'],
  ['ETIMEDOUT', 'connect'],
  ['UND_ERR_HEADERS_TIMEOUT', 'first-token'],
  ['UND_ERR_BODY_TIMEOUT', 'idle'],
  ['TimeoutError', 'as-told'],
  ['ABORT_TIMEOUT', 'as-told'],
])

/** What was received is no HTTP, or more of it than anybody wants: the server's fault, not the network's. */
const NONSENSE = /^(?:HPE_|UND_ERR_RES|UND_ERR_RESPONSE|ERR_(?:HTTP2|BROTLI|ZSTD)|Z_|ERR_CONTENT)/

const ABORTS = new Set(['AbortError', 'ABORT_ERR', 'UND_ERR_ABORTED'])

const WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'the connection was refused'],
  ['ENOTFOUND', 'the host name does not exist'],
  ['EAI_AGAIN', 'the host name cannot be looked up now'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['UND_ERR_SOCKET', 'the connection was closed'],
  ['EHOSTUNREACH', 'the host cannot be reached'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['CERT_HAS_EXPIRED', 'the certificate has expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is self-signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'the certificate chain is self-signed'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the certificate cannot be verified'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate is for another name'],
  ['EPROTO', 'the TLS handshake failed'],
])

const PHASES: { readonly [P in Phase['name']]: string } = {
  connect: 'no connection',
  'first-token': 'no first content',
  idle: 'silence in the middle of the answer',
  total: 'no complete answer',
}

/**
 * Reads whatever was thrown. An abort that the engine did not announce as a timeout is the client's. Messages are made
 * of fixed words and the error's code, never of its text, which may hold an address with a key in it.
 */
export function classifyError(error: unknown, phase: Phase): Failure {
  const codes = codesOf(error)
  for (const code of codes) {
    const waited = TIMEOUTS.get(code)
    if (waited !== undefined) return timedOut(phase, waited === 'as-told' ? phase.name : waited)
    if (ABORTS.has(code)) return { kind: 'client_gone', status: null, message: 'the client left' }
    if (NONSENSE.test(code)) return { kind: 'server', status: null, message: `the answer is not valid HTTP (${code})` }
  }
  const code =
    codes.find((code) => WORDS.has(code) || isOwnShortage(code)) ??
    codes.find((code) => /^[A-Z][A-Z0-9_]+$/.test(code)) ??
    'UNKNOWN'
  const words = isOwnShortage(code) ? OWN_SHORTAGES[code].what : (WORDS.get(code) ?? 'the connection failed')
  const message = `${words} (${code})`
  return { kind: 'network', status: null, message, code, ...(phase.started ? { started: true } : {}) }
}

function timedOut({ afterMs, started }: Phase, waited: Phase['name']): Failure {
  // A socket that times out once the answer has begun fell silent; it was connected.
  const phase = waited === 'connect' && started ? 'idle' : waited
  return { kind: 'timeout', status: null, message: `${PHASES[phase]} after ${Math.round(afterMs)} ms`, phase, afterMs }
}

/** Codes and names along the chain of causes, outermost first; happy eyeballs hides several errors in one. */
function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  let next: unknown = error
  for (let depth = 0; depth < 6; depth++) {
    const record = asRecord(next)
    if (record === undefined) break
    for (const name of ['code', 'name']) {
      const code = asString(record[name])
      if (code !== undefined) codes.push(code.slice(0, 64))
    }
    next = record['cause'] ?? asArray(record['errors'])?.[0]
  }
  return codes
}
