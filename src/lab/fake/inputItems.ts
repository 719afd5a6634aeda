/**
 * What a stored response was asked with, as the service lists it:
 * https://developers.openai.com/api/reference/typescript/resources/responses/subresources/input_items (2026-11-30)
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { outOfRange, wrongValue } from '../strict/openaiWords.ts'
import type { FakeRefusal } from './refusal.ts'

type Item = Readonly<Record<string, unknown>> & { readonly id: string }

const USUAL_LIMIT = 20
const MOST = 100
const ORDERS = ['asc', 'desc']

/** The items of a request, in its order; each has an id from now on. */
export function inputItemsOf(responseId: string, body: unknown): readonly Item[] {
  const input = asRecord(body)?.['input']
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : (asArray(input) ?? [])
  return items.map((item, index) => {
    const fields = asRecord(item) ?? {}
    const { type = 'message' } = fields
    const prefix = type === 'message' ? 'msg' : type === 'reasoning' ? 'rs' : 'item'
    const id = asString(fields['id']) ?? `${prefix}_${responseId.replace(/^resp_/, '')}${index}`
    return type === 'message' ? message(id, fields) : { ...fields, id }
  })
}

function message(id: string, { content, ...fields }: Readonly<Record<string, unknown>>): Item {
  const text = fields['role'] === 'assistant' ? { type: 'output_text', annotations: [] } : { type: 'input_text' }
  const parts = typeof content === 'string' ? [{ ...text, text: content }] : content
  return { status: 'completed', ...fields, id, type: 'message', content: parts }
}

/** One page of them: the last first unless it is said otherwise. */
export function inputItemsPage(items: readonly Item[], query: URLSearchParams): FakeRefusal {
  const order = query.get('order') ?? 'desc'
  if (!ORDERS.includes(order)) return wrongValue('order', order, ORDERS)
  const limit = Number(query.get('limit') ?? USUAL_LIMIT)
  const refusal = outOfRange('limit', limit, { kind: 'integer', min: 1, max: MOST })
  if (refusal !== null) return refusal
  const all = order === 'desc' ? items.toReversed() : items
  const start = all.findIndex(({ id }) => id === query.get('after')) + 1
  const data = all.slice(start, start + limit)
  return {
    status: 200,
    body: {
      object: 'list',
      data,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: start + limit < all.length,
    },
  }
}
