/** Whatever an upstream does: nothing is left open afterwards, and the process ends by itself. */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ClosedError } from '../src/domain/errors.ts'
import { FAILURE_KINDS } from '../src/domain/failure.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import { FAILURES, type FailingUpstream, startFailingUpstream } from './support/failingUpstream.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { until } from './support/labCall.ts'
import { makeHome, type Running } from './support/runKeywise.ts'

const EVERY_FAILURE = join(import.meta.dirname, 'support/everyFailure.ts')
const MANY_RESETS = join(import.meta.dirname, 'support/manyResets.ts')
/** Far more than a program needs to end; one that hangs would never. */
const ENDS_WITHIN_MS = 40_000

interface Ended {
  /** Null when it had to be killed. */
  readonly code: number | null
  readonly output: string
}

function endOf(child: Running): Promise<Ended> {
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (output += data.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS)
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output })
    })
  })
}

const run = (...args: string[]) =>
  endOf(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: process.env }))

/** Kinds that only some protocols know are provoked by the tests of those. */
const reached = (kinds: readonly string[]) => FAILURE_KINDS.filter((kind) => kinds.includes(kind))

test('after every failure once a manager is closed with nothing left, and its process ends', async () => {
  const upstream = await startFailingUpstream()
  const { code, output } = await run(EVERY_FAILURE, String(upstream.port), ...Object.keys(FAILURES))
  expect({ code, output }).toMatchObject({ code: 0 })
  const { kinds, ...left } = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  expect(left).toEqual({ calls: 0, waiting: 0, held: 0, reserved: [0], open: [] })
  expect(reached(kinds)).toEqual(FAILURE_KINDS)
  await until(() => upstream.sockets.size === 0)
})

test('requests that were sent a second time are not kept in memory', async () => {
  const upstream = await startFailingUpstream()
  const { code, output } = await run('--expose-gc', MANY_RESETS, String(upstream.port), '160')
  expect({ code, output }).toMatchObject({ code: 0 })
  const { held, calls } = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  expect(calls).toBe(0)
  expect(upstream.asked.get('closed-once')).toBe(320)
  // 120 requests of half a megabyte each lie between the two measurements.
  expect(held.at(-1) - held[0]).toBeLessThan(30_000_000)
})

describe('a connection that is closed once before the answer', () => {
  const config = ({ port }: FailingUpstream) => ({
    box: { dialect: 'openai', endpoint: `http://127.0.0.1:${port}/closed-once/v1`, api_key: 'none', models: ['m'] },
  })

  test('lets "keywise call" end', async () => {
    const upstream = await startFailingUpstream()
    const { code, output } = await endOf(makeHome(config(upstream)).start('call', 'hi'))
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('hello') })
    expect(upstream.asked.get('closed-once')).toBe(2)
  })

  test('lets "keywise test" end', async () => {
    const upstream = await startFailingUpstream()
    const { code, output } = await endOf(makeHome(config(upstream)).start('test'))
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Passed: 1') })
  })

  test('lets "keywise serve" end at SIGTERM', async () => {
    const upstream = await startFailingUpstream()
    const token = 't'.repeat(24)
    const home = makeHome(config(upstream), {
      KEYWISE_TOKEN: token,
      KEYWISE_ADMIN_TOKEN: `test-admin-${'a'.repeat(20)}`,
    })
    const child = home.start('serve', '--port', '0')
    const ended = endOf(child)
    const origin = await new Promise<string>((resolve) => {
      let text = ''
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString()
        const found = /serves on (\S+)/.exec(text)
        if (found !== null) resolve(found[1] ?? '')
      })
    })
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] }),
    })
    expect(await response.text()).toContain('hello')
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0 })
  })
})

test('a reader of live events does not hold up a gateway that ends', async () => {
  await using world = await openGateway({ providers: {} })
  const headers = { authorization: `Bearer ${world.adminToken}` }
  const events = await fetch(`${world.origin}/api/events`, { headers })
  const closing = performance.now()
  await world.gateway.close()
  expect(await events.text()).toContain(': keywise')
  // The drain of what cannot end by itself takes 30 seconds.
  expect(performance.now() - closing).toBeLessThan(10_000)
})

describe('a manager that closes', () => {
  const open = ({ port }: FailingUpstream, name: string) =>
    new APIManager({
      config: {
        box: { dialect: 'openai', endpoint: `http://127.0.0.1:${port}/${name}/v1`, api_key: 'none', models: ['m'] },
      },
      env: {},
      logger: false,
    })

  test('lets a running call end, and refuses every later one', async () => {
    const upstream = await startFailingUpstream()
    const manager = open(upstream, 'late')
    const running = manager.callWithFallback('hi')
    await until(() => upstream.asked.get('late') === 1)
    await Promise.all([manager.close(), manager.close()])
    expect(await running).toMatchObject({ content: 'hello' })
    const closed = { code: 'CLOSED', message: 'this manager is closed; make a new one', attempts: [] }
    await expect(manager.callWithFallback('hi')).rejects.toMatchObject(closed)
    await expect(manager.streamWithFallback('hi').result).rejects.toMatchObject(closed)
    await expect(manager.ready()).rejects.toMatchObject(closed)
    expect(() => manager.updateQualityScore('box', 'm', 1, 1)).toThrow(ClosedError)
    expect(() => manager.rate('kw_1', 1)).toThrow(ClosedError)
    expect(upstream.asked.get('late')).toBe(1)
  })

  test('cancels a stream that its reader has left lying', async () => {
    const upstream = await startFailingUpstream()
    const manager = open(upstream, 'endless')
    const reader = manager.streamWithFallback('hi')[Symbol.asyncIterator]()
    await reader.next()
    await manager.close()
    await until(() => upstream.sockets.size === 0)
  })

  test('refuses a call that still waits for models lists', async () => {
    const upstream = await startFailingUpstream()
    const manager = open(upstream, 'works')
    const waiting = manager.callWithFallback('hi')
    await manager.close()
    await expect(waiting).rejects.toBeInstanceOf(ClosedError)
    expect(upstream.asked.size).toBe(0)
  })
})
