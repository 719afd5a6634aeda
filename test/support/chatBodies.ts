/** Pieces of chat bodies in the form of Chat Completions, for tests of what services refuse in them. */

type Body = Readonly<Record<string, unknown>>

export const HI = { role: 'user', content: 'Hi' }

export const say = (content: unknown, role = 'user') => ({ messages: [{ role, content }] })

export const call = (id: string, more: Body = {}) => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: '{}' },
  ...more,
})

export const calls = (...tool_calls: unknown[]) => ({ role: 'assistant', tool_calls })

export const result = (tool_call_id: unknown, more: Body = {}) => ({
  role: 'tool',
  tool_call_id,
  content: 'found',
  ...more,
})

/** A question, the messages, nothing behind them. */
export const talk = (...messages: unknown[]) => ({ messages: [HI, ...messages] })

export const tool = (definition: Body = {}, more: Body = {}) => ({
  type: 'function',
  function: { name: 'look', ...definition },
  ...more,
})

export const withTool = (definition: Body, more: Body = {}) => ({ tools: [tool(definition)], ...more })

/** A schema of one property `a`. */
export const object = (a: Body, more: Body = {}) => ({ type: 'object', properties: { a }, ...more })

export const closed = { additionalProperties: false, required: ['a'] }

export const schema = (json_schema: unknown) => ({ response_format: { type: 'json_schema', json_schema } })

export const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one)
