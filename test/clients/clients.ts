/** The clients of the matrix: where each comes from, which program speaks for it, and what its errors are called. */

import type { Errors } from './features.ts'

/** `aider` is Python in an environment of its own: it demands older packages than the other clients. */
export type Language = 'python' | 'aider' | 'node' | 'go'

export interface Client {
  readonly name: string
  /** By which `npm run test:clients -- NAME` chooses it beside its own name. */
  readonly family: string
  readonly language: Language
  /** The module of the program that speaks for it. */
  readonly program: string
  /** Which of several ways of the program. */
  readonly variant?: string
  /** Whose version is shown. */
  readonly package: string
  readonly errors: Errors
  /** Features that its program has and this way of it has not. */
  readonly lacks?: readonly string[]
}

const python = (name: string, family: string, program: string, errors: Errors, more: Partial<Client> = {}): Client => ({
  name: `Python ${name}`,
  family,
  language: 'python',
  program: `client_${program}`,
  package: family,
  errors,
  ...more,
})

const STAINLESS = { limit: 'RateLimitError', request: 'BadRequestError', token: 'AuthenticationError' }
const all = (name: string): Errors => ({ limit: name, request: name, token: name })

const langchainErrors = (vendor: string): Errors => ({
  limit: `${vendor}RateLimitError`,
  request: `${vendor}InvalidRequestError`,
  token: `${vendor}AuthenticationError`,
})

const litellm = (variant: string, more: Partial<Client> = {}) =>
  python(`litellm ${variant}/`, 'litellm', 'litellm', STAINLESS, { variant, ...more })

const langchain = (variant: string, name: string, errors: Errors, more: Partial<Client> = {}) =>
  python(name, 'langchain', 'langchain', errors, { variant, package: name, ...more })

const pydantic = (variant: string) =>
  python(`pydantic-ai ${variant}`, 'pydantic-ai', 'pydantic_ai', all('ModelHTTPError'), {
    variant,
    package: 'pydantic-ai-slim',
  })

const instructor = (variant: string) =>
  python(`instructor ${variant}`, 'instructor', 'instructor', STAINLESS, { variant })

const openaiAgents = (variant: string) =>
  python(`openai-agents ${variant}`, 'openai-agents', 'openai_agents', STAINLESS, { variant })

const go = (name: string, program: string, errors: Errors): Client => ({
  name: `Go ${name}`,
  family: name,
  language: 'go',
  program,
  package: name,
  errors,
})

const node = (name: string, program: string, errors: Errors, more: Partial<Client> = {}): Client => ({
  name: `node ${name}`,
  family: name.split(' ')[0] ?? name,
  language: 'node',
  program: `client_${program}`,
  package: name.split(' ')[0] ?? name,
  errors,
  ...more,
})

const langchainNode = (name: string, variant: string, errors: Errors, more: Partial<Client> = {}) =>
  node(name, 'langchain', errors, { family: 'langchain', variant, ...more })

const agents = (variant: string) => node(`@openai/agents ${variant}`, 'agents', STAINLESS, { variant })

const pi = (variant: string) =>
  node(`@mariozechner/pi-coding-agent ${variant}`, 'pi', all('ProgramError'), {
    family: 'pi',
    variant,
    lacks: ['usage'],
  })

const continued = (variant: string) =>
  node(`@continuedev/cli ${variant}`, 'continue', all('ProgramError'), {
    family: 'continue',
    variant,
    lacks: ['usage'],
  })

const OPENROUTER = {
  limit: 'TooManyRequestsResponseError',
  request: 'BadRequestResponseError',
  token: 'UnauthorizedResponseError',
}

export const CLIENTS: readonly Client[] = [
  python('openai chat', 'openai', 'openai_chat', STAINLESS),
  python('openai responses', 'openai', 'openai_responses', STAINLESS),
  python('anthropic', 'anthropic', 'anthropic', STAINLESS),
  python('google-genai', 'google-genai', 'google_genai', all('ClientError')),
  litellm('openai'),
  litellm('anthropic', { lacks: ['embeddings'] }),
  litellm('gemini'),
  litellm('openrouter'),
  litellm('groq', { lacks: ['embeddings'] }),
  langchain('openai', 'langchain-openai', langchainErrors('OpenAI')),
  langchain('anthropic', 'langchain-anthropic', langchainErrors('Anthropic'), { lacks: ['embeddings'] }),
  langchain('google', 'langchain-google-genai', langchainErrors('Google')),
  python('mistralai', 'mistralai', 'mistralai', all('SDKError')),
  python('groq', 'groq', 'groq', STAINLESS),
  pydantic('chat'),
  pydantic('responses'),
  pydantic('google'),
  instructor('tools'),
  instructor('json_schema'),
  instructor('anthropic'),
  openaiAgents('chat'),
  openaiAgents('responses'),
  python('llama-index', 'llama-index', 'llama_index', STAINLESS, { package: 'llama-index-llms-openai-like' }),
  python('smolagents', 'smolagents', 'smolagents', STAINLESS),
  python('llm', 'llm', 'llm', STAINLESS),
  python('aider', 'aider', 'aider', STAINLESS, { language: 'aider', package: 'aider-chat' }),
  node('openai chat', 'openai_chat', STAINLESS),
  node('openai responses', 'openai_responses', STAINLESS),
  node('@anthropic-ai/sdk', 'anthropic', STAINLESS),
  node('@google/genai', 'google_genai', all('ApiError')),
  langchainNode('@langchain/openai', 'openai', STAINLESS),
  langchainNode('@langchain/anthropic', 'anthropic', STAINLESS, { lacks: ['embeddings'] }),
  langchainNode('@langchain/google-genai', 'google', all('GoogleGenerativeAIFetchError')),
  node('@mistralai/mistralai', 'mistral', all('SDKError')),
  node('@openrouter/sdk', 'openrouter', OPENROUTER),
  agents('chat'),
  agents('responses'),
  node('@anthropic-ai/claude-agent-sdk', 'agent_sdk', all('ResultError')),
  pi('openai-completions'),
  pi('openai-responses'),
  pi('anthropic-messages'),
  continued('openai'),
  continued('anthropic'),
  node('cline', 'cline', all('ProgramError')),
  go('openai-go', 'openai', all('apierror.Error')),
  go('anthropic-sdk-go', 'anthropic', all('apierror.Error')),
  go('genai', 'genai', all('genai.APIError')),
]

/** All of them, or those of the given names and families. */
export function chosen(words: readonly string[]): readonly Client[] {
  if (words.length === 0) return CLIENTS
  return CLIENTS.filter(({ name, family, language }) =>
    words.some((word) => [name, family, language].some((one) => one.toLowerCase() === word.toLowerCase())),
  )
}
