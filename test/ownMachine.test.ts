/** What is our own machine's doing, and what servers may legally say before they answer, costs no attempt. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { askGateway, textOf } from './support/askGateway.ts'
import { openGateway, until } from './support/gatewayWorld.ts'
import { listening } from './support/listening.ts'
import { makeHome } from './support/runKeywise.ts'

const KEY = `fake-${'5'.repeat(20)}`
const ANSWER = JSON.stringify({
  id: 'a',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'after all' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
})
const WHOLE = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER.length}\r\n\r\n${ANSWER}`
const STREAM = ['{"delta":{"content":"after all"},"index":0}', '{"delta":{},"finish_reason":"stop","index":0}']
  .map(
    (choice) => `data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[${choice}]}\n\n`,
  )
  .concat('data: [DONE]\n\n')
  .join('')
const STREAMED = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${STREAM.length}\r\n\r\n${STREAM}`

/** Answers every POST with these pieces, each in a packet of its own. Counts the connections. */
async function sayingAtOnce(pieces: (stream: boolean) => readonly string[]) {
  let connections = 0
  const server = createTcpServer((socket: Socket) => {
    connections++
    socket.setNoDelay(true)
    let said = ''
    socket.on('error', () => undefined)
    socket.on('data', async (data) => {
      said += data.toString()
      if (!/\r\n\r\n[\s\S]*\}$/.test(said) && !said.startsWith('GET')) return
      const isPost = said.startsWith('POST')
      const stream = said.includes('"stream":true')
      said = ''
      if (!isPost) return void socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')
      for (const piece of pieces(stream))
        await new Promise<void>((done) => socket.write(piece, () => setImmediate(done)))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { endpoint: `http://127.0.0.1:${port}/v1`, connections: () => connections }
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

describe('an upstream that says', () => {
  test.each<[string, (answer: string) => readonly string[]]>([
    ['100 before its answer', (answer) => [CONTINUE, answer]],
    ['100 and its answer in one piece', (answer) => [CONTINUE + answer]],
    ['100 with headers, byte by byte', (answer) => [...'HTTP/1.1 100 Continue\r\nx-a: b\r\n\r\n', answer]],
    ['100 three times', (answer) => [CONTINUE, CONTINUE, CONTINUE, answer]],
    [
      '102, 103 and 100',
      (answer) => ['HTTP/1.1 102 x\r\n\r\n', 'HTTP/1.1 103 x\r\nlink: <a>\r\n\r\n', CONTINUE, answer],
    ],
    ['only its answer', (answer) => [answer]],
  ])('%s is understood at the first attempt, plain and streamed, on one connection', async (_, pieces) => {
    const { endpoint, connections } = await sayingAtOnce((stream) => pieces(stream ? STREAMED : WHOLE))
    const mine = { dialect: 'openai', endpoint, api_key: KEY, models: ['m'] }
    await using world = await openGateway({ providers: {} }, { providers: { mine } })
    await until(() => connections() > 0, 'the key check')
    for (const stream of [false, true, false]) {
      const answer = await askGateway(world, 'openai', { model: 'm', stream })
      expect(answer).toMatchObject({ status: 200, attempts: '1', trail: 'mine/m#1=ok' })
      expect(textOf(answer.read)).toBe('after all')
    }
    expect(connections()).toBeLessThanOrEqual(2)
  })

  test('101 has not answered', async () => {
    const { endpoint } = await sayingAtOnce(() => [
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n${WHOLE}`,
    ])
    const mine = { dialect: 'openai', endpoint, api_key: KEY, models: ['m'] }
    await using world = await openGateway({ providers: {} }, { providers: { mine } })
    const { status, text } = await askGateway(world, 'openai', { model: 'm', stream: false })
    expect(status).toBeGreaterThanOrEqual(500)
    expect(text).not.toContain('after all')
  })
})

const ENTRY = resolve(import.meta.dirname, '../bin/keywise.cjs')
/** Enough for keywise itself and a few connections. */
const OPEN_FILES = 60

/** `keywise serve` that may have few files open, with two providers; every call goes over one kept connection. */
async function servingWithFewFiles(token: string, admin: string) {
  const upstream = createServer((asked, response) => {
    asked.resume().on('end', () => {
      if (asked.method === 'POST')
        response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(ANSWER)
      else response.writeHead(404, { connection: 'close' }).end()
    })
  })
  const endpoint = `${await listening(upstream)}/v1`
  const provider = { dialect: 'openai', endpoint, api_key: KEY, models: ['m'] }
  const { folder } = makeHome({ one: provider, two: { ...provider, api_key: `${KEY}6` } })
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    NO_COLOR: '1',
    KEYWISE_TOKEN: token,
    KEYWISE_ADMIN_TOKEN: admin,
  }
  const line = `ulimit -n ${OPEN_FILES} && exec "$0" "$@"`
  const args = ['-c', line, process.execPath, ENTRY, 'serve', '--port', '0', '--store', 'memory:']
  const child = spawn('/bin/sh', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let said = ''
  for await (const data of child.stdout) {
    said += String(data)
    if (said.includes('(keywise status shows them)')) break
  }
  return { port: Number(/keywise serves on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]) }
}

describe.skipIf(process.platform === 'win32')('a gateway that may open no more files', () => {
  const token = `fake-${'7a8b9c'.repeat(4)}-token`
  const admin = `fake-${'1d2e3f'.repeat(4)}-admin`

  test('waits for one to be closed, or says what to do; it blames no target, and tells of it', async () => {
    const { port } = await servingWithFewFiles(token, admin)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const ask = (path: string, body?: object, as = token) =>
      new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((done, fail) => {
        const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json' }
        const sent = request(
          { port, host: '127.0.0.1', path, method: body ? 'POST' : 'GET', headers, agent },
          (response) => {
            let text = ''
            response.on('data', (data) => (text += data.toString()))
            response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, text }))
          },
        )
        sent.on('error', fail).end(body && JSON.stringify(body))
      })
    const call = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    expect((await ask('/v1/chat/completions', call)).status).toBe(200)

    const idle = Array.from({ length: OPEN_FILES }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    onTestFinished(() => idle.forEach((socket) => void socket.destroy()))
    // What cannot be taken in is closed again.
    await until(() => idle.some(({ closed }) => closed), 'the last file')
    const refused = await ask('/v1/chat/completions', call)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(refused.headers['x-keywise-attempts']).toBe('1')
    expect(refused.text).toContain('ulimit -n')

    const status = JSON.parse((await ask('/api/status', undefined, admin)).text)
    expect(status.shortage).toMatchObject({ code: 'EMFILE', message: expect.stringContaining('ulimit -n') })
    expect(status.targets).toHaveLength(2)
    for (const target of status.targets) expect(target).toMatchObject({ parked: null, failCount: 0 })
    expect((await ask('/readyz')).text).toMatch(/^yes\n(?:.*\n)*shortage: keywise has as many open files/)
    expect((await ask('/metrics')).text).toContain('keywise_own_shortages_total 1')

    const waiting = ask('/v1/chat/completions', call)
    for (const socket of idle) socket.destroy()
    expect(await waiting).toMatchObject({ status: 200, headers: { 'x-keywise-attempts': '1' } })
  })
})
