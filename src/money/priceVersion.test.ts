import { describe, expect, test } from 'vitest'
import { flat, type UserPrice } from './price.ts'
import { termsOf, versioned } from './priceVersion.ts'

const base: UserPrice = { input: 1, output: 2 }
const every: Required<UserPrice> = {
  input: 3,
  output: 4,
  cachedInput: 0.5,
  cacheWrite: 0.5,
  reasoning: 0.5,
  request: 0.5,
  cacheWrite1h: 0.5,
  inputAudio: 0.5,
  inputImage: 0.5,
  inputVideo: 0.5,
  cachedAudio: 0.5,
  cachedImage: 0.5,
  outputAudio: 0.5,
  outputImage: 0.5,
  outputVideo: 0.5,
  audioHour: 0.5,
  leastAudioSeconds: 10,
  image: 0.5,
  characters: 0.5,
  tools: { web_search: 10 },
  tiers: { flex: 0.5 },
  hours: { '9-18 UTC': 0.5 },
}
const versionOf = (price: UserPrice) => versioned(flat('config', price)).source

describe('the version of a price', () => {
  test('is the same for the same numbers, in whatever order they stand', () => {
    const backwards = Object.fromEntries(Object.entries(every).toReversed()) as unknown as UserPrice
    expect(versionOf(backwards)).toBe(versionOf(every))
    expect(versionOf(base)).toMatch(/^config [0-9a-f]{8}$/)
  })

  for (const name of Object.keys(every) as (keyof UserPrice)[])
    test(`changes with ${name}`, () => expect(versionOf({ ...base, [name]: every[name] })).not.toBe(versionOf(base)))

  test('says what a price by units is, as the configuration spells it', () => {
    const { rates } = termsOf(
      flat('config', { input: 0, output: 0, audioHour: 0.111, leastAudioSeconds: 10, image: 0.04 }),
    )
    expect(rates).toMatchObject([{ audio_hour: 0.111, least_audio_seconds: 10, image: 0.04 }])
  })
})
