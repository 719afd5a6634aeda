/** Whether a provider quotes the request in what it says of it: its words are in no alert then. */

import type { ChatRequest } from '../domain/chat.ts'

/** A quotation has so many characters, or is a whole text of the request; a shorter run is a coincidence. */
const RUN = 20
const LEAST_OF_A_TEXT = 6

export function quotesRequest(words: string, { messages }: Pick<ChatRequest, 'messages'>): boolean {
  const said = plain(words)
  return messages
    .flatMap(({ content }) => content.flatMap((part) => (part.type === 'text' ? [plain(part.text)] : [])))
    .some((text) => (text.length < RUN ? text.length >= LEAST_OF_A_TEXT && said.includes(text) : haveRun(said, text)))
}

function haveRun(said: string, text: string): boolean {
  for (let from = 0; from + RUN <= said.length; from++) if (text.includes(said.slice(from, from + RUN))) return true
  return false
}

const plain = (text: string) => text.replace(/\s+/g, ' ').trim().toLowerCase()
