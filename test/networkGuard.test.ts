/** Proves the guard that test/setup.ts puts around every test, in a process of its own. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from './support/temporaryFolder.ts'

const swallow = (text: string) => `try { await (${text}) } catch {}`
const withError = (text: string) => `await new Promise((done) => ${text}.on('error', done))`

// TEST-NET-1 (RFC 5737): addresses that are never assigned.
const ways = [
  { name: 'fetch', program: swallow("fetch('https://api.example.com/')"), noted: 'api.example.com' },
  {
    name: 'undici',
    program: `const { request } = await import('undici'); ${swallow("request('http://192.0.2.1/')")}`,
    noted: 'connect to 192.0.2.1',
  },
  {
    name: 'http.get',
    program: `const { get } = await import('node:http'); try { ${withError("get('http://192.0.2.1/')")} } catch {}`,
    noted: 'connect to 192.0.2.1',
  },
  {
    name: 'http2',
    program: `const { connect } = await import('node:http2'); try { ${withError("connect('https://192.0.2.1')")} } catch {}`,
    noted: 'connect to 192.0.2.1',
  },
  {
    name: 'net.connect(port, host)',
    program: `const { connect } = await import('node:net'); try { connect(80, '192.0.2.1') } catch {}`,
    noted: 'connect to 192.0.2.1',
  },
  {
    name: 'tls.connect',
    program: `const { connect } = await import('node:tls'); try { connect({ port: 443, host: '192.0.2.1' }) } catch {}`,
    noted: 'connect to 192.0.2.1',
  },
  {
    name: 'dns.promises.lookup',
    program: `const { lookup } = await import('node:dns/promises'); ${swallow("lookup('example.com')")}`,
    noted: 'look up example.com',
  },
  {
    name: 'dns.resolve4',
    program: `const { resolve4 } = await import('node:dns'); try { resolve4('example.com', () => {}) } catch {}`,
    noted: 'resolve example.com',
  },
  {
    name: 'a datagram',
    program: `const { createSocket } = await import('node:dgram'); try { createSocket('udp4').send('hi', 53, '192.0.2.1') } catch {}; process.exit()`,
    noted: 'send to 192.0.2.1',
  },
]

function notesOf(program: string): { readonly code: number | null; readonly notes: string; readonly stderr: string } {
  const file = join(temporaryFolder(), 'connections')
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, KEYWISE_TEST_CONNECTIONS: file },
    encoding: 'utf8',
    timeout: 10_000,
  })
  return { code: status, stderr, notes: existsSync(file) ? readFileSync(file, 'utf8') : '' }
}

for (const { name, program, noted } of ways) {
  test(`${name} cannot leave the machine, and it is written down although the error is swallowed`, () => {
    expect(notesOf(program).notes).toContain(noted)
  })
}

test('loopback and unix sockets are free, and .invalid names are not found', () => {
  const socket = join(temporaryFolder(), 'socket')
  const result = notesOf(`
    const { createServer } = await import('node:http')
    const { connect, createServer: createSocketServer } = await import('node:net')
    const server = createServer((request, response) => response.end('hello'))
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    for (const host of ['127.0.0.1', 'localhost'])
      if ((await (await fetch('http://' + host + ':' + server.address().port)).text()) !== 'hello') process.exit(3)
    server.close()
    const local = createSocketServer((one) => one.end())
    await new Promise((done) => local.listen(${JSON.stringify(socket)}, done))
    await new Promise((done) => connect(${JSON.stringify(socket)}).on('close', done).resume())
    local.close()
    const { cause } = await fetch('http://keywise.invalid/').catch((error) => error)
    process.exitCode = cause?.code === 'ENOTFOUND' ? 0 : 4
  `)
  expect(result).toEqual({ code: 0, notes: '', stderr: '' })
})
