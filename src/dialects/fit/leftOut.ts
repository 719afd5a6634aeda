/** The names of what a service could not be told, each once, in the order in which it was noticed. */
export class LeftOut {
  readonly #names: string[] = []

  add(...names: readonly string[]): void {
    for (const name of names) if (!this.#names.includes(name)) this.#names.push(name)
  }

  get names(): readonly string[] {
    return this.#names
  }
}
