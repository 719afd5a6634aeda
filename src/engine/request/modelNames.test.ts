import { describe, expect, test } from 'vitest'
import { makeTarget } from '../../../test/support/makeEvents.ts'
import { ModelNames } from './modelNames.ts'

const targets = [
  makeTarget({ provider: 'relay', model: 'mini' }),
  makeTarget({ provider: 'relay', model: 'mini', keyIndex: 2 }),
  makeTarget({ provider: 'relay', model: 'large' }),
  makeTarget({ provider: 'other', model: 'vendor/mini' }),
  makeTarget({ provider: 'other', model: 'Vendor/Small-9B' }),
]

/** The targets a name selects, `auto`, or null. */
function selects(name: string, aliases: Record<string, readonly string[]> = {}): readonly string[] | 'auto' | null {
  const names = new ModelNames(targets, aliases)
  if (!names.has(name)) return null
  const { among, auto } = names.select(name)
  return auto ? 'auto' : targets.filter(({ stateId }) => among?.has(stateId)).map(({ id }) => id)
}

const everything = { '*': ['relay/large'] }
const LARGE = ['relay/large#1']
const EVERY_MINI = ['relay/mini#1', 'relay/mini#2', 'other/vendor/mini#1']

describe('the most specific meaning of a model name wins', () => {
  test.each<[string, string, Record<string, readonly string[]>, readonly string[] | 'auto' | null]>([
    ['auto, before a catch-all', 'auto', everything, 'auto'],
    ["a target's id, before a catch-all", 'relay/mini#2', everything, ['relay/mini#2']],
    [
      "a target's id, before an alias of its name",
      'relay/mini#2',
      { 'relay/mini#2': ['relay/large'] },
      ['relay/mini#2'],
    ],
    ['provider/model, before a catch-all', 'relay/mini', everything, ['relay/mini#1', 'relay/mini#2']],
    [
      'provider/model, before an alias of its name',
      'relay/mini',
      { 'relay/mini': ['relay/large'] },
      ['relay/mini#1', 'relay/mini#2'],
    ],
    ['an alias, before a served id of its name', 'mini', { mini: ['relay/large'] }, LARGE],
    ['an alias, before a catch-all', 'mine', { ...everything, mine: ['relay/mini#1'] }, ['relay/mini#1']],
    ['a served id, before a catch-all, wherever it is served', 'mini', everything, EVERY_MINI],
    ['a served id in another case', 'vendor/small-9b', everything, ['other/Vendor/Small-9B#1']],
    ['a catch-all, before another spelling', 'small-9b', everything, LARGE],
    ['another spelling, of any provider', 'small-9b', {}, ['other/Vendor/Small-9B#1']],
    ['another spelling, of the named provider', 'other/small-9b', {}, ['other/Vendor/Small-9B#1']],
    [
      'an alias of itself and more',
      'mini',
      { mini: ['mini', 'relay/large'] },
      ['relay/mini#1', 'relay/mini#2', ...LARGE, 'other/vendor/mini#1'],
    ],
    ['an alias in a loop, by its real entries', 'a', { a: ['b', 'relay/large'], b: ['a'] }, LARGE],
    ['an alias in a loop without any', 'a', { a: ['b'], b: ['a'] }, null],
    ['an alias of nothing that is served, not the served id', 'mini', { mini: ['gone'] }, null],
    ['a dot in a pattern, which is a dot', 'mini', { 'm.*': ['relay/large'] }, EVERY_MINI],
    ['nothing', 'unheard-of', {}, null],
  ])('%s: %s', (_, name, aliases, expected) => expect(selects(name, aliases)).toEqual(expected))
})
