/**
 * The results of Gemini's function calls as Gemini demands them: those of one turn in one content, each once. Clients
 * that take up a conversation send what they have twice (gemini-cli 0.61.0 with `--resume`), and others give each result
 * a turn of its own (@langchain/google-genai 2.3.2), both seen 2026-11-30.
 */

import { isDeepStrictEqual } from 'node:util'
import { asArray, asRecord } from '../../domain/json.ts'

type Content = Readonly<Record<string, unknown>>

/** The same list where every content is as it should be, and where no repeat is exact. */
export function pairContents(contents: readonly unknown[]): readonly unknown[] {
  const paired: unknown[] = []
  for (const content of contents) {
    const last = paired.at(-1)
    const isJoined = hasOnlyResults(content) && hasOnlyResults(last)
    if (isJoined) paired[paired.length - 1] = { ...last, parts: [...partsOf(last), ...partsOf(content)] }
    else paired.push(content)
  }
  const once = paired.map((content, index) => withoutRepeats(content, paired[index - 1]))
  const isChanged = once.length < contents.length || once.some((content, index) => content !== contents[index])
  return isChanged ? once : contents
}

/** Two calls may well have had the same result: only what is more than the calls can be a repeat. */
function withoutRepeats(content: unknown, before: unknown): unknown {
  if (!hasOnlyResults(content)) return content
  const calls = partsOf(before).filter((part) => isOf(part, 'functionCall', 'function_call')).length
  const parts = partsOf(content)
  let surplus = parts.length - calls
  const kept = parts.filter((part, index) => {
    const isRepeat = surplus > 0 && parts.slice(0, index).some((other) => isDeepStrictEqual(other, part))
    if (isRepeat) surplus--
    return !isRepeat
  })
  return kept.length === parts.length ? content : { ...content, parts: kept }
}

function hasOnlyResults(content: unknown): content is Content {
  const parts = partsOf(content)
  return parts.length > 0 && parts.every((part) => isOf(part, 'functionResponse', 'function_response'))
}

const partsOf = (content: unknown): readonly unknown[] => asArray(asRecord(content)?.['parts']) ?? []

function isOf(part: unknown, ...names: readonly string[]): boolean {
  const fields = asRecord(part)
  return fields !== undefined && names.some((name) => fields[name] != null)
}
