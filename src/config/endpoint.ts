/** Turns base URLs as people paste them into the prefix for calls. */

import type { ProviderSpec } from '../providers/provider.ts'

export type Endpoint =
  | { readonly ok: true; readonly url: string; readonly private: boolean; readonly encrypted: boolean }
  | { readonly ok: false; readonly why: string }

/** Path suffixes people copy along from an example call, longest first. */
const TAILS =
  /\/(?:chat\/completions|completions|responses|embeddings|messages\/count_tokens|messages|models(?:\/.*)?)$/
// A name without a dot is looked up in the local network only.
const LOCAL_HOST =
  /^(?:[a-z0-9-]+|.*\.localhost|.*\.local|host\.docker\.internal|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[f[cd][0-9a-f]{2}:.*\])$/
/**
 * Where clouds serve instance credentials:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
const METADATA_HOST = /^(?:169\.254\.\d+\.\d+|\[fe80:.*\]|\[fd00:ec2::254\]|metadata\.google\.internal)$/

/** The base URL that `text` means, without a pasted suffix, query or trailing slash. */
export function readEndpoint(text: string, spec?: ProviderSpec): Endpoint {
  const url = parseUrl(text.trim(), spec)
  if (!url) return { ok: false, why: 'must be a URL such as "https://api.example.com/v1"' }
  if (url.username || url.password) return { ok: false, why: 'must not hold a user name or password; use "api_key"' }
  if (METADATA_HOST.test(url.hostname)) return { ok: false, why: 'is an address of cloud metadata, not of a provider' }
  const path = cutTail(url.pathname) || (spec?.local ? pathOf(spec.baseUrl) : '')
  return {
    ok: true,
    url: url.origin + path,
    private: LOCAL_HOST.test(url.hostname),
    encrypted: url.protocol === 'https:',
  }
}

/** A local server's address is often written without scheme and version (`OLLAMA_HOST=127.0.0.1:11434`). */
function parseUrl(text: string, spec: ProviderSpec | undefined): URL | undefined {
  const full = spec?.local && !text.includes('://') ? `http://${text}` : text
  const url = URL.canParse(full) ? new URL(full) : undefined
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url : undefined
}

function cutTail(pathname: string): string {
  return withoutSlashes(withoutSlashes(pathname).replace(TAILS, ''))
}

function withoutSlashes(path: string): string {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end--
  return path.slice(0, end)
}

function pathOf(baseUrl: string | null): string {
  return baseUrl === null ? '' : new URL(baseUrl).pathname
}
