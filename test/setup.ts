/** Every test file runs without the machine's own keys and without a network: a connection beyond loopback fails it. */

import dns from 'node:dns'
import net from 'node:net'
import { catalog } from '../src/providers/catalog.ts'

for (const spec of catalog) {
  for (const name of Object.keys(process.env)) {
    if (spec.env.some((base) => name === base || new RegExp(`^${base}_\\d+$`).test(name))) delete process.env[name]
  }
}
for (const name of Object.keys(process.env)) {
  if (
    /^KEYWISE_(?!TEST_DATA$)/.test(name) ||
    /^(?:https?|all|no)_proxy$/i.test(name) ||
    /^XDG_(?:STATE|CONFIG)_HOME$/.test(name)
  ) {
    delete process.env[name]
  }
}

const loopback = (host: string) => /^(?:localhost|127(?:\.\d+){3}|::1|::ffff:127(?:\.\d+){3}|)$/i.test(host)

const connect = net.Socket.prototype.connect
// The one door every TCP and TLS connection of node goes through.
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  const options = (Array.isArray(args[0]) ? args[0][0] : args[0]) as { host?: string; path?: string } | number
  const host = typeof options === 'object' ? (options.host ?? '') : String(args[1] ?? '')
  if (typeof options === 'object' && options.path !== undefined) return connect.apply(this, args as never)
  if (!loopback(host)) throw new Error(`a test tried to connect to ${host}; only loopback is allowed`)
  return connect.apply(this, args as never)
} as typeof connect

const lookup = dns.lookup
dns.lookup = ((host: string, ...rest: unknown[]) => {
  if (!loopback(host) && !host.endsWith('.invalid'))
    throw new Error(`a test tried to look up ${host}; only loopback is allowed`)
  return lookup.apply(dns, [host, ...rest] as never)
}) as typeof lookup
