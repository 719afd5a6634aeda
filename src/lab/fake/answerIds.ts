/** Ids of answers and of the calls in them, formed like those of the services. */

import { randomUUID } from 'node:crypto'
import type { DialectId } from '../../domain/chat.ts'

const PREFIXES: { readonly [D in DialectId]: string } = {
  openai: 'chatcmpl-',
  // By this the strict rules know the answers that are kept here.
  'openai-responses': 'resp_fake',
  anthropic: 'msg_',
  google: '',
}

/** No two are alike, also in another world: clients take conversations from one service to another. */
export const answerId = (dialect: DialectId): string => `${PREFIXES[dialect]}${unique()}`

export const callId = (dialect: DialectId): string =>
  `${dialect === 'anthropic' ? 'toolu' : 'call'}_${unique().slice(0, 24)}`

const unique = () => randomUUID().replaceAll('-', '')
