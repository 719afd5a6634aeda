/** A plain red picture, generated so that no file has to ship: 32 x 32 pixels, above every provider's minimum. */

import { crc32, deflateSync } from 'node:zlib'

const SIDE = 32
const RED = [220, 20, 20]

/** The picture as base64 of a PNG (https://www.w3.org/TR/png-3/). */
export function redPicture(): string {
  const row = Buffer.from([0, ...Array.from({ length: SIDE }, () => RED).flat()])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: SIDE }, () => row)))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  header.set([8, 2, 0, 0, 0], 8) // 8 bits per channel, RGB, the only compression and filter methods, no interlacing
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]).toString('base64')
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(body, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
