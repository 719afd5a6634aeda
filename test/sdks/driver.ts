/** What every official client must manage through the gateway; one driver per client says how it says it. */

export interface Said {
  readonly text: string
  /** Null where the client shows none. */
  readonly outputTokens: number | null
}

export interface Called {
  readonly name: string
  readonly arguments: unknown
}

export interface ToolRun {
  readonly calls: readonly Called[]
  /** What the model said after it was given the results. */
  readonly answer: string
}

export interface Place {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly token: string
}

export interface Driver {
  readonly name: string
  plain(model: string, prompt: string): Promise<Said>
  /** Reads a stream to its end. Rejects when it broke, or comes back not complete where the client shows it so. */
  stream(model: string, signal?: AbortSignal, onText?: () => void): Promise<Said & { readonly complete: boolean }>
  /** Gives two tools, runs what is called (also in parallel), hands the results back, and returns the final answer. */
  tools(model: string): Promise<ToolRun>
  /** The same over a stream; null where the client has no other way. */
  streamedTools?(model: string): Promise<readonly Called[]>
  reasoning?: ((model: string) => Promise<string>) | undefined
  /** An answer in the shape of `SCHEMA`. */
  structured(model: string): Promise<unknown>
  image(model: string): Promise<string>
}

export const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, warm: { type: 'boolean' } },
  required: ['city', 'warm'],
  additionalProperties: false,
} as const

export const PROMPT = 'What is the weather, and what time is it?'
export const TOOLS = [
  { name: 'weather', description: 'The weather of a city', field: 'city' },
  { name: 'clock', description: 'The time in a zone', field: 'zone' },
] as const

export function parametersOf(field: string) {
  return { type: 'object' as const, properties: { [field]: { type: 'string' } }, required: [field] }
}

/** What the tool of that name comes back with. */
export function resultOf(name: string): string {
  return name === 'weather' ? 'sunny' : 'noon'
}

/** A red pixel. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
