/** One thing a service refuses, with its own words; the source says where that is documented or was observed. */
export interface StrictRequest {
  /** Provider id as in src/providers (`openai`, `groq`, …). */
  readonly service: string
  /** The model as the service names it. */
  readonly model: string
  /** Path below the base URL, e.g. `/chat/completions`. */
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}
/** status + JSON body as the service would send it. */
export interface StrictRefusal {
  readonly status: number
  readonly body: unknown
}
export interface Rule {
  /** Kebab-case, unique in its table. */
  readonly id: string
  /** URL of documentation, SDK source or public report. */
  readonly source: string
  /** ISO date on which the source was read. */
  readonly checkedAt: string
  readonly refuse: (request: StrictRequest) => StrictRefusal | null
}
