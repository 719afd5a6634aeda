/**
 * Other spellings of the inference paths, which differ by the base URL that a client was given: without the version,
 * with it twice, with a slash at the end, or with Azure's deployments.
 */

interface PlainPath {
  /** As the table of routes spells it. */
  readonly path: string
  /** The model that Azure's clients name in the path, still encoded; null for all others. */
  readonly deployment: string | null
}

/** What base URLs end with: a version, or the protocol's name before or behind one. */
const PREFIX = /^\/(v1|v1beta|v1alpha|openai|anthropic|v2(?=\/rerank$))(?=\/)/
/** `/openai/v1/openai/v1` is two of them pasted together; nothing longer is a mistake worth mending. */
const MOST_PREFIXES = 4
/** https://learn.microsoft.com/azure/ai-foundry/openai/reference (2026-11-29) */
const DEPLOYMENT = /^\/deployments\/([^/]{1,300})(\/.+)$/
/**
 * The same where the name has slashes, up to the endpoint: Python's library and older ones of node write it as it is
 * (`/deployments/{model}` in https://github.com/openai/openai-python/blob/main/src/openai/lib/azure.py, 2026-11-30).
 */
const SLASHED =
  /^\/deployments\/(.{1,300}?)(\/(?:chat\/completions|completions|responses|embeddings|moderations|rerank|images\/generations|audio\/(?:speech|transcriptions)))$/

export function plainPath(path: string): PlainPath {
  const { prefixes, rest } = split(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)
  const azure = prefixes.at(-1) === 'openai' ? (SLASHED.exec(rest) ?? DEPLOYMENT.exec(rest)) : null
  const tail = azure?.[2] ?? rest
  return { path: `${rootOf(prefixes, tail)}${tail}`, deployment: azure?.[1] ?? null }
}

function split(path: string): { readonly prefixes: readonly string[]; readonly rest: string } {
  const prefixes: string[] = []
  let rest = path
  for (let match = PREFIX.exec(rest); match !== null && prefixes.length < MOST_PREFIXES; match = PREFIX.exec(rest)) {
    prefixes.push(match[1] ?? '')
    rest = rest.slice(match[0].length)
  }
  return { prefixes, rest }
}

/** Only models are listed in several protocols, told apart by what comes before. */
function rootOf(prefixes: readonly string[], tail: string): string {
  if (!tail.startsWith('/models')) return '/v1'
  if (prefixes.includes('openai')) return '/openai/v1'
  if (prefixes.includes('anthropic')) return '/anthropic/v1'
  const version = prefixes.findLast((prefix) => prefix.startsWith('v1')) ?? 'v1'
  return version === 'v1' ? '/v1' : '/v1beta'
}
