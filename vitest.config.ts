import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Rooms of pure functions: their tests share what they import, which takes a third less of the cores. */
const PURE = ['dialects', 'domain', 'lab', 'money', 'quota', 'routing'].map((room) => `src/${room}/**/*.test.ts`)

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      {
        extends: true,
        test: { name: 'whole', isolate: false, include: ['src/**/*.test.ts', 'test/**/*.test.ts'], exclude: PURE },
      },
    ],
    setupFiles: ['test/support/setup.ts'],
    // Generous, for a busy machine with two cores; what hangs is ended by .ci/run all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Many tests wait for a process or a socket, so one worker more than there are cores keeps the cores busy.
    maxWorkers: availableParallelism() + 1,
  },
})
