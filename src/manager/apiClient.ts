/** The supervisor's interface, unchanged: one object, one method, a string back; the manager inside. */

import { blockedText } from '../dialects/fields/blocked.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import type { CallContext, Template } from '../engine/request/readContext.ts'
import { APIManager, type APIManagerOptions } from './apiManager.ts'
import { clientOptions } from './clientOptions.ts'

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

  /**
   * Takes the manager's options; or the content of the keys file, as the original did, which uses the store of that
   * file; or the program's own configuration, beside which the keys come from the file and the environment.
   */
  constructor(config: APIClientOptions | object = {}) {
    const options = clientOptions(config)
    this.#manager = new APIManager(options)
    this.#template = options.template
  }

  /** The manager behind it, for everything else. */
  get manager(): APIManager {
    return this.#manager
  }

  /**
   * The answer's text. Throws what `callWithFallback` throws, and InvalidRequestError for an answer that the provider
   * blocked before it said anything.
   */
  async generatePrompt(context: CallContext): Promise<string> {
    const { content, blocked, attempts } = await this.#manager.callDescribed(context, this.#template)
    // A text alone cannot say that it is missing.
    if (blocked !== undefined && content === '') throw new InvalidRequestError(blockedText(blocked), { attempts })
    return content
  }

  /** Writes pending changes and releases all resources; may be called twice. */
  close(): Promise<void> {
    return this.#manager.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
