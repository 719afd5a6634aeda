import { expect, test } from 'vitest'
import { ByteBuffer } from './byteBuffer.ts'

test('ByteBuffer joins what was added, and begins anew when it is taken', () => {
  const bytes = new ByteBuffer()
  bytes.hold(Buffer.from('ab'))
  bytes.append(Buffer.from('c'))
  bytes.hold(Buffer.from('d'))
  expect(bytes.length).toBe(4)
  expect(bytes.view().toString()).toBe('abcd')
  expect(bytes.take().toString()).toBe('abcd')
  expect(bytes.length).toBe(0)
  bytes.append(Buffer.from('e'))
  expect(bytes.take().toString()).toBe('e')
})

test('ByteBuffer neither copies nor changes a first piece that is held', () => {
  const piece = Buffer.from('first')
  const bytes = new ByteBuffer()
  bytes.hold(piece)
  expect(bytes.view()).toBe(piece)
  bytes.append(Buffer.from('second'))
  expect(piece.toString()).toBe('first')
  expect(bytes.view().toString()).toBe('firstsecond')
})

test('ByteBuffer copies what is appended, because its owner may use it again', () => {
  const piece = Buffer.from('a')
  const bytes = new ByteBuffer()
  bytes.append(piece)
  piece.write('b')
  expect(bytes.view().toString()).toBe('a')
})

test('ByteBuffer takes memory a few times, however small the pieces are, and never more than the most', () => {
  const bytes = new ByteBuffer(100_000)
  const memories = new Set<ArrayBufferLike>()
  const piece = Buffer.from('x')
  for (let at = 0; at < 100_000; at++) {
    bytes.append(piece)
    memories.add(bytes.view().buffer)
  }
  expect(memories.size).toBeLessThan(12)
  expect(bytes.view().buffer.byteLength).toBe(100_000)
})
