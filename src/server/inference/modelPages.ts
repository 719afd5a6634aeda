/** Pages of the models list, as Anthropic's and Google's clients ask for them. Without a size the page is the whole list. */

import type { DialectId } from '../../domain/chat.ts'
import { textIn, wholeIn, wrongParameter } from '../query.ts'
import { modelRow, openaiEnvelope } from './modelFields.ts'
import type { ServedModel } from './servedModels.ts'

type Pages = (all: readonly ServedModel[], query: URLSearchParams) => unknown

const openaiList: Pages = (all) => openaiEnvelope(all.map((model) => modelRow(model, 'openai')))

const LISTS: { readonly [D in DialectId]: Pages } = {
  openai: openaiList,
  'openai-responses': openaiList,
  anthropic: anthropicPage,
  google: googlePage,
}

/** The body of a list. Throws InvalidRequestError for a size or a place that is none. */
export function modelsPage(all: readonly ServedModel[], dialect: DialectId, query: URLSearchParams): unknown {
  return LISTS[dialect](all, query)
}

// https://platform.claude.com/docs/en/api/models-list, read 2026-11-29: 1 to 1000; `has_more` is about the direction asked.
function anthropicPage(all: readonly ServedModel[], query: URLSearchParams): unknown {
  const limit = wholeIn(query, 'limit', { least: 1, most: MOST }) ?? all.length
  const [after, before] = [textIn(query, 'after_id'), textIn(query, 'before_id')]
  if (after && before) throw wrongParameter('after_id', 'and before_id exclude each other')
  const from = after ? placeOf(all, after, 'after_id') + 1 : 0
  const to = before ? placeOf(all, before, 'before_id') : all.length
  const page = before ? all.slice(Math.max(0, to - limit), to) : all.slice(from, from + limit)
  return {
    data: page.map((model) => modelRow(model, 'anthropic')),
    has_more: before ? to > limit : from + limit < all.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  }
}

// https://ai.google.dev/api/models#method:-models.list, read 2026-11-29: more than 1000 counts as 1000, 0 as nothing said.
function googlePage(all: readonly ServedModel[], query: URLSearchParams): unknown {
  const asked = wholeIn(query, 'pageSize', INT32) ?? wholeIn(query, 'page_size', INT32)
  const size = Math.min(asked || all.length, Math.max(MOST, all.length))
  const token = textIn(query, 'pageToken') || textIn(query, 'page_token')
  const from = token ? placeOf(all, lastOf(token), 'pageToken') + 1 : 0
  const page = all.slice(from, from + size)
  const last = page.at(-1)
  return {
    models: page.map((model) => modelRow(model, 'google')),
    ...(last !== undefined && from + size < all.length && { nextPageToken: tokenAfter(last) }),
  }
}

const MOST = 1000
/** What Google's field can hold. */
const INT32 = { least: 0, most: 2 ** 31 - 1 }

/** The id that a page ended with: a list that changes meanwhile neither repeats nor skips others. */
const tokenAfter = ({ id }: ServedModel) => Buffer.from(id).toString('base64url')
const lastOf = (token: string) => Buffer.from(token, 'base64url').toString()

function placeOf(all: readonly ServedModel[], id: string, name: string): number {
  const place = all.findIndex((model) => model.id === id)
  if (place < 0) throw wrongParameter(name, 'names no model of this list; begin again without it')
  return place
}
