/** Multipart forms through the gateway: never held in memory, sent as they came, and gone in the end. */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openGateway, TOKEN, until } from './support/gatewayWorld.ts'
import { listening } from './support/listening.ts'
import { makeHome, serving } from './support/runKeywise.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const isLinux = process.platform === 'linux'
const BOUNDARY = 'xxBOUNDARYxx'
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`
const PATH = '/v1/audio/transcriptions'
const part = (head: string, value: string) =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`
const END = `--${BOUNDARY}--\r\n`
const model = (name: string) => part('name="model"', name)
/** More than is held in memory. */
const LARGE = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 31 + (index >> 8)) % 256)).toString(
  'latin1',
)
const SMALL = 'RIFF\r\n--not the boundary\u00ff'
const file = (value: string) => part('name="file"; filename="a.wav"\r\nContent-Type: audio/wav', value)

interface Received {
  readonly key: string
  readonly headers: IncomingMessage['headers']
  readonly bytes: Buffer
}

type Answer = (received: Received, response: ServerResponse) => void
const transcript: Answer = (_, response) => json(response, 200, { text: 'heard' })

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

let folder = ''
beforeEach(() => {
  folder = temporaryFolder()
  vi.stubEnv('TMPDIR', folder)
})
afterEach(() => vi.unstubAllEnvs())

/** A gateway over one upstream of two keys. `unread`: answers a request before its body is read; false: does not. */
async function open({
  answer = transcript,
  unread = () => false,
  settings = {},
}: {
  answer?: Answer
  unread?: (request: IncomingMessage, response: ServerResponse) => boolean
  settings?: object
} = {}) {
  const received: Received[] = []
  const upstream = createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(404).end()
    if (unread(request, response)) return
    const parts: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => parts.push(chunk))
    request.on('end', () => {
      const key = String(request.headers.authorization).slice(-1)
      const one = { key, headers: request.headers, bytes: Buffer.concat(parts) }
      received.push(one)
      answer(one, response)
    })
  })
  const upstreamOrigin = await listening(upstream)
  const world = await openGateway(
    { providers: { spare: { models: { x: {} } } } },
    {
      providers: {
        mine: {
          dialect: 'openai',
          endpoint: `${upstreamOrigin}/v1`,
          api_keys: ['1', '2'].map((last) => `fake-${'f'.repeat(20)}${last}`),
          models: [{ id: 'ear', abilities: { transcription: true } }],
        },
      },
      settings: { routing: { strategy: 'priority', exploration: { rate: 0 } }, ...settings },
    },
  )
  onTestFinished(() => world.close())
  const ask = (body: string, headers: Readonly<Record<string, string>> = {}, path = PATH) =>
    fetch(world.origin + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': TYPE, ...headers },
      body: Buffer.from(body, 'latin1'),
    })
  return { world, received, ask, origin: world.origin }
}

/** Temporary files that this process has open, though they have no name any more. */
function openFiles(): string[] {
  if (!isLinux) return []
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`)
      return link.includes('keywise-form-') ? [link] : []
    } catch {
      return []
    }
  })
}

/** Neither a file nor a name is left. */
async function nothingIsLeft(): Promise<void> {
  await until(() => openFiles().length === 0, 'the end of the temporary file')
  expect(readdirSync(folder).filter((name) => name.startsWith('keywise-form-'))).toEqual([])
}

describe('the bytes', () => {
  test.each([
    ['small, model first', model('mine/ear') + file(SMALL), model('ear') + file(SMALL)],
    ['large, model first', model('mine/ear') + file(LARGE), model('ear') + file(LARGE)],
    ['large, model last', file(LARGE) + model('mine/ear'), file(LARGE) + model('ear')],
    ['large, after a preamble', `hear\r\n${file(LARGE)}${model('auto')}`, `hear\r\n${file(LARGE)}${model('ear')}`],
  ])('arrive as they were sent, but for the model: %s', async (_, sent, arrived) => {
    const { ask, received } = await open()
    const response = await ask(sent + END)
    expect([response.status, await response.text()]).toEqual([200, '{"text":"heard"}'])
    const [{ bytes, headers } = { bytes: Buffer.alloc(0), headers: {} }] = received
    expect(bytes.equals(Buffer.from(arrived + END, 'latin1'))).toBe(true)
    expect([headers['content-length'], headers['content-type']]).toEqual([String(bytes.length), TYPE])
    await nothingIsLeft()
  })

  test('get the model of the path before the first part, also behind a preamble', async () => {
    const { ask, received } = await open()
    for (const value of [SMALL, LARGE]) {
      const sent = `hear\r\n${file(value)}${END}`
      const response = await ask(sent, {}, '/openai/deployments/ear/audio/transcriptions')
      expect(response.status).toBe(200)
      const form = await new Response(new Uint8Array(received.at(-1)?.bytes ?? []), {
        headers: { 'content-type': TYPE },
      }).formData()
      expect([form.get('model'), (form.get('file') as Blob).size]).toEqual(['ear', value.length])
    }
  })

  test('are the same for every key that is asked', async () => {
    const answer: Answer = (one, response) =>
      one.key === '1'
        ? json(response, 429, { error: { message: 'Rate limit reached for requests' } })
        : transcript(one, response)
    const { ask, received } = await open({ answer })
    const response = await ask(model('mine/ear') + file(LARGE) + END)
    expect([response.status, response.headers.get('x-keywise-target')]).toEqual([200, 'mine/ear#2'])
    const expected = Buffer.from(model('ear') + file(LARGE) + END, 'latin1')
    expect(received.length).toBeGreaterThan(1)
    for (const { bytes } of received) expect(bytes.equals(expected)).toBe(true)
    await nothingIsLeft()
  })

  test('go to the next key where the first one is refused before they were read', async () => {
    const unread = (request: IncomingMessage, response: ServerResponse) => {
      if (!String(request.headers.authorization).endsWith('1')) return false
      response.writeHead(401, { 'content-type': 'application/json', connection: 'close' })
      response.end(JSON.stringify({ error: { message: 'Incorrect API key provided.', code: 'invalid_api_key' } }))
      return true
    }
    const { ask, received } = await open({ unread })
    const response = await ask(file(LARGE) + model('mine/ear') + END)
    expect([response.status, response.headers.get('x-keywise-trail')]).toMatchObject([
      200,
      expect.stringMatching(/^mine\/ear#1=\w+; mine\/ear#2=ok$/),
    ])
    expect(received[0]?.bytes.equals(Buffer.from(file(LARGE) + model('ear') + END, 'latin1'))).toBe(true)
  })

  test('are sent again from the beginning where a kept connection was closed', async () => {
    let calls = 0
    const unread = (request: IncomingMessage) => {
      if (++calls !== 2) return false
      request.socket.destroy()
      return true
    }
    const { ask, received } = await open({ unread })
    const form = model('mine/ear') + file(LARGE) + END
    expect((await ask(form)).status).toBe(200)
    const again = await ask(form)
    expect([again.status, again.headers.get('x-keywise-trail')]).toEqual([200, 'mine/ear#1=ok'])
    expect(received.map(({ bytes }) => bytes.length)).toEqual([received[0]?.bytes.length, received[0]?.bytes.length])
  })
})

describe('the file', () => {
  test.runIf(isLinux)('has no name while it is needed, and is gone after the answer', async () => {
    let seen: { open: number; named: readonly string[] } | undefined
    const answer: Answer = (one, response) => {
      seen = { open: openFiles().length, named: readdirSync(folder) }
      transcript(one, response)
    }
    const { ask } = await open({ answer })
    await (await ask(model('mine/ear') + file(LARGE) + END)).text()
    expect(seen).toEqual({ open: 1, named: [] })
    await nothingIsLeft()
    await (await ask(model('mine/ear') + file(SMALL) + END)).text()
    expect(seen).toEqual({ open: 0, named: [] })
  })

  test.each([
    ['a refusal', model('mine/ear') + file(LARGE) + END, 400],
    ['an unknown model', model('nobody') + file(LARGE) + END, 404],
    ['no file in the form', model('mine/ear') + part('name="other"', LARGE) + END, 400],
    ['a form without end', model('mine/ear') + file(LARGE), 400],
  ])('is gone after %s', async (_, body, status) => {
    const answer: Answer = (_one, response) =>
      json(response, 400, { error: { message: 'Audio file might be corrupted' } })
    const { ask } = await open({ answer })
    const response = await ask(body)
    expect([response.status, await response.json()]).toMatchObject([status, { error: { message: expect.any(String) } }])
    await nothingIsLeft()
  })

  test.runIf(isLinux).each(['while it is sent', 'while the answer is awaited'])(
    'is gone when the client leaves %s',
    async (when) => {
      let asked = false
      const { origin } = await open({ answer: () => (asked = true) })
      const body = Buffer.from(model('mine/ear') + file(LARGE) + END, 'latin1')
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': TYPE, 'content-length': body.length }
      const request = httpRequest(origin + PATH, { method: 'POST', headers })
      request.on('error', () => {})
      if (when === 'while it is sent') request.write(body.subarray(0, 2_000_000))
      else request.end(body)
      await until(() => (when === 'while it is sent' ? openFiles().length === 1 : asked), 'the temporary file')
      expect(openFiles()).toHaveLength(1)
      request.destroy()
      await nothingIsLeft()
    },
  )

  test.runIf(isLinux)('is gone when the gateway closes while it is sent', async () => {
    const { origin, world } = await open()
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': TYPE }
    const request = httpRequest(origin + PATH, { method: 'POST', headers })
    request.on('error', () => {})
    request.write(Buffer.from(model('mine/ear') + file(LARGE), 'latin1'))
    await until(() => openFiles().length === 1, 'the temporary file')
    await world.close()
    await nothingIsLeft()
  })

  test('that cannot be kept is the fault of the server, said before the rest is read, and the log says why', async () => {
    vi.stubEnv('TMPDIR', join(folder, 'missing'))
    const { origin, ask, world } = await open()
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': TYPE }
    const request = httpRequest(origin + PATH, { method: 'POST', headers })
    request.on('error', () => {})
    request.write(Buffer.from(model('mine/ear') + file(LARGE), 'latin1'))
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect([response.statusCode, response.headers.connection]).toEqual([500, 'close'])
    request.destroy()
    expect(world.logged.join('\n')).toMatch(/ENOENT.*keywise-form-/)
    expect((await ask(model('mine/ear') + file(SMALL) + END)).status).toBe(200)
  })

  test('of a process that ended between two steps is removed at the next start, and no other', async () => {
    writeFileSync(join(folder, 'keywise-form-1-0123456789abcdef'), 'left')
    writeFileSync(join(folder, 'mine'), 'kept')
    await open()
    expect(readdirSync(folder)).toEqual(['mine'])
  })
})

describe('a form that is refused', () => {
  const limited = { settings: { gateway: { max_body_mb: 1 } } }

  test('is too large by its length before any of it is read', async () => {
    const { ask, received } = await open(limited)
    const response = await ask(model('mine/ear') + file(LARGE) + END)
    expect([response.status, await response.json()]).toMatchObject([
      413,
      { error: { message: expect.stringMatching(/larger than 1 MiB .*max_body_mb/), type: 'invalid_request_error' } },
    ])
    expect(received).toEqual([])
  })

  test('is too large as soon as more came than may, where its length is not said', async () => {
    const { origin, received } = await open(limited)
    const request = httpRequest(origin + PATH, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': TYPE },
    })
    request.on('error', () => {})
    request.write(Buffer.from(model('mine/ear') + file(LARGE), 'latin1'))
    // Its end is never sent.
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect([response.statusCode, response.headers.connection]).toEqual([413, 'close'])
    request.destroy()
    expect(received).toEqual([])
    await nothingIsLeft()
  })

  test.each([
    ['no boundary', 'multipart/form-data', 400, /"boundary"/],
    ['an empty boundary', 'multipart/form-data; boundary=""', 400, /"boundary"/],
    ['an endless boundary', `multipart/form-data; boundary=${'x'.repeat(300)}`, 400, /"boundary"/],
    ['another boundary', 'multipart/form-data; boundary=other', 400, /not a complete multipart form/],
    ['another type', 'application/x-www-form-urlencoded', 415, /send multipart\/form-data/],
  ])('for %s says so, and the connection goes on', async (_, type, status, words) => {
    const { ask } = await open()
    for (const value of [SMALL, LARGE]) {
      const response = await ask(model('mine/ear') + file(value) + END, { 'content-type': type })
      expect([response.status, await response.json()]).toMatchObject([
        status,
        { error: { message: expect.stringMatching(words), type: 'invalid_request_error' } },
      ])
    }
    expect((await ask(model('mine/ear') + file(SMALL) + END)).status).toBe(200)
  })

  test.each([
    ['file', model('mine/ear'), /"file" is missing/],
    ['model', model('x'.repeat(2000)) + file(SMALL), /"model" is too long/],
  ])('for its %s names it', async (parameter, body, words) => {
    const { ask } = await open()
    const response = await ask(body + END)
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: expect.stringMatching(words), param: parameter } },
    ])
  })
})

describe('a process of its own', () => {
  const MB = 1_048_576
  const SIZE = 256

  function transcribing(endpoint: string) {
    const home = makeHome(
      {
        mine: {
          dialect: 'openai',
          endpoint,
          api_key: `fake-${'g'.repeat(20)}`,
          models: [{ id: 'ear', abilities: { transcription: true } }],
        },
        settings: { gateway: { max_body_mb: SIZE + 1 } },
      },
      { KEYWISE_TOKEN: TOKEN, TMPDIR: folder },
    )
    return serving(home, '--port', '0', '--store', 'memory:')
  }

  const largestMb = (pid: number | undefined) =>
    Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

  test.runIf(isLinux)('needs no more memory for a large form than for a small one', { timeout: 120_000 }, async () => {
    const arrived: string[] = []
    const upstream = createServer((request, response) => {
      if (request.method !== 'POST') return void response.writeHead(404).end()
      const hash = createHash('sha256')
      request.on('data', (chunk: Buffer) => hash.update(chunk))
      request.on('end', () => {
        arrived.push(hash.digest('hex'))
        json(response, 200, { text: 'heard' })
      })
    })
    const { running, origin } = await transcribing(`${await listening(upstream)}/v1`)
    const sent: string[] = []
    const send = async (megabytes: number) => {
      const hash = createHash('sha256')
      const request = httpRequest(origin + PATH, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': TYPE },
      })
      const write = async (bytes: Buffer) => {
        if (!request.write(bytes)) await once(request, 'drain')
      }
      const head = (name: string) => Buffer.from(model(name) + file('').slice(0, -2))
      hash.update(head('ear'))
      await write(head('mine/ear'))
      for (let count = 0; count < megabytes; count++) {
        const piece = Buffer.alloc(MB, count % 251)
        hash.update(piece)
        await write(piece)
      }
      hash.update(`\r\n${END}`)
      request.end(`\r\n${END}`)
      sent.push(hash.digest('hex'))
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      expect(response.statusCode).toBe(200)
      response.resume()
    }
    await send(1)
    const before = largestMb(running.pid)
    await send(SIZE)
    expect(arrived).toEqual(sent)
    const growth = largestMb(running.pid) - before
    expect(growth).toBeLessThan(SIZE / 2)
  })

  test.runIf(isLinux)('that is killed in the middle of a form leaves nothing behind', { timeout: 60_000 }, async () => {
    const { running, closed, origin } = await transcribing('http://127.0.0.1:9/v1')
    const request = httpRequest(origin + PATH, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': TYPE },
    })
    request.on('error', () => {})
    request.write(Buffer.from(model('mine/ear') + file(LARGE), 'latin1'))
    const hasFile = () =>
      readdirSync(`/proc/${running.pid}/fd`).some((fd) => {
        try {
          const link = readlinkSync(`/proc/${running.pid}/fd/${fd}`)
          return link.includes('keywise-form-') && link.endsWith('(deleted)')
        } catch {
          return false
        }
      })
    await until(hasFile, 'the temporary file')
    running.kill('SIGKILL')
    await closed
    request.destroy()
    expect(readdirSync(folder).filter((name) => name.startsWith('keywise-form-'))).toEqual([])
  })
})
