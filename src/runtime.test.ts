import { expect, test } from 'vitest'
import { demandRuntime } from './runtime.ts'

for (const version of ['22.19.0', '22.20.1', '24.0.0', '25.1.0-nightly'])
  test(`node ${version} is new enough`, () => expect(() => demandRuntime(version)).not.toThrow())

for (const version of ['22.18.9', '20.20.2', '18.0.0'])
  test(`node ${version} is refused in one sentence that says what to do`, () =>
    expect(() => demandRuntime(version)).toThrow(
      `keywise needs node 22.19 or newer and this is ${version}; run your program with a newer one`,
    ))
