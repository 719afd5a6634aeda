// The bare proxy: node:http in, undici dispatch out, bytes passed through; no token, no routing, no books.
import { createServer } from 'node:http'
import { Agent } from 'undici'
import { reportTo } from './report.mjs'

const origin = process.argv[2] ?? ''
const agent = new Agent()

class Pass {
  #response

  constructor(response) {
    this.#response = response
  }

  onRequestStart() {}

  onResponseStart(_controller, status, headers) {
    const { connection: _connection, 'keep-alive': _keepAlive, 'transfer-encoding': _encoding, ...rest } = headers
    this.#response.writeHead(status, rest)
  }

  onResponseData(_controller, chunk) {
    this.#response.write(chunk)
  }

  onResponseEnd() {
    this.#response.end()
  }

  onResponseError() {
    this.#response.destroy()
  }
}

const server = createServer((request, response) => {
  const parts = []
  request.on('data', (chunk) => parts.push(chunk))
  request.on('end', () => {
    const body = parts.length === 1 ? parts[0] : Buffer.concat(parts)
    agent.dispatch(
      {
        origin,
        path: request.url ?? '/',
        method: 'POST',
        body,
        headers: ['content-type', 'application/json', 'authorization', 'Bearer bench'],
      },
      new Pass(response),
    )
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => reportTo(server.address().port))
