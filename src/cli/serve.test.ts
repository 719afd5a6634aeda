import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { listening } from '../../test/support/listening.ts'
import { makeHome, serving } from '../../test/support/runKeywise.ts'
import { freePort } from './gatewayPort.ts'

const ANSWER = JSON.stringify({
  id: 'a',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'still here' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
})

test('a gateway signalled twice finishes the answers it has begun, then exits 0', async () => {
  const token = `token-${'3'.repeat(20)}`
  let asked: (response: ServerResponse) => void = () => {}
  const pending = new Promise<ServerResponse>((resolve) => (asked = resolve))
  const upstream = createServer((request, response) => {
    if (request.method === 'POST') asked(response)
    else response.writeHead(404).end()
  })
  const endpoint = `${await listening(upstream)}/v1`
  const home = makeHome(
    { mine: { dialect: 'openai', endpoint, api_key: `fake-${'4'.repeat(20)}`, models: ['m'] } },
    { KEYWISE_TOKEN: token },
  )
  const { running: gateway, closed, origin } = await serving(home, '--port', '0', '--store', 'memory:')
  const call = fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Are you there?' }] }),
  })
  const response = await pending
  gateway.kill('SIGTERM')
  // Far enough apart that the kernel does not coalesce the signals.
  await wait(200)
  gateway.kill('SIGTERM')
  await wait(200)
  response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER)
  expect(await (await call).text()).toContain('still here')
  expect(await closed).toEqual([0, null])
})

describe('a port in use', () => {
  const KEYS = { mine: { dialect: 'openai', endpoint: 'http://127.0.0.1:9/v1', api_key: 'none', models: ['m'] } }
  const portOf = (origin: string) => Number(new URL(origin).port)

  async function servingAtPort(home: ReturnType<typeof makeHome>, ...args: string[]) {
    const port = await freePort('127.0.0.1', 20_000 + (process.pid % 20_000))
    const { origin } = await serving(home, '--port', String(port), ...args)
    return { origin, port: String(portOf(origin)) }
  }

  const filesBelow = (folder: string): readonly string[] =>
    existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []

  test('by the same configuration and state: prints the addresses of the one that runs', async () => {
    const home = makeHome(KEYS)
    const { origin, port } = await servingAtPort(home)
    const again = await home.keywise('serve', '--port', port)
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.stdout).toContain(`keywise is already running on ${origin}\n  OPENAI_BASE_URL=${origin}/v1\n`)
    const { headers } = await fetch(`${origin}/healthz`)
    expect(headers.get('x-keywise-instance')).toMatch(/^[0-9a-f]{32}$/)
  })

  test.each([
    ['project and home', false],
    ['project, with the same state', true],
  ])('by another %s: says whose it is, names a free port, makes no token', async (_, sharesState) => {
    const first = makeHome(KEYS)
    const { port } = await servingAtPort(first)
    const state = join(first.folder, 'home/state')
    const second = makeHome(KEYS, sharesState ? { XDG_STATE_HOME: state } : {})
    const before = filesBelow(second.folder)
    const refused = await second.keywise('serve', '--port', port)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain(`another keywise serves ${realpathSync(first.folder)}/config/api-keys.json`)
    expect(refused.stderr).toMatch(new RegExp(`port ${port} .* keywise serve --port (?!${port}\\b)\\d+`))
    expect(filesBelow(second.folder).filter((name) => name.includes('token'))).toEqual([])
    if (!sharesState) expect(filesBelow(second.folder).filter((name) => !before.includes(name))).toEqual([])
  })

  test('by another state of the same project: is another one', async () => {
    const home = makeHome(KEYS)
    const { port } = await servingAtPort(home)
    expect(await home.keywise('serve', '--port', port, '--store', 'other.db')).toMatchObject({ code: 1 })
  })

  test('by a different program, at the port of the configuration: says so', async () => {
    const program = createServer((_, response) => void response.end('hello'))
    const port = portOf(await listening(program))
    const home = makeHome({ ...KEYS, settings: { gateway: { port } } })
    const refused = await home.keywise('serve')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      new RegExp(`port ${port} on 127.0.0.1 is in use: another program has it; .*--port \\d+`),
    )
  })

  test('"keywise" alone takes a free one, and says so before it tests', async () => {
    const first = makeHome(KEYS)
    const { port } = await servingAtPort(first)
    const second = makeHome({ ...KEYS, settings: { gateway: { port: Number(port) } } })
    const { code, stdout, stderr } = await second.keywise('--seconds', '1')
    expect(code).toBe(0)
    expect(stderr).toMatch(
      new RegExp(`^Port ${port} is in use: another keywise serves .* This one will serve on \\d+\\.`),
    )
    const origin = /keywise serves on (\S+)/.exec(stdout)?.[1]
    expect(origin).toBeDefined()
    expect(origin).not.toContain(`:${port}`)
  })

  test('above the highest one is a wrong use of the command', async () => {
    expect(await makeHome(KEYS).keywise('serve', '--port', '99999')).toMatchObject({
      code: 2,
      stderr: 'keywise: --port takes a number up to 65535, not 99999\n',
    })
  })
})

describe('the line to paste', () => {
  const KEYS = { mine: { dialect: 'openai', endpoint: 'http://127.0.0.1:9/v1', api_key: 'none', models: ['m'] } }

  test('reads the token from its file, or from the variable that sets it, or has it where it is kept nowhere', async () => {
    const serve = (home: ReturnType<typeof makeHome>, ...args: string[]) =>
      home.keywise('serve', '--port', '0', '--seconds', '0', ...args)
    const kept = await serve(makeHome(KEYS))
    expect(kept.stdout).toMatch(
      / the token is kept in .*\/state\/keywise\/token\n\n {2}curl .*\$\(cat .*\/state\/keywise\/token\)/,
    )
    const home = makeHome(KEYS, { KEYWISE_TOKEN: token('own') })
    const set = await serve(home)
    expect(set.stdout).toContain('the token is that of KEYWISE_TOKEN, which this line reads from its shell\n\n  curl')
    expect(set.stdout).toContain('Bearer $KEYWISE_TOKEN"')
    expect(filesNamedIn(set.stdout)).toEqual([join(home.folder, 'home/state/keywise/admin-token')])
    const both = await serve(makeHome(KEYS, { KEYWISE_TOKEN: token('own'), KEYWISE_ADMIN_TOKEN: token('admin') }))
    expect(filesNamedIn(both.stdout)).toEqual([])
    const nowhere = await serve(makeHome(KEYS), '--store', 'memory:')
    const [, shown] = /new inference token, shown once: (\S+)/.exec(nowhere.stdout) ?? []
    expect(nowhere.stdout).toContain(`Bearer ${shown}"`)
    expect(filesNamedIn(nowhere.stdout)).toEqual([])
  })

  const token = (name: string) => `fake-token-of-${name}-0a1b2c3d`

  /** Every file that is named, and is there. */
  function filesNamedIn(text: string): readonly string[] {
    const named = [...text.matchAll(/kept in (\S+)|\$\(cat (\S+)\)/g)].map(([, kept, read]) => kept ?? read ?? '')
    for (const file of named) expect(existsSync(file), file).toBe(true)
    return named
  }
})
