/** Every provider keywise knows, one line each. */

import { anthropic } from './anthropic.ts'
import { cerebras } from './cerebras.ts'
import { cloudflare } from './cloudflare.ts'
import { cohere } from './cohere.ts'
import { deepseek } from './deepseek.ts'
import { github } from './github.ts'
import { google } from './google.ts'
import { groq } from './groq.ts'
import { huggingface } from './huggingface.ts'
import { mistral } from './mistral.ts'
import { nvidia } from './nvidia.ts'
import { ollama } from './ollama.ts'
import { openai } from './openai.ts'
import { openrouter } from './openrouter.ts'
import type { ProviderSpec } from './provider.ts'
import { sambanova } from './sambanova.ts'
import { together } from './together.ts'
import { xai } from './xai.ts'
import { zai } from './zai.ts'

export const catalog: readonly ProviderSpec[] = [
  groq,
  google,
  openrouter,
  openai,
  anthropic,
  ollama,
  sambanova,
  cerebras,
  mistral,
  deepseek,
  xai,
  nvidia,
  cloudflare,
  cohere,
  together,
  huggingface,
  zai,
  github,
]

const byName = new Map(catalog.flatMap((spec) => [spec.id, ...(spec.aliases ?? [])].map((name) => [name, spec])))

/** The provider of that id or alias, in any case of letters; undefined when there is none. */
export function findProvider(id: string): ProviderSpec | undefined {
  return byName.get(id.toLowerCase())
}
