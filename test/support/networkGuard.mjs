// Lets nothing out of the machine: a connection, a name lookup or a datagram beyond loopback fails, and is written
// down,
// so that a test fails for it even where the code under test shrugs it off. Loaded by test/setup.ts, and by every node
// that a test starts (NODE_OPTIONS). Unix sockets are free.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const NOTES = 'KEYWISE_TEST_CONNECTIONS'
// RFC 6761, section 6.4: names under .invalid do not exist; said here, so that it does not depend on a resolver.
const NOWHERE = /\.invalid\.?$/i
const LOOPBACK =
  /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|0\.0\.0\.0|::1?|\[::1\]|(?:0*:)*:?ffff:127(?:\.\d+){3}|)$/i

/** @param {string} host */
export const isLoopback = (host) => LOOPBACK.test(host)

function refuse(what, host) {
  const error = Object.assign(new Error(`a test tried to ${what} ${host}; only loopback is allowed`), {
    code: 'EACCES',
  })
  const file = process.env[NOTES]
  if (file) appendFileSync(file, `${what} ${host}\n`)
  throw error
}

// Every TCP and TLS connection of node goes through here: http, https, http2, fetch, undici, and whatever is built on
// them.
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  // net.connect() hands over its arguments as one array, already put in order.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args
  const options = typeof first === 'object' ? first : { port: first, host: typeof second === 'string' ? second : '' }
  // As net decides it: http hands over `path: null`.
  const isPath = Boolean(options.path) || (typeof first === 'string' && Number.isNaN(Number(first)))
  if (!isPath && !isLoopback(options.host ?? '') && !NOWHERE.test(options.host)) refuse('connect to', options.host)
  return connect.apply(this, args)
}

const notFound = (host) =>
  Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), {
    code: 'ENOTFOUND',
    errno: -3008,
    syscall: 'getaddrinfo',
    hostname: host,
  })

const lookup = dns.lookup
dns.lookup = (host, ...rest) => {
  if (NOWHERE.test(host)) return void process.nextTick(rest.at(-1), notFound(host))
  if (!isLoopback(host) && net.isIP(host) === 0) refuse('look up', host)
  return lookup(host, ...rest)
}
const lookupPromise = dns.promises.lookup
dns.promises.lookup = async (host, ...rest) => {
  if (NOWHERE.test(host)) throw notFound(host)
  if (!isLoopback(host) && net.isIP(host) === 0) refuse('look up', host)
  return lookupPromise(host, ...rest)
}
// What asks a name server directly has no loopback form.
for (const holder of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
  for (const name of Object.getOwnPropertyNames(holder)) {
    if (/^(?:resolve|reverse)/.test(name)) holder[name] = (host) => refuse('resolve', host)
  }
}

const { send, connect: connectDatagram } = dgram.Socket.prototype
dgram.Socket.prototype.connect = function (port, address, ...rest) {
  if (typeof address === 'string' && !isLoopback(address)) refuse('connect to', address)
  return connectDatagram.call(this, port, address, ...rest)
}
dgram.Socket.prototype.send = function (message, ...rest) {
  const address = rest.find((one) => typeof one === 'string')
  if (address !== undefined && !isLoopback(address)) refuse('send to', address)
  return send.call(this, message, ...rest)
}
syncBuiltinESMExports()
