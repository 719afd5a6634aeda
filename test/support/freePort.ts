/** A port of loopback at which nothing listens. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** For what must know its port before it listens; another process may take it meanwhile. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  await new Promise((resolve) => server.close(resolve))
  return port
}
