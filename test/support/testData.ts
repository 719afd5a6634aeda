/** The recorded replies and traces, where a developer has them: the folder that KEYWISE_TEST_DATA names. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = process.env['KEYWISE_TEST_DATA']

/** Whether the recordings are here. Tests that need them skip with a printed reason otherwise. */
export const hasTestData = root !== undefined && existsSync(root)

if (!hasTestData) console.warn('KEYWISE_TEST_DATA is not set or names no folder: tests on recorded replies are skipped')

export function testDataPath(...parts: string[]): string {
  return join(root ?? '', ...parts)
}

export function readTestData(...parts: string[]): string {
  return readFileSync(testDataPath(...parts), 'utf8')
}
