/** Multipart forms, in any pieces. */

import { FormScanner } from '../../../src/server/inference/formScanner.ts'
import type { FuzzTarget } from '../driver.ts'
import { cutsOf, smallerTexts } from '../mutate.ts'
import { orRefusal, same } from '../promises.ts'

interface Form {
  readonly text: string
  readonly cuts: readonly number[]
}

const BOUNDARY = 'b0undary'
const LINES = [
  `--${BOUNDARY}\r\n`,
  `--${BOUNDARY}--\r\n`,
  `--${BOUNDARY}--`,
  `--${BOUNDARY}`,
  `\r\n--${BOUNDARY}\r\n`,
  'Content-Disposition: form-data; name="model"\r\n',
  'content-disposition: form-data; name="file"; filename="a.wav"\r\n',
  'Content-Disposition: form-data; name="__proto__"\r\n',
  'Content-Disposition: form-data; name=model\r\n',
  'Content-Type: audio/wav\r\n',
  '\r\n',
  '\n',
  'm',
  `-${BOUNDARY}`,
  'x'.repeat(1_200),
  '\0\u00ff',
]
const PART = [`--${BOUNDARY}\r\n`, LINES[5], '\r\n', 'm', '\r\n'].join('')

export const forms: FuzzTarget<Form> = {
  name: 'forms',
  share: 2.5,
  make(random) {
    const lines = Array.from({ length: random.below(10) }, () => random.of(LINES))
    const text =
      (random.chance(0.6) ? PART : '') + lines.join('') + (random.chance(0.7) ? `\r\n--${BOUNDARY}--\r\n` : '')
    return { text, cuts: cutsOf(text.length, random) }
  },
  check({ text, cuts }) {
    same(outlineOf(text, []), outlineOf(text, cuts), 'the pieces in which a form comes change what it says')
  },
  *smaller({ text, cuts }) {
    for (const smaller of smallerTexts(text)) yield { text: smaller, cuts }
  },
  show: ({ text, cuts }) => `${JSON.stringify(text)} cut at [${cuts.join(', ')}]`,
}

function outlineOf(text: string, cuts: readonly number[]): unknown {
  const bytes = Buffer.from(text, 'latin1')
  const scanner = new FormScanner(BOUNDARY)
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    scanner.push(bytes.subarray(from, to))
    from = to
  }
  const outline = orRefusal(() => scanner.end())
  return outline === undefined ? null : { firstPart: outline.firstPart, fields: [...outline.fields] }
}
