import { expect, test } from 'vitest'
import type { UnitAbility } from '../../domain/target.ts'
import { unitsOf } from './units.ts'

const cases: readonly (readonly [of: string, UnitAbility, fields: object, bytes: number, units: object])[] = [
  ['characters, not their bytes', 'speech', { input: 'äö🙂' }, 90, { characters: 3 }],
  ['nothing to be spoken', 'speech', { input: 7 }, 90, { characters: 0 }],
  ['one picture where no number is said', 'imageGeneration', { prompt: 'A box' }, 90, { images: 1 }],
  ['four pictures', 'imageEdit', { n: 4 }, 90, { images: 4 }],
  ['the most for a number that is none', 'imageVariation', { n: Number.NaN }, 90, { images: 128 }],
  ['the most for a negative number', 'imageGeneration', { n: -3 }, 90, { images: 128 }],
  ['seconds by bytes', 'transcription', {}, 7_501, { audioSeconds: 11 }],
  ['a recording that is only named', 'translation', {}, Infinity, { audioSeconds: Infinity }],
  ['one search at least', 'rerank', { query: 'a' }, 20, { searches: 1 }],
  ['a search a hundred documents', 'rerank', { documents: Array(100).fill('x') }, 500, { searches: 2 }],
  ['pieces of one long document', 'rerank', { documents: ['x'] }, 100_000, { searches: 3 }],
  ['nothing of a moderation', 'moderation', { input: 'bad' }, 20, {}],
]
for (const [of, ability, fields, bytes, units] of cases)
  test(of, () => expect(unitsOf(ability, { ...fields }, bytes)).toEqual(units))
