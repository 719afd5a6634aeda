import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { makeHome, type Running } from '../../test/support/runKeywise.ts'

const ANSWER = JSON.stringify({
  id: 'a',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'still here' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
})

function originOf(gateway: Running): Promise<string> {
  return new Promise((found, fail) => {
    let said = ''
    gateway.stdout.on('data', (data: Buffer) => {
      said += data.toString()
      const origin = /keywise serves on (\S+)/.exec(said)?.[1]
      if (origin !== undefined) found(origin)
    })
    gateway.once('close', () => fail(new Error(`it ended: ${said}`)))
  })
}

test('a gateway signalled twice finishes the answers it has begun, then exits 0', async () => {
  const token = `token-${'3'.repeat(20)}`
  let asked: (response: ServerResponse) => void = () => {}
  const pending = new Promise<ServerResponse>((resolve) => (asked = resolve))
  const upstream = createServer((request, response) => {
    if (request.method === 'POST') asked(response)
    else response.writeHead(404).end()
  })
  await once(upstream.listen(0, '127.0.0.1'), 'listening')
  const { port } = upstream.address() as AddressInfo // listening on TCP
  const endpoint = `http://127.0.0.1:${port}/v1`
  const home = makeHome(
    { mine: { dialect: 'openai', endpoint, api_key: `fake-${'4'.repeat(20)}`, models: ['m'] } },
    { KEYWISE_TOKEN: token },
  )
  const gateway = home.start('serve', '--port', '0', '--store', 'memory:')
  const closed = once(gateway, 'close')
  const call = fetch(`${await originOf(gateway)}/v1/chat/completions`, {
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
  upstream.close()
})
