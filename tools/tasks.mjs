// What each script of package.json runs: which packages it needs, where it runs, and the commands (arguments of node)
// it runs one after another. Only syntax that node 18 knows.
import { join } from 'node:path'

/**
 * @typedef {object} Task
 * @property {'nothing' | 'runtime' | 'development'} needs packages that must be there first
 * @property {boolean} [whereCalled] runs in the caller's folder, not in the project's
 * @property {(args: readonly string[]) => string | undefined} [announcement] printed to stderr before the commands run
 * @property {(args: readonly string[]) => string[][]} commands
 */

// node 22 announces the stripping of types and node:sqlite as experimental; both are meant.
const quietly = ['--disable-warning=ExperimentalWarning']

// Without a path or a word to choose by, the runner takes all tests.
const isOption = (arg) => arg.startsWith('-')

/**
 * @param {string} root folder of the project
 * @returns {Record<string, Task>}
 */
export function tasksOf(root) {
  const tool = (name, file) => join(root, 'node_modules', name, file)
  const keywise = join(root, 'bin/keywise.cjs')
  const build = [join(root, 'tools/build.mjs')]
  return {
    start: { needs: 'runtime', commands: (args) => [[keywise, ...args]] },
    demo: { needs: 'runtime', commands: (args) => [[keywise, 'demo', ...args]] },
    cli: { needs: 'runtime', whereCalled: true, commands: (args) => [[keywise, ...args]] },
    test: {
      needs: 'development',
      announcement: (args) => (args.every(isOption) ? 'the tests take about three minutes on two cores' : undefined),
      commands: (args) => [[tool('vitest', 'vitest.mjs'), 'run', ...args]],
    },
    check: {
      needs: 'development',
      commands: (args) => [
        [tool('typescript', 'bin/tsc')],
        [tool('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.'],
        [join(root, 'tools/unusedExports.mjs')],
        [...quietly, join(root, 'tools/factAges.mjs'), ...args],
      ],
    },
    fix: { needs: 'development', commands: () => [[tool('@biomejs/biome', 'bin/biome'), 'check', '--write', '.']] },
    build: { needs: 'development', commands: () => [build] },
    // npm calls this at the end of an installation and before it packs; what to do without the compiler, build.mjs knows.
    prepare: { needs: 'nothing', commands: () => [[...build, '--if-possible']] },
    // What is measured is what gets installed.
    bench: { needs: 'development', commands: (args) => [build, [...quietly, '--expose-gc', 'bench/run.ts', ...args]] },
    soak: { needs: 'development', commands: (args) => [[...quietly, 'bench/longRun.ts', ...args]] },
    fuzz: { needs: 'development', commands: (args) => [[...quietly, 'test/fuzz/run.ts', ...args]] },
    simulate: { needs: 'development', commands: (args) => [[...quietly, 'bench/simulate.ts', ...args]] },
    'test:agents': { needs: 'development', commands: (args) => [[...quietly, 'test/agents/run.ts', ...args]] },
    'test:clients': { needs: 'development', commands: (args) => [[...quietly, 'test/clients/run.ts', ...args]] },
    'bench:replay': { needs: 'runtime', commands: (args) => [[...quietly, 'bench/replay.ts', ...args]] },
    sbom: { needs: 'nothing', commands: () => [['tools/sbom.mjs']] },
    newest: { needs: 'development', commands: () => [['tools/newest.mjs']] },
    release: { needs: 'nothing', commands: (args) => [['tools/release.mjs', ...args]] },
    'prove:clone': { needs: 'nothing', commands: (args) => [['tools/proveClone.mjs', ...args]] },
    node: { needs: 'development', commands: (args) => [[...quietly, ...args]] },
  }
}
