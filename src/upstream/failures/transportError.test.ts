import { createServer } from 'node:net'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { classifyError, type Phase } from './transportError.ts'

const early: Phase = { name: 'first-token', afterMs: 40, started: false }
const late: Phase = { name: 'idle', afterMs: 40, started: true }
const error = (code: string, cause?: unknown) =>
  Object.assign(new Error('at https://x?key=secret', { cause }), { code })

describe('classifyError()', () => {
  const cases: [code: string, kind: string, facts: object][] = [
    ['ECONNREFUSED', 'network', { code: 'ECONNREFUSED' }],
    ['ENOTFOUND', 'network', { code: 'ENOTFOUND' }],
    ['EAI_AGAIN', 'network', { code: 'EAI_AGAIN' }],
    ['ECONNRESET', 'network', { code: 'ECONNRESET' }],
    ['EPIPE', 'network', { code: 'EPIPE' }],
    ['UND_ERR_SOCKET', 'network', { code: 'UND_ERR_SOCKET' }],
    ['CERT_HAS_EXPIRED', 'network', { code: 'CERT_HAS_EXPIRED' }],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'network', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'network', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['CERT_SOMETHING_NEW', 'network', { code: 'CERT_SOMETHING_NEW' }],
    ['EPROTO', 'network', { code: 'EPROTO' }],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', { phase: 'connect' }],
    ['ETIMEDOUT', 'timeout', { phase: 'connect' }],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', { phase: 'first-token' }],
    ['UND_ERR_BODY_TIMEOUT', 'timeout', { phase: 'idle' }],
    ['UND_ERR_ABORTED', 'client_gone', {}],
    ['HPE_INVALID_CONSTANT', 'server', {}],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'server', {}],
    ['Z_DATA_ERROR', 'server', {}],
  ]
  for (const [code, kind, facts] of cases) {
    test(`reads ${code} as ${kind}`, () => {
      expect(classifyError(error(code), early)).toMatchObject({ kind, status: null, ...facts })
      expect(classifyError(new TypeError('fetch failed', { cause: error(code) }), early)).toMatchObject({
        kind,
        ...facts,
      })
    })
  }

  test('takes the phase it is told for a timeout of our own', () => {
    const failure = classifyError(new DOMException('late', 'TimeoutError'), { ...early, name: 'total' })
    expect(failure).toMatchObject({ kind: 'timeout', phase: 'total', afterMs: 40 })
  })

  test('takes a plain abort for the client’s', () => {
    expect(classifyError(new DOMException('bye', 'AbortError'), early).kind).toBe('client_gone')
  })

  test('says whether the answer had begun', () => {
    expect(classifyError(error('ECONNRESET'), late)).toMatchObject({ kind: 'network', started: true })
    expect(classifyError(error('ETIMEDOUT'), late)).toMatchObject({ kind: 'timeout', phase: 'idle' })
  })

  test('looks into the several errors of one connection attempt', () => {
    const aggregate = new AggregateError([error('ECONNREFUSED'), error('ECONNREFUSED')], '')
    expect(classifyError(new TypeError('fetch failed', { cause: aggregate }), early)).toMatchObject({
      code: 'ECONNREFUSED',
    })
  })

  test('never repeats the text of an error, and reads anything that can be thrown', () => {
    expect(classifyError(error('ECONNREFUSED'), early).message).toBe('the connection was refused (ECONNREFUSED)')
    for (const thing of [undefined, null, 'text', 42, {}, { code: 7 }, new Error('x')])
      expect(classifyError(thing, early)).toMatchObject({ kind: 'network', code: 'UNKNOWN' })
  })

  test('does not follow a chain of causes for ever', () => {
    const loop: { cause?: unknown } = {}
    loop.cause = loop
    expect(classifyError(loop, early).kind).toBe('network')
  })

  test('reads what undici really throws', async () => {
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const reset = await request(`http://127.0.0.1:${port}`).catch((thrown) => thrown)
    expect(classifyError(reset, early)).toMatchObject({ kind: 'network' })
    await new Promise((closed) => server.close(closed))
    const refused = await request(`http://127.0.0.1:${port}`).catch((thrown) => thrown)
    expect(classifyError(refused, early)).toMatchObject({ kind: 'network', code: 'ECONNREFUSED' })
  })
})
