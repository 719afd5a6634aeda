/**
 * What the price list says otherwise, or besides, since the release that npm has. The list's Python edition is released
 * more often; both were compared, for the providers named here. What is not named here is the same in both, but for what
 * is not taken over: Gemini's searches, of whose free allowance neither knows, the minutes of audio in Voxtral's chats,
 * models of robots, and Cloudflare's classifiers.
 */

import type { ModelPrice } from '@pydantic/genai-prices'

/** https://github.com/pydantic/genai-prices: the release that was compared, and its day. */
export const NEWER_PRICES = { version: '0.2.3', date: '2026-11-10' } as const

/** Prices per million tokens in USD, by the names of the list. */
export interface NewerPrice {
  /** ISO time from which it applies; default: always. */
  readonly from?: string
  /** Rule of the hours in which it applies; default: all. */
  readonly hours?: string
  readonly prices: ModelPrice
}

/** A model and its prices, of which the last that applies is used. */
type NewerModel = readonly [match: RegExp, ...prices: NewerPrice[]]

/** The prices of the list's provider for the model; undefined where the release that npm has is up to date. */
export function newerPrices(provider: string, model: string): readonly NewerPrice[] | undefined {
  const found = MODELS[provider]?.find(([match]) => match.test(model))
  return found?.slice(1) as NewerPrice[] | undefined // without its first, they are prices
}

/** "Prompts with more than 272K input tokens" are the long ones; the older list has the border one token too low. */
export const borderOf = (start: number): number => (start === 271_999 ? 272_000 : start)

const above = (base: number, start: number, price: number) => ({ base, tiers: [{ start, price }] })
const always = (prices: ModelPrice): NewerPrice => ({ prices })
const plain = (input_mtok: number, output_mtok: number, cache_read_mtok?: number): NewerPrice =>
  always({ input_mtok, output_mtok, ...(cache_read_mtok !== undefined && { cache_read_mtok }) })

const OPENAI_TOOLS = { web_searches_kcount: 10, storage_searches_kcount: 2.5 }

/** Above the border twice the price of the input, and half as much again of the output. */
const gpt = (input: number, cached: number, output: number, tools: ModelPrice = OPENAI_TOOLS): NewerPrice =>
  always({
    input_mtok: above(input, 272_000, 2 * input),
    cache_write_mtok: above(1.25 * input, 272_000, 2.5 * input),
    cache_read_mtok: above(cached, 272_000, 2 * cached),
    output_mtok: above(output, 272_000, 1.5 * output),
    ...tools,
  })

const research = (input: number, cached: number, output: number): NewerPrice =>
  always({ input_mtok: input, cache_read_mtok: cached, output_mtok: output, ...OPENAI_TOOLS })

/** Written for five minutes at 1.25 times the input, for an hour at twice. */
const claude = (input: number, cached: number, output: number): NewerPrice =>
  always({
    input_mtok: input,
    cache_write_mtok: 1.25 * input,
    cache_write_1h_mtok: 2 * input,
    cache_read_mtok: cached,
    output_mtok: output,
    web_searches_kcount: 10,
  })

const grok = (input: number, cached: number, output: number) => ({
  input_mtok: above(input, 199_999, 2 * input),
  cache_read_mtok: above(cached, 199_999, 2 * cached),
  output_mtok: above(output, 199_999, 2 * output),
})
const GROK_4_20: readonly NewerPrice[] = [
  always(grok(2, 0.2, 6)),
  { from: '2026-04-30T00:00:00Z', prices: grok(1.25, 0.2, 2.5) },
]

/**
 * "Peak hours are 01:00 - 04:00 and 06:00 - 10:00 UTC, Monday through Friday, excluding Chinese public holidays. All other
 * hours are off-peak" (https://api-docs.deepseek.com/quick_start/pricing, as copied on 2026-09-21 by
 * https://github.com/wingsky-1/dsh-plugin-hub/issues/945); its Chinese page counts the days by Beijing's clock. On those
 * holidays the price is an upper bound: their days are decided year by year.
 */
const PEAK_HOURS = ['mon-fri 9-12 Asia/Shanghai', 'mon-fri 14-18 Asia/Shanghai'] as const

/** Off-peak rates are half of these. */
const peakAndHalf = (input: number, cached: number, output: number, from?: string): readonly NewerPrice[] => {
  const since = from === undefined ? {} : { from }
  const rates = (times: number): NewerPrice => ({ ...since, ...plain(input * times, output * times, cached * times) })
  return [rates(0.5), ...PEAK_HOURS.map((hours) => ({ ...rates(1), hours }))]
}

const DEEPSEEK_FLASH = peakAndHalf(0.3, 0.006, 1.2)
const WITH_PEAKS = '2026-08-16T16:00:00Z'
/** Since then the old name is answered, and billed, as `deepseek-flash`: https://api-docs.deepseek.com/updates */
const AS_FLASH = '2026-09-10T04:00:00Z'

/** Gemini's introductory prices end with the year. */
const NEW_YEAR = '2027-01-01T00:00:00Z'
const spoken = (input: number, output: number): NewerPrice =>
  always({ input_mtok: input, output_mtok: output, output_audio_mtok: output })

const recordings = (input_audio_hours: number): NewerPrice => always({ input_audio_hours })
const GPT_IMAGE = always({
  input_mtok: 5,
  cache_read_mtok: 1.25,
  output_mtok: 30,
  input_image_mtok: 8,
  cache_image_read_mtok: 2,
})

const MODELS: Readonly<Record<string, readonly NewerModel[]>> = {
  openai: [
    [/^gpt-6\.1-sol(?:-\d{4}-\d\d-\d\d)?$/, gpt(2, 0.1, 10)],
    [/^gpt-6\.1-terra(?:-\d{4}-\d\d-\d\d)?$/, gpt(1, 0.05, 5)],
    [/^gpt-6-rosalind$/, gpt(15, 1.5, 75, {})],
    [/^gpt-rosalind-(?:discovery|research)$/, plain(5, 25, 0.5)],
    [/^gpt-6-cyber$/, always({ input_mtok: 20, cache_write_mtok: 25, cache_read_mtok: 2, output_mtok: 100 })],
    [
      /^gpt-5\.6-cyber$/,
      always({ input_mtok: 12.5, cache_write_mtok: 15.625, cache_read_mtok: 1.25, output_mtok: 75 }),
    ],
    [/^gpt-5\.5-cyber$/, plain(12.5, 75), { ...plain(12.5, 75, 1.25), from: '2026-10-19T00:00:00Z' }],
    [/^chat-latest$/, plain(5, 30, 0.5)],
    [/^gpt-5-search-api$/, plain(1.25, 10, 0.125)],
    [/^o3-deep-research(?:-2025-06-26)?$/, research(10, 2.5, 40)],
    [/^o4-mini-deep-research(?:-2025-06-26)?$/, research(2, 0.5, 8)],
    [/^davinci-002$/, plain(2, 2)],
    [/^babbage-002$/, plain(0.4, 0.4)],
    [/^gpt-image-2\.5-(?:flare|sunburst)(?:-2026-09-08)?$/, GPT_IMAGE],
    [
      /^chatgpt-image-latest$/,
      always({
        input_mtok: 5,
        cache_read_mtok: 1.25,
        output_mtok: 10,
        input_image_mtok: 8,
        cache_image_read_mtok: 2,
        output_image_mtok: 32,
      }),
    ],
  ],
  anthropic: [
    [/^claude-(?:fable|mythos)-5-2(?:-\d{8})?$/, claude(8, 0.2, 40)],
    [/^claude-(?:sonnet-5[-.]5|5[-.]5-sonnet)/, claude(2, 0.1, 10)],
    [
      /^claude-(?:haiku-5[-.]5|5[-.]5-haiku)/,
      always({
        input_mtok: above(0.1, 100_000, 0.5),
        cache_write_mtok: above(0.125, 100_000, 0.625),
        cache_write_1h_mtok: above(0.2, 100_000, 1),
        cache_read_mtok: above(0.01, 100_000, 0.05),
        output_mtok: above(0.5, 100_000, 2.5),
        web_searches_kcount: 10,
      }),
    ],
  ],
  google: [
    [/^gemini-4-argon(?:$|-preview|-\d)/, plain(2, 10, 0.1), { ...plain(4, 20, 0.2), from: '2026-12-01T00:00:00Z' }],
    [/^gemini-flash-latest$/, plain(0.75, 3.75, 0.075), { ...plain(1.5, 7.5, 0.15), from: NEW_YEAR }],
    [/^gemini-flash-lite-latest$/, plain(0.3, 2.5, 0.03)],
    [
      /^gemini-pro-latest$/,
      always({
        input_mtok: above(2, 200_000, 4),
        cache_read_mtok: above(0.2, 200_000, 0.4),
        output_mtok: above(12, 200_000, 18),
      }),
    ],
    [/^gemini-3\.8-flash-tts$/, spoken(0.5, 9), { ...spoken(1, 18), from: NEW_YEAR }],
    [/^gemini-3\.8-flash-lite-tts$/, spoken(0.5, 6), { ...spoken(1, 12), from: NEW_YEAR }],
    [/^gemini-3\.1-flash-tts-preview$/, spoken(1, 20)],
    [
      /^gemini-3\.8-live/,
      always({
        input_mtok: 0.75,
        input_audio_mtok: 3,
        input_image_mtok: 1,
        input_video_mtok: 1,
        output_mtok: 4.5,
        output_audio_mtok: 12,
      }),
    ],
    [/^gemini-omni-1\.1-flash$/, always({ input_mtok: 1.5, output_mtok: 9, output_video_mtok: 17.5 })],
    [/^gemini-nano-banana-2\.1$/, always({ input_mtok: 1.5, output_mtok: 7.5, output_image_mtok: 30 })],
  ],
  groq: [
    [/^qwen\/qwen3\.8-27b$/, plain(0.8, 4)],
    [/^openai\/gpt-oss-safeguard-20b$/, plain(0.075, 0.3, 0.0375)],
    [/^meta-llama\/llama-prompt-guard-2-22m$/, plain(0.03, 0.03)],
    [/^meta-llama\/llama-prompt-guard-2-86m$/, plain(0.04, 0.04)],
  ],
  deepseek: [
    [/^deepseek-flash$/, ...DEEPSEEK_FLASH],
    [
      /^deepseek-v4-flash/,
      plain(0.14, 0.28, 0.0028),
      ...peakAndHalf(0.44, 0.014, 1.32, WITH_PEAKS),
      ...peakAndHalf(0.3, 0.006, 1.2, AS_FLASH),
    ],
    [/^deepseek-v4-pro/, plain(0.435, 0.87, 0.003625), ...peakAndHalf(1.32, 0.044, 3.96, WITH_PEAKS)],
  ],
  mistral: [
    [
      /^mistral-large-4(?:-0)?$/,
      plain(0.68, 2.09, 0.07),
      { ...plain(1.36, 4.18, 0.14), from: '2026-10-20T00:00:00Z' },
      { ...plain(0.7, 2.1, 0.07), from: '2026-10-29T00:00:00Z' },
    ],
    [/^mistral-medium-2604$/, plain(1.5, 7.5, 0.15)],
    [/^mistral-embed-2312$/, plain(0.1, 0.1)],
    [/^mistral-small-latest$/, plain(0.1, 0.3), { ...plain(0.15, 0.6, 0.015), from: '2026-03-16T00:00:00Z' }],
    [/^mistral-small-(?:2506|3\.2-24b-instruct)$/, plain(0.1, 0.3)],
    [/^(?:open-)?mixtral-8x22b(?:-instruct)?$/, plain(2, 6)],
    [/^deepseek-v4-1-flash-1017$/, plain(0.3, 1.2, 0.007)],
    [/^zai-glm-5-3$/, plain(1.4, 4.4, 0.14)],
    [/^zai-glm-5-3-flash$/, plain(0.15, 0.5, 0.03)],
    [/^codestral-embed(?:-2505)?$/, always({ input_mtok: 0.15, cache_read_mtok: 0.015 })],
    [/^voxtral-mini-transcribe-3-0$/, recordings(0.21)],
    [/^voxtral-small-transcribe-3-0$/, recordings(0.24)],
    [/^voxtral-mini-transcribe-realtime-2602$/, recordings(0.36)],
    [/^voxtral-mini-transcribe-realtime-3-0$/, recordings(0.48)],
  ],
  cerebras: [[/^qwen-3\.8-27b$/, plain(0.99, 1.49)]],
  'x-ai': [
    [/^grok-4\.7(?:-\d{8}|-latest)?$/, always(grok(2, 0.5, 6))],
    [/^grok-4\.20(?:-0309-(?:non-)?reasoning)?$/, ...GROK_4_20],
    [/^grok-4\.20-multi-agent(?:-beta)?(?:-0309|-latest)?$/, ...GROK_4_20],
  ],
  zai: [
    [/^glm-5\.3-flash$/i, plain(0.075, 0.25, 0.015), { ...plain(0.15, 0.5, 0.03), from: '2026-09-10T00:00:00Z' }],
    [/^glm-5\.3-flashx(?:-legal)?$/i, plain(0.37, 1.25, 0.075)],
    [/^glm-5\.1$/i, plain(1.4, 4.4, 0.26)],
    [/^glm-5$/i, plain(1, 3.2, 0.2)],
    [/^glm-4\.7$/i, plain(0.6, 2.2, 0.11)],
    [/^glm-4\.7-flashx$/i, plain(0.07, 0.4, 0.01)],
    [/^glm-4\.6$/i, plain(0.6, 2.2, 0.11)],
    [/^glm-4\.6v$/i, plain(0.3, 0.9, 0.05)],
    [/^glm-4\.6v-flashx$/i, plain(0.04, 0.4, 0.004)],
    [/^glm-4\.5$/i, plain(0.6, 2.2, 0.11)],
    [/^glm-4\.5-air$/i, plain(0.2, 1.1, 0.03)],
    [/^glm-4\.5-airx$/i, plain(1.1, 4.5, 0.22)],
    [/^glm-4\.5-x$/i, plain(2.2, 8.9, 0.45)],
    [/^glm-4\.5v$/i, plain(0.6, 1.8, 0.11)],
    [/^glm-4-32b-0414-128k$/i, plain(0.1, 0.1)],
    [/^glm-ocr$/i, plain(0.03, 0.03)],
  ],
  cloudflare: [
    [/^@cf\/deepseek-ai\/deepseek-v4\.1-flash-1017$/, plain(0.3, 1.2, 0.006)],
    [/^@cf\/zai-org\/glm-5\.3$/, plain(1.4, 4.4, 0.26)],
    [/^@cf\/daily-co\/phonellm-mini-alpha-2$/, plain(0.06, 0.24)],
  ],
}
