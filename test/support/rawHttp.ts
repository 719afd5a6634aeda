/** Requests as bytes on a socket, for what no HTTP client would send. */

import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends the bytes and reads until the server closes or `count` answers are whole. Rejects after 5 s. */
export function rawRequest(origin: string, bytes: string | Buffer, count = 1): Promise<readonly RawAnswer[]> {
  const { port, hostname } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    const timer = setTimeout(() => finish(new Error(`no answer to ${String(bytes).slice(0, 80)}`)), 5000)
    let received = ''
    const finish = (error?: Error) => {
      clearTimeout(timer)
      socket.destroy()
      if (error === undefined) resolve(answersIn(received))
      else reject(error)
    }
    socket.on('error', () => finish())
    socket.on('close', () => finish())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (answersIn(received).length >= count) finish()
    })
    socket.write(bytes)
  })
}

/** The whole answers at the beginning of a text; 1xx are left out. */
function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = text
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n')
    if (headEnd < 0) return answers
    const [first = '', ...lines] = rest.slice(0, headEnd).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const status = Number(first.split(' ')[1])
    const end = headEnd + 4 + Number(headers['content-length'] ?? 0)
    if (rest.length < end) return answers
    if (status >= 200) answers.push({ status, headers, body: rest.slice(headEnd + 4, end) })
    rest = rest.slice(end)
  }
}
