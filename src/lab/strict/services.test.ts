import { expect, test } from 'vitest'
import { catalog } from '../../providers/catalog.ts'
import { imitationRules } from './imitation.ts'
import { openaiChatRules, openaiResponsesRules } from './openai.ts'
import { rulesOf, STRICT_SERVICES } from './services.ts'
import { closest } from './spelling.ts'

const ids = (service: string, dialect: Parameters<typeof rulesOf>[1]) => rulesOf(service, dialect).map(({ id }) => id)

test('a service has rules for each language that it is asked in', () => {
  expect(ids('openai', 'openai')).toEqual(expect.arrayContaining(openaiChatRules.map(({ id }) => id)))
  expect(ids('openai', 'openai')).toContain('embedding-batch')
  expect(rulesOf('openai', 'openai-responses')).toBe(openaiResponsesRules)
  expect(ids('mistral', 'openai')).toContain('role-order')
})

test('a service that nobody wrote down refuses what every imitation refuses', () => {
  for (const service of ['my-server', 'together', 'toString']) expect(rulesOf(service, 'openai')).toBe(imitationRules)
  expect(rulesOf('my-server', 'openai-responses')).toEqual([])
})

test('every table is one of a provider in the catalogue', () => {
  const known = catalog.map(({ id }) => id)
  expect(STRICT_SERVICES.filter((service) => !known.includes(service))).toEqual([])
  expect(STRICT_SERVICES).toEqual(expect.arrayContaining(['openai', 'groq', 'deepseek', 'xai']))
})

test('no two rules of a service in a language have the same id', () => {
  for (const service of STRICT_SERVICES)
    for (const dialect of ['openai', 'openai-responses', 'anthropic', 'google'] as const)
      expect(new Set(ids(service, dialect)).size).toBe(rulesOf(service, dialect).length)
})

test('a misspelt word is recognized when two letters at most are wrong', () => {
  const known = ['top_p', 'temperature', 'tools']
  expect(closest('temprature', known)).toBe('temperature')
  expect(closest('toop', known)).toBe('tools')
  expect(closest('top_k', known)).toBe('top_p')
  expect(closest('thinking', known)).toBeNull()
})
