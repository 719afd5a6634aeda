/**
 * The ability that a refusal names as such: `does not support image input`, an unknown `tools`. A word beside it
 * (`image format`, `tools in streaming mode`, `images.0.detail`) makes it one request's matter, and then none is named.
 */

import type { Ability } from '../../domain/target.ts'

/** As the subject or object of a sentence. */
const PHRASES: readonly (readonly [Ability, string])[] = [
  ['chat', 'chat completions?|generatecontent'],
  [
    'jsonSchema',
    'json[_ -]schemas?(?:["\'`]? response formats?)?|response[_ ]formats? ["\'`]?json_schema|response[_ ]schemas?|structured[ _]outputs?|output[ _]formats?',
  ],
  ['json', 'response_?format|response_?mime_?type|json (?:mode|output|response format)|json_object'],
  ['tools', 'tools?|tool[ _-](?:use|usage|calls?|calling)|functions?|function[ _-](?:calls?|calling|declarations?)'],
  [
    'images',
    '(?:image(?:_url)?|visual|vision|multi-?modal)s?(?: (?:inputs?|content|contents|understanding|messages|requests|data))?',
  ],
  ['reasoning', 'reasoning|(?:extended )?thinking|reasoning[_ ]effort'],
  ['streaming', 'stream|streaming'],
  ['embeddings', 'embeddings?'],
]

const QUOTE = '["\'`]?'
const ADVERB = '(?:currently |yet |natively )?'
/** What may follow: the end, or words that only say whose lack it is. */
const WHOSE =
  '(?:by\\b|(?:with|for|on|in|via|at) (?:(?:this|the|that|your|our|current|selected|requested|chosen|given) )*(?:models?|endpoints?|providers?|api|versions?|deployments?|servers?|plan|tier|["\'`]|[\\w.]*[\\d/:-]))'
const END = `${QUOTE}(?:$|[.,;:!)\\]]| ${WHOSE}| (?:yet|currently|at this time|at the moment|here|and|but|please)\\b)`
const UNABLE = `(?:(?:does not|doesn't|do not|don't|cannot|can't) ${ADVERB}(?:support|accept|allow|handle|take)|not support|no endpoints found that support) (?:the |any )?(?:use of |using )?`
const REFUSED = `(?:is|are) ${ADVERB}(?:not (?:supported|available|enabled|allowed|permitted|implemented)|unsupported|disabled)|not supported|only (?:supported|available) (?:by|for|with|on|in) (?:certain|some|other|vision|multimodal)|(?:is|are) only (?:supported|available) (?:by|for|with|on|in) (?:certain|some|other|vision|multimodal)`

const SENTENCES: readonly (readonly [Ability, readonly RegExp[]])[] = PHRASES.map(([ability, phrase]) => [
  ability,
  [
    new RegExp(`${UNABLE}${QUOTE}(?:${phrase})${END}`),
    // Before the subject only the beginning of a sentence: "image format of tools is not supported" names no tools.
    new RegExp(
      `(?:^|[.:;,(] ?|\\b(?:the|that|type|parameter|using|as|because|since) )${QUOTE}(?:${phrase})${QUOTE} (?:${REFUSED})(?:${END}|\\b(?! (?:in|on|for|when|while|if|unless|with|without|together|inside|within|alongside)\\b))`,
    ),
  ],
])

/** Ways of saying it that name the model's kind instead. */
const SAID_OTHERWISE: readonly (readonly [RegExp, Ability])[] = [
  [/\bnot a chat model|not supported in the v1\/chat\/completions endpoint/, 'chat'],
  [/\bnot a (?:vision|multi-?modal) model|model is not multi-?modal|\btext-only model\b/, 'images'],
  [/unknown variant [`'"]image_url[`'"], expected [`'"]text[`'"]/, 'images'],
  [/\bat most 0 images?\b/, 'images'],
  [/requires --enable-auto-tool-choice|tools param requires --jinja/, 'tools'],
]

/** Of a lower-case text. */
export function abilityInWords(text: string): Ability | undefined {
  const said = SAID_OTHERWISE.find(([pattern]) => pattern.test(text))?.[1]
  return said ?? SENTENCES.find(([, patterns]) => patterns.some((pattern) => pattern.test(text)))?.[0]
}

/** The fields that are an ability's root in one of the dialects. */
const ROOTS: ReadonlyMap<string, Ability> = new Map([
  ['tools', 'tools'],
  ['tools.function_declarations', 'tools'],
  ['tool_config', 'tools'],
  ['functions', 'tools'],
  ['response_format', 'json'],
  ['response_mime_type', 'json'],
  ['response_format.json_schema', 'jsonSchema'],
  ['response_schema', 'jsonSchema'],
  ['response_json_schema', 'jsonSchema'],
  ['output_format', 'jsonSchema'],
  ['output_config.format', 'jsonSchema'],
  ['text.format', 'jsonSchema'],
  ['reasoning', 'reasoning'],
  ['reasoning.effort', 'reasoning'],
  ['reasoning_effort', 'reasoning'],
  ['thinking', 'reasoning'],
  ['thinking_config', 'reasoning'],
  ['stream', 'streaming'],
])

/** The ability whose root a path is; undefined for any other field, and for one inside. */
export function abilityOfPath(path: string, text: string): Ability | undefined {
  const steps = path
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[.[\]]+/)
    .filter((step) => step !== '' && step !== 'generation_config' && !/^\d+$/.test(step))
  const ability = ROOTS.get(steps.join('.'))
  return ability === 'json' && /json[_ ]schema/.test(text) ? 'jsonSchema' : ability
}
