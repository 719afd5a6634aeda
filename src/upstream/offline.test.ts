import { expect, test } from 'vitest'
import { OfflineDetector } from './offline.ts'

const NOW = 1_764_000_000_000

test('two hosts that fail within 5 s mean that we are offline', () => {
  const detector = new OfflineDetector()
  detector.failed('api.a.example', NOW)
  expect(detector.isOffline(NOW)).toBe(false)
  detector.failed('api.b.example', NOW + 4_000)
  expect(detector.isOffline(NOW + 4_000)).toBe(true)
  expect(detector.isOffline(NOW + 10_000)).toBe(false)
})

test('one host that fails again and again is itself to blame', () => {
  const detector = new OfflineDetector()
  for (let second = 0; second < 5; second++) detector.failed('api.a.example', NOW + second * 1000)
  expect(detector.isOffline(NOW + 5_000)).toBe(false)
})

test('an answer from anywhere proves that there is a network', () => {
  const detector = new OfflineDetector()
  detector.failed('api.a.example', NOW)
  detector.answered('api.c.example', NOW + 1_000)
  detector.failed('api.a.example', NOW + 2_000)
  detector.failed('api.b.example', NOW + 2_000)
  expect(detector.isOffline(NOW + 2_000)).toBe(false)
})

test('servers of our own machine say nothing about the network', () => {
  const detector = new OfflineDetector()
  detector.failed('127.0.0.1', NOW)
  detector.failed('localhost', NOW)
  expect(detector.isOffline(NOW)).toBe(false)
})

test('a timer that is more than 10 s late excuses what fails right after it', () => {
  const detector = new OfflineDetector()
  detector.ticked(NOW, NOW + 9_000)
  expect(detector.isOffline(NOW + 9_000)).toBe(false)
  detector.ticked(NOW, NOW + 60_000)
  expect(detector.isOffline(NOW + 61_000)).toBe(true)
  expect(detector.isOffline(NOW + 66_000)).toBe(false)
})
