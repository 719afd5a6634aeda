import { expect, test } from 'vitest'
import { ollama } from '../providers/ollama.ts'
import { readEndpoint } from './endpoint.ts'

const good = [
  ['https://api.example.com/v1', 'https://api.example.com/v1'],
  ['  https://api.example.com/v1///  ', 'https://api.example.com/v1'],
  ['https://api.example.com/v1/chat/completions', 'https://api.example.com/v1'],
  ['https://api.example.com/v1/chat/completions/?key=x#y', 'https://api.example.com/v1'],
  ['https://api.example.com/v1/messages', 'https://api.example.com/v1'],
  ['https://api.example.com/v1/messages/count_tokens', 'https://api.example.com/v1'],
  ['https://api.example.com/v1/models', 'https://api.example.com/v1'],
  ['https://api.example.com/v1beta/models/gemini-a:generateContent', 'https://api.example.com/v1beta'],
  ['https://api.example.com/v1/responses', 'https://api.example.com/v1'],
  ['HTTP://LOCALHOST:8080', 'http://localhost:8080'],
] as const

for (const [text, url] of good) {
  test(`readEndpoint() makes ${url} of ${JSON.stringify(text)}`, () => {
    expect(readEndpoint(text)).toMatchObject({ ok: true, url })
  })
}

const bad = ['', 'nope', 'ftp://example.com', 'file:///etc/passwd', 'javascript:alert(1)', 'https://']
for (const text of [
  ...bad,
  'https://user:pass@example.com/v1',
  'http://169.254.169.254/v1',
  'http://2852039166/',
  'http://[fe80::1]/',
]) {
  test(`readEndpoint() refuses ${JSON.stringify(text)}`, () => {
    expect(readEndpoint(text).ok).toBe(false)
  })
}

for (const [text, isPrivate] of [
  ['http://127.0.0.1:1', true],
  ['http://[::1]:1', true],
  ['http://192.168.1.2', true],
  ['http://172.20.0.2', true],
  ['http://box.local', true],
  ['http://172.32.0.2', false],
  ['http://10.example.com', false],
  ['https://api.example.com', false],
] as const) {
  test(`readEndpoint() treats ${text} as a ${isPrivate ? 'private' : 'public'} address`, () => {
    expect(readEndpoint(text)).toMatchObject({ ok: true, private: isPrivate })
  })
}

test('a local provider may be written without scheme and version', () => {
  expect(readEndpoint('box:11434', ollama)).toMatchObject({ ok: true, url: 'http://box:11434/v1' })
  expect(readEndpoint('http://box:11434/', ollama)).toMatchObject({ ok: true, url: 'http://box:11434/v1' })
  expect(readEndpoint('http://box:11434/other/v2', ollama)).toMatchObject({
    ok: true,
    url: 'http://box:11434/other/v2',
  })
})
