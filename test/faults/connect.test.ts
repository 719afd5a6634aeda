/** Faults before the first byte of an answer: names, ports, handshakes, and connections that are gone. */

import { spawn } from 'node:child_process'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { connect, createServer, type Socket } from 'node:net'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { makeAuthority, makeCertificate } from '../support/faults/certificates.ts'
import { expectAnswer, expectCascade, MOST_WAYS, openFaultWorld, REPLY } from '../support/faults/faultWorld.ts'
import { freePort } from '../support/freePort.ts'
import { until } from '../support/gatewayWorld.ts'

const QUICK = { timeouts: { connect_ms: 60 } }

describe.each(MOST_WAYS)('a client of %s (streamed: %s)', (dialect, stream) => {
  test('F2 connection refused: the next target answers, the key is untouched', async () => {
    const world = await openFaultWorld({ dialect, endpoint: `http://127.0.0.1:${await freePort()}/v1` })
    await expectCascade(world, stream, 'network')
    expect(world.ledger()[0]?.failure).toMatchObject({ code: 'ECONNREFUSED', message: /refused/ })
  })

  test('F5 reset before the headers: one new connection, and no attempt of its own', async () => {
    const world = await openFaultWorld({ dialect })
    world.strike('reset', 'request', 1)
    expectAnswer(await world.ask(stream), 'primary/first-model#1=ok')
    expect([world.proxy.connections, world.proxy.struck, world.trail()]).toEqual([2, 1, 'primary=ok'])
    await world.expectReleased()
  })

  test.each(['reset', 'close'] as const)('F5 %s again on the new connection: the next target answers', async (end) => {
    const world = await openFaultWorld({ dialect })
    world.strike(end, 'request')
    await expectCascade(world, stream, 'network')
    expect(world.proxy.struck).toBe(2)
  })
})

test('F5 connections that were closed while idle cost no attempt, call after call', async () => {
  const world = await openFaultWorld()
  for (let call = 0; call < 6; call++) {
    expectAnswer(await world.ask(call % 2 === 0), 'primary/first-model#1=ok')
    // Every second time the gateway has not noticed yet when it sends the next request.
    if (call % 2 === 0) world.proxy.dropIdle()
    else world.strike('reset', 'request', 1)
  }
  await world.expectReleased()
})

describe('names', () => {
  /** A host that does not look like this machine and answers: so the network is there. */
  const WELL = 'well.localhost'
  const lookup = dns.lookup
  type Reply = (error: Error, address: string, family: number) => void
  beforeAll(() => {
    // A resolver that fails, or never answers, at the border to the system.
    const failing = (host: string, ...rest: unknown[]) => {
      const reply = rest.at(-1) as Reply // node's own signature
      if (host === WELL) return Reflect.apply(lookup, dns, ['127.0.0.1', ...rest])
      if (host === 'hangs.invalid') return
      if (host !== 'servfail.invalid') return Reflect.apply(lookup, dns, [host, ...rest])
      const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${host}`), {
        code: 'EAI_AGAIN',
        syscall: 'getaddrinfo',
      })
      process.nextTick(reply, error)
    }
    dns.lookup = failing as typeof dns.lookup // node's own signature, which is overloaded
    syncBuiltinESMExports()
  })
  afterAll(() => {
    dns.lookup = lookup
    syncBuiltinESMExports()
  })

  test.each([
    ['NXDOMAIN', 'nowhere.invalid', 'network', 'the host name does not exist'],
    ['SERVFAIL', 'servfail.invalid', 'network', 'the host name cannot be looked up now'],
    ['no answer of the resolver', 'hangs.invalid', 'timeout', 'no connection after'],
  ] as const)('F1 %s: the next target answers, and the cause is named', async (_, host, kind, words) => {
    for (const stream of [false, true]) {
      const world = await openFaultWorld({ endpoint: `http://${host}/v1`, fallbackHost: WELL, settings: QUICK })
      await expectCascade(world, stream, kind)
      expect(world.ledger()[0]?.failure?.message).toContain(words)
    }
  })

  test('F1 a name that stays away rests its provider, never its key', async () => {
    const world = await openFaultWorld({ endpoint: 'http://nowhere.invalid/v1', fallbackHost: WELL })
    for (let call = 0; call < 4; call++) expect((await world.ask(false)).status).toBe(200)
    const { engine } = world.gateway.gateway.opened
    expect(engine.learned.parks.list(engine.now)).toMatchObject([{ scope: 'provider' }])
    // The second failure in a row rests it.
    expect(world.ledger().filter(({ target }) => target.provider === 'primary')).toHaveLength(2)
  })
})

test.runIf(process.platform === 'linux')('F3 connect timeout: the next target answers', async () => {
  // A listener that is stopped takes no connection; what does not fit into its queue is dropped, SYN by SYN.
  const program = `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
    () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env: {} })
  onTestFinished(() => void child.kill('SIGKILL'))
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (data) => resolve(Number(data))))
  child.kill('SIGSTOP')
  const fillers: Socket[] = []
  onTestFinished(() => fillers.forEach((socket) => void socket.destroy()))
  let unanswered = 0
  await until(() => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    fillers.push(socket)
    unanswered = fillers.slice(0, -5).filter(({ connecting }) => connecting).length
    return unanswered > 1
  }, 'a full queue')
  for (const stream of [false, true]) {
    const world = await openFaultWorld({ endpoint: `http://127.0.0.1:${port}/v1`, settings: QUICK })
    await expectCascade(world, stream, 'timeout')
    expect(world.ledger()[0]?.failure).toMatchObject({ phase: 'connect' })
  }
})

describe('F4 handshakes', () => {
  const authority = makeAuthority()
  const stranger = makeAuthority('somebody else')
  const DAY = 86_400_000
  const yesterday = new Date(Date.now() - DAY)
  const name = 'localhost'
  const trusted = tls.getCACertificates('default')
  // The private authority is trusted as NODE_EXTRA_CA_CERTS would make it.
  beforeAll(() => tls.setDefaultCACertificates([...trusted, authority.cert]))
  afterAll(() => tls.setDefaultCACertificates(trusted))

  interface Reached {
    readonly endpoint: string
    /** What came decrypted: nothing, where the server could not show who it is. */
    readonly heard: () => string
  }

  async function tlsServer(options: tls.TlsOptions): Promise<Reached> {
    let heard = ''
    const message = { role: 'assistant', content: REPLY }
    const body = JSON.stringify({
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model: 'first-model',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
    }) // prettier-ignore
    const server = tls.createServer(options, (socket) => {
      socket
        .on('error', () => {})
        .on('data', (data) => {
          heard += data.toString('latin1')
          socket.write(
            `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
          )
        })
    })
    return { endpoint: `https://localhost:${await listen(server)}/v1`, heard: () => heard }
  }

  async function listen(server: ReturnType<typeof createServer>): Promise<number> {
    server.on('tlsClientError', () => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  test('F4 a good certificate of a trusted authority is taken', async () => {
    const server = await tlsServer(makeCertificate({ name, by: authority }))
    const world = await openFaultWorld({ endpoint: server.endpoint })
    expectAnswer(await world.ask(false), 'primary/first-model#1=ok')
    expect(server.heard()).toContain('POST /v1/chat/completions')
  })

  test.each([
    ['expired', { name, by: authority, from: new Date(Date.now() - 9 * DAY), to: yesterday }, 'CERT_HAS_EXPIRED'],
    ['for another name', { name: 'elsewhere.example', by: authority }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['self-signed', { name }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of an unknown authority', { name, by: stranger }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ] as const)('F4 a certificate that is %s: nothing is sent, the cause is named, the next target answers', async (_, wanted, code) => {
    const server = await tlsServer(makeCertificate(wanted))
    for (const stream of [false, true]) {
      const world = await openFaultWorld({ endpoint: server.endpoint })
      await expectCascade(world, stream, 'network')
      expect(world.ledger()[0]?.failure).toMatchObject({ code, message: expect.stringMatching(/certificate/) })
    }
    expect(server.heard()).toBe('')
  })

  test('F4 a handshake that stalls: the next target answers after the time to connect', async () => {
    const port = await listen(createServer((socket) => void socket.on('error', () => {}).resume()))
    const world = await openFaultWorld({ endpoint: `https://localhost:${port}/v1`, settings: QUICK })
    await expectCascade(world, false, 'timeout')
    expect(world.ledger()[0]?.failure).toMatchObject({ phase: 'connect' })
  })

  test.each([
    ['plain HTTP', 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'],
    ['nonsense', '\x16\x03\x01\xff\xffnonsense'],
    ['nothing, and hangs up', ''],
  ])('F4 a server that speaks %s instead of TLS: the next target answers', async (_, said) => {
    let heard = ''
    const server = createServer((socket) => {
      socket.on('error', () => {}).on('data', (data) => (heard += data.toString('latin1')))
      socket.once('data', () => void socket.end(said, 'latin1'))
    })
    const world = await openFaultWorld({ endpoint: `https://localhost:${await listen(server)}/v1` })
    await expectCascade(world, true, 'network')
    expect(heard).not.toContain('fake-primary')
  })
})
