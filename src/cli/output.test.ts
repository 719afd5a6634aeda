import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { printer } from './output.ts'

test('a cell of a table keeps our colours, and nothing that moves the cursor or breaks the line', () => {
  let text = ''
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 })
  stream.on('data', (data) => {
    text += String(data)
  })
  const out = printer(stream as unknown as NodeJS.WriteStream, {}) // all that the printer uses of a stream
  const green = out.paint('green', 'fine')
  out.table(
    ['team', 'state'],
    [
      ['\u001b[2Ja\r\nb\u009b\u202e', green],
      ['c', 'd'],
    ],
  )
  const [, first, second] = text.split('\n')
  expect(first).toBe(`\ufffd[2Ja\ufffd\ufffdb\ufffd\ufffd  ${green}`)
  expect(second).toBe('c           d')
})
