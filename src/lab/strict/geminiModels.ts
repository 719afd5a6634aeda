/** What the name of a model says: https://ai.google.dev/gemini-api/docs/models */

interface GeminiFacts {
  /** 2.5, 3.1; the names without a number stand for the newest. */
  readonly version: number
  readonly kind: 'pro' | 'flash' | 'lite'
}

/** Null for other names, Gemma among them. */
export function geminiFacts(model: string): GeminiFacts | null {
  const name = model.replace(/^models\//, '')
  const match = /^gemini-(?:(\d+(?:\.\d+)?)-)?(pro|flash)(-lite)?/.exec(name)
  if (!match) return null
  const kind = match[3] ? 'lite' : match[2] === 'pro' ? 'pro' : 'flash'
  return { version: match[1] === undefined ? Number.POSITIVE_INFINITY : Number(match[1]), kind }
}

/** Gemma up to 3 has no system instruction, no functions, no JSON mode and no thinking. */
export function isPlainGemma(model: string): boolean {
  return /^(?:models\/)?gemma-[123](?!\d)/.test(model)
}

/** As error messages spell it. */
export const fullName = (model: string) => `models/${model.replace(/^models\//, '')}`
