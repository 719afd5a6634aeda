/** Whose model a name says it is: the part before the slash of `meta-llama/llama-3.3-70b`. */

import { catalog, findProvider } from './catalog.ts'

/**
 * The organisations under which makers of models publish them (https://huggingface.co/models and
 * https://openrouter.ai/models, 2026-11-30), beside those of the catalogue's own models. A provider is none.
 */
const PUBLISHERS = [
  '01-ai',
  'ai21',
  'ai21labs',
  'aion-labs',
  'alibaba-nlp',
  'allenai',
  'amazon',
  'arcee-ai',
  'baai',
  'baidu',
  'black-forest-labs',
  'bytedance',
  'bytedance-seed',
  'cognitivecomputations',
  'coherelabs',
  'cohereforai',
  'databricks',
  'deepcogito',
  'deepseek-ai',
  'eleutherai',
  'huggingfaceh4',
  'huggingfacetb',
  'ibm',
  'ibm-granite',
  'inception',
  'inclusionai',
  'internlm',
  'liquid',
  'liquidai',
  'meta',
  'meta-llama',
  'microsoft',
  'minimax',
  'minimaxai',
  'mistralai',
  'moonshotai',
  'nousresearch',
  'opengvlab',
  'perplexity',
  'qwen',
  'relace',
  'sentence-transformers',
  'stabilityai',
  'stepfun-ai',
  'tencent',
  'thudm',
  'tiiuae',
  'togethercomputer',
  'unsloth',
  'upstage',
  'xai-org',
  'xiaomi',
  'zai-org',
] as const

/** A vendor and a model, and nothing that reads like an address, a path or a third part. */
const OF_VENDOR = /^([a-z0-9][a-z0-9._-]{0,79})\/[^/\\]+$/

const shipped = catalog.flatMap(({ models }) => models.map(({ id }) => id.toLowerCase()))
const shippedIds: ReadonlySet<string> = new Set(shipped.map(lastTwo))
const vendors: ReadonlySet<string> = new Set([...PUBLISHERS, ...shipped.flatMap(vendorIn)])

/**
 * Whether a lower-case name is a model with its maker before it, so that it may be served by whoever serves that model
 * without one. `served`: the ids that are served now; a vendor that one of them names is known too. The name of a
 * provider (`openai/m`) means that provider, unless the catalogue or a served id has a model of exactly this name.
 */
export function isOfVendor(name: string, served: Iterable<string>): boolean {
  const vendor = OF_VENDOR.exec(name)?.[1]
  if (vendor === undefined) return false
  const isProvider = findProvider(vendor) !== undefined
  if (shippedIds.has(name) || (!isProvider && vendors.has(vendor))) return true
  for (const id of served) {
    const known = id.toLowerCase()
    if (isProvider ? lastTwo(known) === name : vendorIn(known).includes(vendor)) return true
  }
  return false
}

function lastTwo(id: string): string {
  return id.split('/').slice(-2).join('/')
}

function vendorIn(id: string): readonly string[] {
  return id.split('/').slice(-2, -1)
}
