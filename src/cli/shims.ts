/** The three files that let a program written for the original run unchanged on keywise. */

/** The folder's module system, from its `package.json`. */
export type ModuleKind = 'esm' | 'commonjs'

export interface ShimPlaces {
  /** The import specifier: `keywise`, or the path of this installation's entry point. */
  readonly library: string
  /** The path of the command's file, for the tester. */
  readonly command: string
}

export const SHIM_NAMES = ['apiKeyTester.js', 'apiManager.js', 'apiClient.js'] as const
type ShimName = (typeof SHIM_NAMES)[number]

/** Identifies a generated shim, so that a later `init --compat` may replace it. */
export const MARK = '// Made by `keywise init --compat`'

export function shimText(name: ShimName, kind: ModuleKind, places: ShimPlaces): string {
  return `${MARK}: ${ABOUT[name]}\n${SHIMS[name][kind](places)}`
}

const ABOUT: { readonly [N in ShimName]: string } = {
  'apiKeyTester.js': 'tests every key with every model. Run it, or import testApiKeys.',
  'apiManager.js': "the original's APIManager, with keywise inside.",
  'apiClient.js': "the original's APIClient, with keywise inside.",
}

type ShimWriter = (places: ShimPlaces) => string

const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`

const SHIMS: { readonly [N in ShimName]: { readonly [K in ModuleKind]: ShimWriter } } = {
  'apiKeyTester.js': {
    esm: ({ library, command }) => `import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import * as keywise from ${quoted(library)}

export const testApiKeys = keywise.testApiKeys
export default testApiKeys

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  process.argv.splice(2, 0, 'test')
  createRequire(import.meta.url)(${quoted(command)})
}
`,
    commonjs: ({ library, command }) => `'use strict'

if (require.main === module) {
  process.argv.splice(2, 0, 'test')
  require(${quoted(command)})
} else {
  module.exports = require(${quoted(library)}).testApiKeys
  module.exports.testApiKeys = module.exports
}
`,
  },
  'apiManager.js': {
    esm: ({ library }) => `import { APIManager as Manager } from ${quoted(library)}

${managerClass}

export { APIManager }
export default APIManager
`,
    commonjs: ({ library }) => `'use strict'
const { APIManager: Manager } = require(${quoted(library)})

${managerClass}

module.exports = APIManager
module.exports.APIManager = APIManager
module.exports.default = APIManager
`,
  },
  'apiClient.js': {
    esm: ({ library }) => `export { APIClient, APIClient as default } from ${quoted(library)}
`,
    commonjs: ({ library }) => `'use strict'
const { APIClient } = require(${quoted(library)})

module.exports = APIClient
module.exports.APIClient = APIClient
module.exports.default = APIClient
`,
  },
}

const managerClass = `class APIManager extends Manager {
  /** Takes the path of a keys file as well. */
  constructor(options) {
    super(typeof options === 'string' ? { config: options } : options)
  }
}`
