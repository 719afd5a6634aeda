import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { htmlReport } from './htmlReport.ts'
import { redPicture } from './redPicture.ts'
import { fastestOf, type TestReport, testSummaryOf } from './report.ts'
import { openingText, type ProviderName, reportText } from './summaryText.ts'
import type { TestResult } from './testResult.ts'

const COST = { estimatedUsd: 0.0031, maxUsd: 0.05, spentUsd: 0.0012, unknownPrice: 2 }
const GROQ: ProviderName = { id: 'groq', name: 'Groq', severalKeys: false }
const GOOGLE: ProviderName = { id: 'google', name: 'Google Gemini', severalKeys: true }

function passed(provider: string, model: string, facts: Partial<TestResult> = {}): TestResult {
  return {
    provider,
    keyIndex: 1,
    model,
    target: `${provider}/${model}#${facts.keyIndex ?? 1}`,
    status: 'success',
    responseTime: 1234,
    rateLimitInfo: null,
    timestamp: '2026-11-23T12:00:00.000Z',
    failureKind: null,
    advice: null,
    retryAt: null,
    calls: 1,
    costUsd: 0,
    finding: null,
    ...facts,
  }
}

const failed = (provider: string, model: string, facts: Partial<TestResult> = {}) =>
  passed(provider, model, {
    status: 'failed',
    failureKind: 'rate_minute',
    statusCode: 429,
    error: 'slow\ndown',
    ...facts,
  })

function report(tests: readonly TestResult[], facts: Partial<TestReport> = {}): TestReport {
  const summary = testSummaryOf(tests, 0)
  return {
    timestamp: '2026-11-23T12:00:00.000Z',
    durationMs: 600,
    tests,
    skipped: [],
    summary,
    passRate: summary.passRate,
    fastest: fastestOf(tests),
    advice: [],
    cost: COST,
    changes: null,
    interrupted: false,
    ...facts,
  }
}

test('openingText() begins with the number of models and says what they may cost', () => {
  expect(openingText({ targets: 32, cost: COST })).toBe(
    'Testing 32 models...\nEstimated cost: at most $0.0031 (limit $0.05, 2 of unknown price)\n',
  )
})

test('reportText() prints the documented report', () => {
  const tests = [
    passed('groq', 'openai/gpt-oss-20b', { responseTime: 876 }),
    failed('groq', 'llama-3.3-70b-versatile', {
      failureKind: 'model_not_found',
      statusCode: 404,
      error: 'retired by the provider on 2026-08-16; use openai/gpt-oss-120b',
    }),
    passed('google', 'gemini-3.8-flash', { responseTime: 1500 }),
    failed('google', 'gemini-3.8-flash', { keyIndex: 2 }),
  ]
  const advice = [{ text: 'put another in its place', targets: ['groq/llama-3.3-70b-versatile#1'] }]
  expect(reportText(report(tests, { advice }), [GROQ, GOOGLE])).toBe(`🔍 API Key Tester - Comprehensive Test Suite
============================================================

📊 Testing Groq API...
  ✅ groq - openai/gpt-oss-20b
     Response time: 876ms
  ❌ groq - llama-3.3-70b-versatile
     404 model_not_found: retired by the provider on 2026-08-16; use openai/gpt-oss-120b

📊 Testing Google Gemini API...
  ✅ google - Key1 - gemini-3.8-flash
     Response time: 1500ms
  ❌ google - Key2 - gemini-3.8-flash
     429 rate_minute: slow down

Results:
  Groq: 1/2 ✅ (1 model not served)
  Google Gemini: 1/2 ✅ (1 model rate limited)

📊 TEST SUMMARY
Total Tests: 4
Passed: 2 ✅
Failed: 2 ❌
Pass Rate: 50.0%

⚡ Fastest: groq - openai/gpt-oss-20b (876ms)
Cost: $0.0012

What to do next:
  1. put another in its place
`)
})

test('htmlReport() escapes text from models and providers, and loads nothing external', () => {
  const page = htmlReport(report([failed('groq', '<script>alert(1)</script>', { error: '"><img src=x onerror=1>&' })]))
  expect(page).not.toContain('<script')
  expect(page).not.toContain('<img')
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(page).not.toMatch(/https?:|src=(?!x)|@import|url\(/)
})

test('redPicture() is a PNG of 32 x 32 red pixels', () => {
  const png = Buffer.from(redPicture(), 'base64')
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([32, 32])
  const pixels = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)))
  expect(pixels).toHaveLength(32 * (1 + 32 * 3))
  expect([...pixels.subarray(0, 4)]).toEqual([0, 220, 20, 20])
})
