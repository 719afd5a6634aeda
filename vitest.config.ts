import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    // Generous, for a busy machine with two cores; what hangs is ended by .ci/run all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Many tests wait for a process or a socket, so one worker more than there are cores keeps the cores busy.
    maxWorkers: availableParallelism() + 1,
  },
})
