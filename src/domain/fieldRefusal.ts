/** A field of a request that an upstream refuses, as its refusal names it, and what it says it would take instead. */

interface OfField {
  /** From the root of the body, as the upstream spells it; `[]` stands for any index: `messages[].prefix`. */
  readonly path: string
}

export type FieldRefusal =
  /** The field as such is unknown or not supported, or no value of it but its default. */
  | (OfField & { readonly refused: 'field' })
  /** A value; these are taken. */
  | (OfField & { readonly refused: 'value'; readonly taken: readonly string[] })
  /** A text longer than so many characters. */
  | (OfField & { readonly refused: 'length'; readonly most: number })
  /** The field without this other one, which is at the top of the body. */
  | (OfField & { readonly refused: 'alone'; readonly without: string })
  /** The field beside this other one, which is at the top of the body. */
  | (OfField & { readonly refused: 'beside'; readonly other: string })
  /** Every value but this one beside tools. */
  | (OfField & { readonly refused: 'beside-tools'; readonly taken: string })
  /** Results of tools in another number or order than their calls. */
  | (OfField & { readonly refused: 'pairs' })
  /** Arguments of tools whose schema says what is meant, but not all that the service wants said. */
  | (OfField & { readonly refused: 'schema' })
