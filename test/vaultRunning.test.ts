/** The vault beneath what runs: a key changes without a failed request, and no surface gives one back. */

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, sep } from 'node:path'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { APIManager, unlockVault, VaultError } from '../src/index.ts'
import { startGateway } from '../src/server/serve.ts'
import { ADMIN_TOKEN, TOKEN, until } from './support/gatewayWorld.ts'
import { listening } from './support/listening.ts'
import { makeHome } from './support/runKeywise.ts'

const [OLD, NEW] = ['old', 'new'].map((name) => `gsk_${`fake-${name}-`.repeat(5)}`) as [string, string]
const PHRASE = 'correct horse battery'

interface Provider {
  readonly origin: string
  /** The keys that it accepts. */
  readonly accepts: Set<string>
  /** Every key that a model was called with, accepted or not. */
  readonly called: string[]
  /** Answers nothing that is asked from now on until the function is called. */
  hold(): () => void
}

/** A provider of OpenAI's protocol that refuses every key it does not know, lists and calls alike. */
async function startProvider(...keys: readonly string[]): Promise<Provider> {
  const accepts = new Set(keys)
  const called: string[] = []
  let free = Promise.resolve()
  const server = createServer(async (request, response) => {
    const key = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const isCall = request.method === 'POST'
    const held = free
    for await (const _part of request);
    if (isCall) {
      called.push(key)
      await held
    }
    response.setHeader('content-type', 'application/json')
    if (!accepts.has(key)) {
      response.statusCode = 401
      const error = {
        message: `Incorrect API key provided: ${key}`,
        type: 'invalid_request_error',
        code: 'invalid_api_key',
      }
      response.end(JSON.stringify({ error }))
    } else if (isCall) {
      const message = { role: 'assistant', content: 'hello' }
      response.end(JSON.stringify({ id: 'x', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }))
    } else response.end(JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model' }] }))
  })
  const hold = () => {
    let release = () => {}
    free = new Promise((resolve) => (release = resolve))
    return () => {
      free = Promise.resolve()
      release()
    }
  }
  return { origin: await listening(server), accepts, called, hold }
}

/** A home whose only key is in its vault. */
async function homeWith(origin: string, env: Readonly<Record<string, string>>) {
  const groq = { api_key: 'vault:work', endpoint: `${origin}/v1`, models: ['m'] }
  const home = makeHome({ groq }, env)
  await home.keywise('vault', 'init')
  expect((await home.answering([OLD], 'vault', 'add', 'work')).code).toBe(0)
  return home
}

const KEY = { KEYWISE_VAULT_KEY: Buffer.alloc(32, 7).toString('base64') }

async function gatewayOn(folder: string, env: Readonly<Record<string, string>> = KEY) {
  const logged: string[] = []
  const log = (line: string) => void logged.push(line)
  const gateway = await startGateway({
    config: join(folder, 'config/api-keys.json'),
    cwd: folder,
    store: join(folder, 'keywise.db'),
    port: 0,
    env: { ...env, HOME: folder, KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: ADMIN_TOKEN },
    logger: { info: log, warn: log, error: log },
  })
  onTestFinished(() => gateway.close(0))
  await gateway.opened.ready()
  const ask = async () => {
    const response = await fetch(`${gateway.app.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'groq/m', messages: [{ role: 'user', content: 'hi' }] }),
    })
    await response.text()
    return response.status
  }
  return { gateway, logged, ask }
}

test('a key is changed while the gateway runs: no request fails, and one under way ends with the old key', async () => {
  const provider = await startProvider(OLD, NEW)
  const home = await homeWith(provider.origin, KEY)
  const { ask, logged } = await gatewayOn(home.folder)
  expect(await ask()).toBe(200)
  const release = provider.hold()
  const underWay = ask()
  await until(() => provider.called.length === 2)
  release()
  const statuses: number[] = []
  let isOver = false
  const traffic = (async () => {
    while (!isOver) statuses.push(await ask())
  })()
  const rotated = await home.answering([NEW], 'vault', 'rotate', 'work')
  expect([rotated.code, rotated.stderr]).toEqual([0, ''])
  await until(() => provider.called.at(-1) === NEW && statuses.length > 3)
  isOver = true
  await traffic
  expect(await underWay).toBe(200)
  provider.accepts.delete(OLD)
  expect([await ask(), await ask()]).toEqual([200, 200])
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(provider.called.slice(provider.called.indexOf(NEW))).not.toContain(OLD)
  expect(logged.join('\n')).toContain('the configuration was read again')
})

test('a new key that its provider refuses does not take the place of the old one', async () => {
  const provider = await startProvider(OLD)
  const home = await homeWith(provider.origin, KEY)
  const before = readFileSync(join(home.folder, 'config/vault.json'), 'utf8')
  const refused = await home.answering([NEW], 'vault', 'rotate', 'work')
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/not proven: .*; the old key stays\n$/)])
  expect(readFileSync(join(home.folder, 'config/vault.json'), 'utf8')).toBe(before)
  expect(refused.stdout + refused.stderr).not.toContain('fake-new')
  const same = await home.answering([OLD], 'vault', 'rotate', 'work')
  expect([same.code, same.stderr]).toEqual([2, expect.stringContaining('has already')])
})

test('where no free check proves a key, one short call does', async () => {
  const provider = await startProvider('box-old-fake-key', 'box-new-fake-key')
  const box = { dialect: 'openai', endpoint: `${provider.origin}/v1`, api_key: 'vault:box', models: ['m'] }
  const home = makeHome({ box }, KEY)
  await home.keywise('vault', 'init')
  expect((await home.answering(['box-old-fake-key'], 'vault', 'add', 'box')).code).toBe(0)
  const good = await home.answering(['box-new-fake-key'], 'vault', 'rotate', 'box')
  expect([good.code, good.stdout]).toEqual([0, expect.stringContaining('m answered with it')])
  expect(provider.called).toEqual(['box-new-fake-key'])
  expect((await home.answering(['box-bad-fake-key'], 'vault', 'rotate', 'box')).code).toBe(1)
})

test('a vault that breaks while the gateway runs is reported, and the keys before it stay in force', async () => {
  const provider = await startProvider(OLD)
  const home = await homeWith(provider.origin, KEY)
  const { ask, logged } = await gatewayOn(home.folder)
  writeFileSync(join(home.folder, 'config/vault.json'), '{"format":"keywise-vault"')
  await until(() => logged.some((line) => /vault\.json.*is damaged.*stays in force/.test(line)))
  expect(await ask()).toBe(200)
})

test('the library derives a passphrase beside the event loop, and again for another vault only', async () => {
  const provider = await startProvider(OLD, NEW)
  const env = { KEYWISE_VAULT_PASSPHRASE: PHRASE }
  const home = await homeWith(provider.origin, env)
  const options = {
    config: join(home.folder, 'config/api-keys.json'),
    cwd: home.folder,
    env,
    store: 'memory:',
    logger: false,
  } as const
  await unlockVault(options)
  const manager = new APIManager(options)
  onTestFinished(() => manager.close())
  expect((await manager.callWithFallback({ prompt: 'hi', model: 'groq/m' })).content).toBe('hello')
  expect((await home.answering([NEW], 'vault', 'rotate', 'work')).code).toBe(0)
  await until(() => manager.engine.registry.credentials[0]?.key.secret.reveal() === NEW)
  expect((await manager.callWithFallback({ prompt: 'hi', model: 'groq/m' })).content).toBe('hello')
  expect(provider.called).toEqual([OLD, NEW])
  const locked = { ...options, env: {} }
  await unlockVault(locked)
  expect(() => new APIManager(locked)).toThrow(VaultError)
})

test('no route, file, log line or command gives back a key of the vault, its passphrase or its key', async () => {
  const provider = await startProvider()
  const env = { ...KEY, KEYWISE_VAULT_PASSPHRASE: PHRASE }
  const home = await homeWith(provider.origin, env)
  const { gateway, ask, logged } = await gatewayOn(home.folder, env)
  const said: string[] = logged as string[]
  await ask()
  const paths = ['status', 'why', 'requests', 'keys', 'models', 'budgets', 'alerts', 'hours', 'experiments', 'spend']
  for (const path of [...paths.map((name) => `/api/${name}`), '/metrics', '/healthz', '/readyz', '/v1/models', '/'])
    for (const token of [TOKEN, ADMIN_TOKEN]) {
      const response = await fetch(gateway.app.origin + path, { headers: { authorization: `Bearer ${token}` } })
      said.push((await response.text()) + inspect(response.headers))
    }
  said.push(inspect(gateway.opened.engine, { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null }))
  const commands = [
    ['keys', 'list'],
    ['status'],
    ['doctor'],
    ['vault', 'list'],
    ['vault', 'list', '--json'],
    ['call', 'hi'],
    ['models'],
  ]
  for (const command of commands) {
    const ran = await home.keywise(...command)
    said.push(ran.stdout + ran.stderr)
  }
  const exported = await home.answering([PHRASE], 'vault', 'export', 'copy.sealed')
  said.push(exported.stdout + exported.stderr)
  await gateway.close(0)
  for (const file of readdirSync(home.folder, { recursive: true, encoding: 'utf8' }).map((name) =>
    join(home.folder, name),
  ))
    if (statSync(file).isFile() && !file.includes(`${sep}compiled${sep}`)) said.push(readFileSync(file, 'latin1'))
  for (const secret of [OLD.slice(4, 20), PHRASE, KEY.KEYWISE_VAULT_KEY])
    expect(said.filter((text) => text.includes(secret))).toEqual([])
})

test('the environment opens the vault without a keyring or a terminal: server and library start no program', () => {
  const source = join(import.meta.dirname, '../src')
  const starting = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => /child_process/.test(readFileSync(join(source, file), 'utf8')))
  expect(starting).toEqual([join('cli', 'vault', 'keyring.ts')])
})
