import { expect, test } from 'vitest'
import { clientKind } from './clientKind.ts'

test.each<[userAgent: string | undefined, kind: string]>([
  ['mistral-client-python/1.9.2', 'mistral-client-python'],
  ['OpenAI/Python 2.54.0', 'OpenAI/Python'],
  ['AsyncOpenAI/JS 6.1.0', 'AsyncOpenAI/JS'],
  ['claude-cli/2.0.14 (external, cli)', 'claude-cli'],
  ['GeminiCLI/v0.61.0/gemini-3-pro (linux; x64)', 'GeminiCLI'],
  ['ai-sdk/openai/3.0.1 runtime/node.js/24', 'ai-sdk/openai'],
  ['google-genai-sdk/1.2.0 gl-python/3.13', 'google-genai-sdk'],
  ['node', 'node'],
  ['  curl/8.5.0', 'curl'],
  ['x'.repeat(1000), 'x'.repeat(64)],
  ['/1.2', '?'],
  ['', '?'],
  [undefined, '?'],
])('%s is of the kind %s', (userAgent, kind) => {
  expect(clientKind(userAgent)).toBe(kind)
})
