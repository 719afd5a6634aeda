/** The drivers of all official clients, by name. */

import { aiDrivers } from './aiDrivers.ts'
import { anthropicMessages } from './anthropicDriver.ts'
import type { Driver, Place } from './driver.ts'
import { genai } from './genaiDriver.ts'
import { langchain } from './langchainDriver.ts'
import { groq, openaiChat, openaiResponses } from './openaiDrivers.ts'

function all(place: Place): readonly Driver[] {
  return [
    openaiChat(place),
    openaiResponses(place),
    groq(place),
    anthropicMessages(place),
    genai(place),
    genai(place, 'v1beta'),
    ...aiDrivers(place),
    langchain(place),
  ]
}

export const clientNames = all({ origin: 'http://127.0.0.1:9', token: 'none' }).map((driver) => driver.name)

export function clientOf(name: string, place: Place): Driver {
  const driver = all(place).find((one) => one.name === name)
  if (driver === undefined) throw new TypeError(`no client ${name}`)
  return driver
}
