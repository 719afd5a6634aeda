/** One `keywise serve` in a process of its own, in front of the simulated upstreams. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type FakeWorld, startFakeProviders } from '../../src/lab/fake/fakeProviders.ts'
import { until } from '../support/gatewayWorld.ts'
import { scenario } from './upstreams.ts'

export interface Gateway extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly token: string
  readonly upstreams: FakeWorld
}

/** What the gateway logs, for whoever looks into a failure. */
export const LOG = join(tmpdir(), 'keywise-clients-gateway.log')
const ENTRY = resolve(import.meta.dirname, '../../bin/keywise.cjs')

export async function openServed(): Promise<Gateway> {
  const upstreams = await startFakeProviders(scenario())
  const token = `clients-${'t'.repeat(24)}`
  const folder = mkdtempSync(join(tmpdir(), 'keywise-served-'))
  mkdirSync(join(folder, 'config'))
  writeFileSync(join(folder, 'config/api-keys.json'), JSON.stringify(upstreams.config()))
  const child = spawn(process.execPath, [ENTRY, 'serve', '--port', '0', '--store', 'memory:'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, XDG_STATE_HOME: folder, NO_COLOR: '1', KEYWISE_TOKEN: token },
    stdio: ['ignore', 'pipe', openSync(LOG, 'w')],
  })
  // Whatever ends this process, the gateway does not outlive it.
  process.once('exit', () => child.kill('SIGKILL'))
  const close = async () => {
    await ended(child)
    await upstreams.close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const origin = await originOf(child)
    await allListed(origin, token)
    return { origin, token, upstreams, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function originOf(child: ChildProcess): Promise<string> {
  return new Promise((found, fail) => {
    let said = ''
    child.stdout?.on('data', (data: Buffer) => {
      said += data.toString()
      const origin = /keywise serves on (\S+)/.exec(said)?.[1]
      if (origin !== undefined) found(origin)
    })
    child.once('close', () => fail(new Error(`the gateway ended: ${said}`)))
  })
}

/** Until the lists of all providers are read. */
async function allListed(origin: string, token: string): Promise<void> {
  const wanted = Object.values(scenario().providers).flatMap(({ models }) => Object.keys(models))
  let listed = new Set<string>()
  const read = async () => {
    const answer = await fetch(`${origin}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
    const { data } = (await answer.json()) as { data: { id: string }[] }
    listed = new Set(data.map(({ id }) => id))
  }
  for (let turn = 0; turn < 100 && !wanted.every((id) => listed.has(id)); turn++) {
    await read()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await until(
    () => wanted.every((id) => listed.has(id)),
    `${wanted.filter((id) => !listed.has(id)).join(', ')} in the list`,
  )
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve()
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  return gone.finally(() => clearTimeout(timer))
}
