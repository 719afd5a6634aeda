/** Certificates made at run time, good and bad ones, in DER (RFC 5280, section 4.1); no key of them is worth stealing. */

import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  /** PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

interface Wanted {
  readonly name: string
  /** Default: two days from yesterday on. */
  readonly from?: Date
  readonly to?: Date
  /** Default: it signs itself. */
  readonly by?: Authority
  readonly isAuthority?: boolean
}

export interface Authority extends Certificate {
  readonly name: string
  readonly privateKey: KeyObject
}

const DAY = 86_400_000

export function makeAuthority(name = 'keywise test authority'): Authority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { name, privateKey, ...make({ name, isAuthority: true }, privateKey) }
}

/** A server's certificate for a DNS name. */
export function makeCertificate(wanted: Wanted): Certificate {
  return make(wanted, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
}

function make(wanted: Wanted, own: KeyObject): Certificate {
  const { name, by, from = new Date(Date.now() - DAY), to = new Date(Date.now() + DAY) } = wanted
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))), // v3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    distinguishedName(by?.name ?? name),
    sequence(time(from), time(to)),
    distinguishedName(name),
    createPublicKey(own).export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(name, wanted.isAuthority === true))),
  )
  const signature = sign('sha256', body, by?.privateKey ?? own)
  const der = sequence(body, ECDSA_WITH_SHA256, bits(signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: own.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function extensions(name: string, isAuthority: boolean): Buffer[] {
  const alternative = tagged(0x82, Buffer.from(name)) // dNSName
  const constraints = isAuthority ? sequence(tagged(0x01, Buffer.from([0xff]))) : sequence()
  return [
    sequence(oid('551d13'), tagged(0x01, Buffer.from([0xff])), tagged(0x04, constraints)), // basicConstraints
    ...(isAuthority ? [] : [sequence(oid('551d11'), tagged(0x04, sequence(alternative)))]), // subjectAltName
  ]
}

function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...contents: readonly Buffer[]) => tagged(0x30, ...contents)
const integer = (value: Buffer) => tagged(0x02, value)
const bits = (value: Buffer) => tagged(0x03, Buffer.concat([Buffer.from([0]), value]))
const oid = (hex: string) => tagged(0x06, Buffer.from(hex, 'hex'))
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))

function distinguishedName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(name))))) // commonName
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '') // 20261130193500Z
  return tagged(0x17, Buffer.from(digits.slice(2)))
}
