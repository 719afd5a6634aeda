/** The columns of the matrix: what is asked of a client, of which models, and who judges what comes back. */

import * as judge from './judge.ts'
import type { Kind } from './upstreams.ts'

/** What a program can be asked to do. */
export type Operation = 'plain' | 'stream' | 'loop' | 'schema' | 'image' | 'embed' | 'abort' | 'models'

interface Step {
  readonly operation: Operation
  readonly kind: Kind | 'embeds'
  /** A token that nobody has. */
  readonly isStranger?: boolean
  readonly judge: (facts: { readonly model: string; readonly errors: Errors }) => judge.Judge
}

/** The classes of a client's errors, by status. */
export type Errors = Readonly<Record<'limit' | 'request' | 'token', string>>

interface Feature {
  readonly name: string
  readonly steps: readonly Step[]
}

const one = (operation: Operation, kind: Step['kind'], good: judge.Judge): readonly Step[] => [
  { operation, kind, judge: () => good },
]

export const FEATURES: readonly Feature[] = [
  { name: 'plain', steps: one('plain', 'talks', judge.plain) },
  { name: 'stream', steps: one('stream', 'talks', judge.stream) },
  { name: 'tool loop', steps: one('loop', 'loops', judge.loop) },
  { name: 'schema', steps: one('schema', 'shapes', judge.schema) },
  { name: 'image', steps: one('image', 'shapes', judge.image) },
  { name: 'embeddings', steps: one('embed', 'embeds', judge.embeddings) },
  {
    name: 'errors',
    steps: [
      { operation: 'plain', kind: 'limited', judge: ({ errors }) => judge.throws(errors.limit) },
      { operation: 'plain', kind: 'refusing', judge: ({ errors }) => judge.throws(errors.request) },
      { operation: 'plain', kind: 'talks', isStranger: true, judge: ({ errors }) => judge.throws(errors.token) },
    ],
  },
  { name: 'cut', steps: one('stream', 'cut', judge.cut) },
  { name: 'abort', steps: one('abort', 'drips', judge.abort) },
  { name: 'models', steps: [{ operation: 'models', kind: 'talks', judge: ({ model }) => judge.models(model) }] },
  {
    name: 'usage',
    steps: [...one('plain', 'talks', judge.usage), ...one('stream', 'talks', judge.usage)],
  },
]
