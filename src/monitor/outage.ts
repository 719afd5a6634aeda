/** An outage: no target that could serve a model or alias answers. */

export interface Outage {
  readonly key: string
  /** `auto` for everything, else the requested model or alias. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly since: number
  readonly embeddings: boolean
}
