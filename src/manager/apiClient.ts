/** The supervisor's interface, unchanged: one object, one method, a string back; the manager inside. */

import type { CallContext, Template } from '../engine/request/readContext.ts'
import { APIManager, type APIManagerOptions } from './apiManager.ts'

/** The manager's options, and the template. */
export interface APIClientOptions extends APIManagerOptions {
  /**
   * Writes any object that is neither a prompt nor messages as text.
   * @default one line per field, nested fields indented
   */
  readonly template?: Template
}

/** One method that turns a context into text; a manager does the work. */
export class APIClient {
  readonly #manager: APIManager
  readonly #template: Template | undefined

  /** Takes the manager's options, or the configuration itself as the original did. */
  constructor(config: APIClientOptions | object = {}) {
    const given = config ?? {}
    const options = isOptions(given) ? given : { config: given }
    this.#manager = new APIManager(options)
    this.#template = options.template ?? undefined
  }

  /** The manager behind it, for everything else. */
  get manager(): APIManager {
    return this.#manager
  }

  /** The answer's text. Throws what `callWithFallback` throws. */
  async generatePrompt(context: CallContext): Promise<string> {
    const result = await this.#manager.callDescribed(context, this.#template)
    return result.content
  }

  /** Writes pending changes and releases all resources; may be called twice. */
  close(): Promise<void> {
    return this.#manager.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const OPTION_NAMES = [
  'config',
  'store',
  'env',
  'now',
  'random',
  'logger',
  'template',
  'cwd',
  'providers',
  'flushMs',
  'sleep',
  'userAgent',
  'monotonic',
  'allModels',
]

/** An object that names no option of ours, and is not empty, is a configuration. */
function isOptions(value: object): value is APIClientOptions {
  const names = Object.keys(value)
  return names.length === 0 || names.some((name) => OPTION_NAMES.includes(name))
}
