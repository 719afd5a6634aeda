/** The headers in which each provider states its limits, in its own spelling; most differ. */

import { findProvider } from '../../providers/catalog.ts'
import type { LimitState } from './limits.ts'

type FakeHeaders = Record<string, string>
/** Adds what a provider says of one limit. */
type Fashion = (headers: FakeHeaders, state: LimitState, now: number) => void

const secondsLeft = (state: LimitState, now: number) => Math.max(0, state.resetsAt - now) / 1000

// https://developers.openai.com/api/docs/guides/rate-limits, https://console.groq.com/docs/rate-limits
const bare: (windows: { readonly requests?: string; readonly tokens?: string }) => Fashion =
  (windows) => (headers, state, now) => {
    const { unit, window } = state.limit
    if (windows[unit] === window) put(headers, `x-ratelimit-{}-${unit}`, state, goDuration(secondsLeft(state, now)))
  }

// https://docs.anthropic.com/en/api/rate-limits
const anthropic: Fashion = (headers, state) => {
  if (state.limit.window !== 'minute') return
  const reset = new Date(Math.ceil(state.resetsAt / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  put(headers, `anthropic-ratelimit-${state.limit.unit}-{}`, state, reset)
}

// https://inference-docs.cerebras.ai/support/rate-limits: the window is in the name, the reset is seconds.
const windowInName: Fashion = (headers, state, now) =>
  put(headers, `x-ratelimit-{}-${state.limit.unit}-${state.limit.window}`, state, secondsLeft(state, now).toFixed(3))

// Seen at Mistral: requests are "req", and the end of the window is not stated.
const mistral: Fashion = (headers, state) => {
  const unit = state.limit.unit === 'requests' ? 'req' : 'tokens'
  put(headers, `x-ratelimit-{}-${unit}-${state.limit.window}`, state, null)
}

// https://docs.sambanova.ai/docs/en/models/rate-limits: the day has a name of its own, resets are epoch seconds.
const sambanova: Fashion = (headers, state) => {
  const { unit, window } = state.limit
  if (unit !== 'requests' || (window !== 'minute' && window !== 'day')) return
  const name = window === 'day' ? 'x-ratelimit-{}-requests-day' : 'x-ratelimit-{}-requests'
  put(headers, name, state, String(Math.ceil(state.resetsAt / 1000)))
}

// https://docs.together.ai/docs/rate-limits
const together: Fashion = (headers, state, now) => {
  const name = state.limit.unit === 'requests' ? 'x-ratelimit-{}' : 'x-tokenlimit-{}'
  put(headers, name, state, secondsLeft(state, now).toFixed(0))
}

const silent: Fashion = () => {}

const FASHIONS: Readonly<Record<string, Fashion>> = {
  anthropic,
  cohere: silent,
  deepseek: silent,
  google: silent,
  mistral,
  nvidia: silent,
  ollama: silent,
  // Only refusals carry them: `refusalHeaders`.
  openrouter: silent,
  sambanova,
  together,
  xai: silent,
}

/** The limit headers of every answer of the provider. An unknown provider speaks like Cerebras. */
export function limitHeaders(provider: string, states: readonly LimitState[], now: number): FakeHeaders {
  const headers: FakeHeaders = {}
  const windows = findProvider(provider)?.limitWindows
  const own = Object.hasOwn(FASHIONS, provider) ? FASHIONS[provider] : undefined
  const fashion = own ?? (windows === undefined || provider === 'cerebras' ? windowInName : bare(windows))
  for (const state of states) fashion(headers, state, now)
  return headers
}

function put(headers: FakeHeaders, name: string, state: LimitState, reset: string | null): void {
  headers[name.replace('{}', 'limit')] = String(state.limit.limit)
  headers[name.replace('{}', 'remaining')] = String(state.remaining)
  if (reset !== null) headers[name.replace('{}', 'reset')] = reset
}

/** `2m59.56s`, `120ms`, as Go prints durations. */
export function goDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = Number((seconds % 60).toFixed(3))
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${rest}s`
}
