/**
 * Pictures and recordings that the assistant made in earlier turns. Gemini has them among its own words; the other wires
 * take them from the user only ("'image' blocks are not permitted within assistant turns", "Image URLs are only allowed
 * for messages with role 'user'"), so that they are shown with what the user says next.
 */

import type { DialectId, MediaPart, Message, Part, TextPart } from '../../domain/chat.ts'
import { readMediaUrl } from '../fields/dataUrl.ts'
import { mapped } from './mapped.ts'

const HEAD: TextPart = { type: 'text', text: 'From your last answer:' }

export function fitPictures(messages: readonly Message[], dialect: DialectId): readonly Message[] {
  const read = mapped(messages, withRead)
  return dialect === 'google' || !read.some(showsSomething) ? read : shownByUser(read)
}

const isAnswer = ({ role }: Message) => role === 'assistant'
const showsSomething = (message: Message) => isAnswer(message) && message.content.some(isShown)

/** What is known by its own dialect alone is no picture to others. */
function isShown(part: Part): part is MediaPart {
  return (part.type === 'image' || part.type === 'file') && (part.data !== undefined || part.url !== undefined)
}

function shownByUser(messages: readonly Message[]): readonly Message[] {
  const written: Message[] = []
  let held: readonly MediaPart[] = []
  for (const message of messages) {
    if (message.role === 'user' && held.length > 0) {
      written.push({ ...message, content: [HEAD, ...held, ...message.content] })
      held = []
    } else if (showsSomething(message)) {
      held = [...held, ...message.content.filter(isShown)]
      written.push({ ...message, content: message.content.filter((part) => !isShown(part)) })
    } else written.push(message)
  }
  return held.length === 0 ? written : [...written, { role: 'user', content: [HEAD, ...held] }]
}

/** As clients of Anthropic are given the pictures of other models: see `mediaText`. */
const MARKDOWN = /\n*!\[image\]\((data:image\/[\w.+-]+;base64,[A-Za-z0-9+/=]+)\)\n*/

function withRead(message: Message): Message {
  if (!isAnswer(message) || !message.content.some(holdsPicture)) return message
  return { ...message, content: message.content.flatMap((part) => (holdsPicture(part) ? readPictures(part) : [part])) }
}

function holdsPicture(part: Part): part is TextPart {
  return part.type === 'text' && part.text.includes('](data:image/')
}

/** The text and the pictures in it, in turn. */
function readPictures(part: TextPart): readonly Part[] {
  return part.text.split(MARKDOWN).flatMap((piece, index): readonly Part[] => {
    if (index % 2 === 1) return [{ type: 'image', ...readMediaUrl(piece) }]
    return piece === '' ? [] : [{ ...part, text: piece }]
  })
}
