import { expect, test } from 'vitest'
import { type NumberSection, withSection } from '../bench/numbers.ts'

const section = (name: string, line: string, isFirst = false): NumberSection => ({
  ...{ name, title: `Title ${name}`, lines: [line], machine: 'a machine', date: '2026-11-23', isFirst },
})

test('a section is put at the end once, and replaced where it stands', () => {
  const both = withSection(withSection('', section('one', 'old')), section('two', 'other'))
  const page = withSection(`${both}\nWhat a person wrote.\n`, section('one', 'new'))
  expect(page).not.toContain('- old')
  expect(page.indexOf('- new')).toBeLessThan(page.indexOf('- other'))
  expect(page).toMatch(/^# Numbers\n/)
  expect(page).toMatch(/What a person wrote\.\n$/)
})

test('the first section stands before all others however often it is written, and nothing else changes', () => {
  const before = withSection(withSection('', section('one', '1')), section('two', '2'))
  const once = withSection(before, section('errors', '0', true))
  expect(withSection(once, section('errors', '0', true))).toBe(once)
  expect(once.match(/^- .*$/gm)).toEqual(['- 0', '- 1', '- 2'])
  expect(withSection(withSection('', section('errors', '0', true)), section('one', '1')).match(/^- .*$/gm)).toEqual([
    '- 0',
    '- 1',
  ])
})
