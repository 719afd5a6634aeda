/**
 * What vectors are for, in the words of Gemini (`taskType`: https://ai.google.dev/api/embeddings#TaskType) and of the
 * servers of OpenAI's form that have a field for it (`input_type`: https://docs.cohere.com/reference/embed,
 * https://docs.nvidia.com/nim/nemo-retriever/text-embedding/2.2.0/reference.html). Read 2026-11-30.
 */

import { asString } from '../../domain/json.ts'
import type { VectorTask } from '../../domain/wireFacts.ts'
import type { Fields } from '../fields/requestFields.ts'

const TASKS: ReadonlyMap<string, VectorTask> = new Map([
  ['RETRIEVAL_QUERY', 'query'],
  ['RETRIEVAL_DOCUMENT', 'document'],
  ['CLASSIFICATION', 'classification'],
  ['CLUSTERING', 'clustering'],
  // Queries of a certain kind, which the others have no word for.
  ['QUESTION_ANSWERING', 'query'],
  ['FACT_VERIFICATION', 'query'],
  ['CODE_RETRIEVAL_QUERY', 'query'],
  ['search_query', 'query'],
  ['query', 'query'],
  ['search_document', 'document'],
  ['passage', 'document'],
  ['document', 'document'],
  ['classification', 'classification'],
  ['clustering', 'clustering'],
])

const GOOGLE: { readonly [T in VectorTask]: string } = {
  query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
}

/** The fields in which clients say it; their own word for Gemini goes before the others'. */
export const TASK_FIELDS = ['taskType', 'task_type', 'input_type'] as const

/** The task that the fields say, and the field; undefined for none. */
export function taskIn(fields: Fields): { readonly field: string; readonly word: unknown } | undefined {
  const field = TASK_FIELDS.find((name) => fields[name] != null)
  return field === undefined ? undefined : { field, word: fields[field] }
}

/** As Gemini says it: its own words stay; undefined for a word that is not known. */
export function googleTask(fields: Fields): unknown {
  const said = taskIn(fields)
  if (said === undefined || said.field !== 'input_type') return said?.word
  const task = TASKS.get(asString(said.word) ?? '')
  return task && GOOGLE[task]
}

/** In the words of a service that has a field for it; undefined where it has none for this. */
export function taskWord(fields: Fields, words: { readonly [T in VectorTask]?: string }): string | undefined {
  const said = taskIn(fields)
  const task = said && TASKS.get(asString(said.word) ?? '')
  return task && words[task]
}
