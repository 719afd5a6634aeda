import { expect, test } from 'vitest'
import { renderTemplate, templateProblems, templateVariables } from './template.ts'

test('templateVariables() lists each variable once', () => {
  expect(templateVariables('{{ question }} in {{lang}}, {{question}}? {single} {{}')).toEqual(['question', 'lang'])
})

test('templateProblems() reports unknown variables and invalid names', () => {
  expect(templateProblems('{{question}} {{langauge}} {{a b}}', ['question', 'language'])).toEqual([
    'unknown variable {{langauge}}; known: question, language',
    '"{{a b}}" is not a variable; write a name such as {{question}}',
  ])
})

test('renderTemplate() inserts values as they are, also when they look like variables or patterns', () => {
  const values = { question: '{{lang}} $& $1', lang: 'Greek' }
  expect(renderTemplate('{{question}} in {{ lang }}', values)).toEqual({ ok: true, text: '{{lang}} $& $1 in Greek' })
})

test('renderTemplate() lists missing values, also for names that every object has', () => {
  expect(renderTemplate('{{a}} {{constructor}} {{b}}', { b: '' })).toEqual({ ok: false, missing: ['a', 'constructor'] })
})

test('a hostile template is processed quickly', () => {
  const hostile = '{{'.repeat(100_000)
  expect(templateVariables(hostile)).toEqual([])
})
