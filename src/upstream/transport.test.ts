import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openTransport } from './transport.ts'

test.each([
  ['without a proxy', {}],
  ['beside one', { httpsProxy: 'http://127.0.0.1:9', noProxy: '127.0.0.1' }],
])('an interim answer that nobody asked for is understood %s', async (_, options) => {
  const server = createServer((socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const transport = openTransport(options)
  onTestFinished(async () => {
    await transport.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const { statusCode, body } = await transport.request({
    origin: `http://127.0.0.1:${port}`,
    path: '/',
    method: 'POST',
    body: '{}',
  })
  expect([statusCode, await body.text()]).toEqual([200, 'ok'])
})
