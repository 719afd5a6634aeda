/**
 * What a provider is: data. The core never spells a provider's name; whatever differs between providers is a field
 * here.
 */

import type { DialectId } from '../domain/chat.ts'
import type { DayBoundary, LimitWindow } from '../domain/failure.ts'
import type { QuotaScope } from '../domain/scope.ts'
import type { Abilities, DocumentedUnits, PriceHint, TierTimes, UnitAbility } from '../domain/target.ts'
import type { WireFacts } from '../domain/wireFacts.ts'
import type { Checked, DatedPart, InstalledFacts, Retirement, SeedLimit } from './dated.ts'

/** How the key travels. Always a header: a key in a URL lands in logs. */
export type AuthScheme = 'bearer' | 'x-api-key' | 'x-goog-api-key' | 'none'

/** A free call that fails with a wrong key. */
interface KeyCheck {
  /** HTTP method. */
  readonly method: 'GET' | 'POST'
  /**
   * Appended to the base URL, or absolute where the provider keeps it elsewhere. May climb with `/../`: normalise it.
   */
  readonly path: string
}

/**
 * A free call that tells what a key or its account has left to spend. Fields are named by the names that lead to them:
 * `data.limit`.
 */
export interface BalanceSource {
  /** As in `KeyCheck`; asked with GET. */
  readonly path: string
  /** Whose it is: the limit that the key alone has, or the credit of the account, which its other keys share. */
  readonly of: 'key' | 'account'
  /** The list that has a row for each currency. Default: the whole answer is the only row. */
  readonly rows?: string
  /** What is left, as a number or a text; may be absent from an answer, where nothing limits the spending. */
  readonly left?: string
  /** Where `left` is not told: what was ever paid. */
  readonly total?: string
  /** What was used of `total`. */
  readonly used?: string
  /** The whole of which something is left. */
  readonly limit?: string
  /** ISO 4217, or the field that names it. */
  readonly currency: string | { readonly field: string }
  /** The field that says whether calls can be paid. */
  readonly available?: string
  /** When the limit begins anew, in calendar periods of UTC, by the provider's words for them. */
  readonly resets?: { readonly field: string; readonly periods: Readonly<Record<string, 'day' | 'week' | 'month'>> }
  /** Where this was read, and when; absent where the user says it. */
  readonly source?: string
  /** ISO date. */
  readonly checkedAt?: string
}

/** Where and in which form a provider lists its models. */
export interface ModelsList {
  /** As in `KeyCheck`. */
  readonly path: string
  /** Whose format the list has. */
  readonly shape: 'openai' | 'anthropic' | 'google' | 'cohere' | 'cloudflare' | 'ollama' | 'array'
  /** True when the list answers 200 to any key: it proves nothing about ours. */
  readonly public: boolean
}

/** What the catalogue knows of a model without asking; the provider's own list overrides it. */
export interface CatalogueModel {
  /** The model's id at the provider. */
  readonly id: string
  /** Maximum tokens of prompt and answer together; of the prompt alone where `holdsAnswerApart` is set. */
  readonly contextTokens?: number
  /** Maximum tokens of an answer. */
  readonly maxOutputTokens?: number
  /** What it can and cannot do; what is absent is unknown. */
  readonly abilities?: Abilities
  /** USD per million tokens, only where genai-prices does not know the model. */
  readonly price?: PriceHint
  /** Cannot be billed with a free key. */
  readonly freeTier?: boolean
  /** 0..1, a tier rather than a measurement; `qualitySource` says whose. */
  readonly quality?: number
  /** Source of `quality`, with its date. */
  readonly qualitySource?: string
  /** Taken without being named when the provider's list is long. */
  readonly pick?: boolean
  /** Set when the provider withdrew the model. */
  readonly retired?: Retirement
  /** Set when the provider has announced that it will; only shown. */
  readonly retires?: Retirement
  /** False when others were seen not to find it in their list: then it is no pick until ours was read. */
  readonly listed?: boolean
  /** Where and when this model was read; default: as the provider's `checked.models` says of all. */
  readonly checked?: Checked
}

/** What all models of a line can do, so that it is known of one that only a list names, or none. */
export interface ModelFamily {
  /** Matches the model's id as the service spells it. */
  readonly match: RegExp
  /** What is absent is unknown. */
  readonly abilities: Abilities
}

/** The most that one call for embeddings may hold. */
export interface EmbeddingsBatch {
  /** Texts, or whatever else becomes one vector. */
  readonly inputs: number
  /** Tokens of all of them together. */
  readonly tokens?: number
}

/** A further dialect of a provider. */
interface AlsoSpoken {
  /** Another than the provider's `dialect`. */
  readonly dialect: DialectId
  /** What it takes of that dialect; default: what the dialect's vendor takes. */
  readonly wire?: WireFacts
}

/** Everything that is particular to one provider. */
export interface ProviderSpec {
  /** Lower case, as in `config/api-keys.json`. */
  readonly id: string
  /** As people write it: `Google Gemini`. */
  readonly name: string
  /** Other names under which people configure it (`gemini`). */
  readonly aliases?: readonly string[]
  /** The wire language it speaks. */
  readonly dialect: DialectId
  /**
   * Further dialects that it speaks at the same address with the same key, so that requests of their clients are not
   * translated. Default: none.
   */
  readonly alsoSpeaks?: readonly AlsoSpoken[]
  /** With the version segment and without a slash at the end; null when the configuration must give an `endpoint`. */
  readonly baseUrl: string | null
  /** The header that carries the key. */
  readonly auth: AuthScheme
  /** Headers every call carries besides the key (`anthropic-version`). */
  readonly headers?: Readonly<Record<string, string>>
  /** A call that proves the key for free; `call`: only a generation proves it; `none`: there is no key to prove. */
  readonly keyCheck: KeyCheck | 'call' | 'none'
  /** Where it tells a key what can still be spent. Default: nowhere. */
  readonly balance?: readonly BalanceSource[]
  /** Where it lists its models; null when it does not. */
  readonly modelsList: ModelsList | null
  /** Where a local server says which models it holds in memory (Ollama's `/api/ps`); as in `KeyCheck`. */
  readonly loadedList?: string
  /** The page on which a person creates or revokes keys. */
  readonly keysUrl?: string
  /** What the provider's unnamed rate-limit headers count: Groq's `-requests` is per day, its `-tokens` per minute. */
  readonly limitWindows?: { readonly requests?: LimitWindow; readonly tokens?: LimitWindow }
  /** What its limits are counted over. `unknown`: a refusal is the model's until a second model is refused too. */
  readonly quotaScope: QuotaScope
  /** When its daily limits reset. */
  readonly dayBoundary: DayBoundary
  /** The time zone of dates in its errors that name none (`Asia/Shanghai`, `+08:00`). Default: UTC. */
  readonly dateZone?: string
  /** The windows of its models are the prompt's alone. Default: prompt and answer share them. */
  readonly holdsAnswerApart?: true
  /** Counts the requested `max_tokens` against the token limit at admission rather than what was produced. */
  readonly chargesMaxTokens?: boolean
  /** Failed calls take from the request quota as well (OpenRouter's free day, OpenAI's minute). */
  readonly countsFailures?: boolean
  /** The most that one call for embeddings may hold. Default: what its dialect's own service takes. */
  readonly embeddingsBatch?: EmbeddingsBatch
  /** What it serves at a path of its own, below the base URL; what is absent it does not serve. */
  readonly endpoints?: { readonly [A in UnitAbility]?: string }
  /** Whether prompts sent on the free tier may be used for training; null when unknown. */
  readonly trainsOnFreePrompts: boolean | null
  /** `quirks.body` adds a field with which the provider passes the prompt to no one who trains on it. */
  readonly guardsTraining?: boolean
  /** The key check says whether the account was ever charged (`is_free_tier`), so that "free" can be contradicted. */
  readonly tellsFreeTier?: boolean
  /**
   * A payment method on the account makes the same models billed, so a key counts as free only when the user says so.
   */
  readonly freeNeedsUserWord?: boolean
  /** Published limits, each with source and date; they never exclude a target. */
  readonly seedLimits: readonly SeedLimit[]
  /** Models used without asking for its list. */
  readonly models: readonly CatalogueModel[]
  /** Lines of models, the first that matches counts; its list and `models` know better. Default: none. */
  readonly families?: readonly ModelFamily[]
  /**
   * Where these facts were read, and when: of `models` that do not say it themselves, of the models that are `retired`, of `families`, and of `tiers`
   * and `toolPrices`, whose date stands in the version of a price that they were used for. `npm run check` fails when one
   * is missing or older than 90 days.
   */
  readonly checked?: { readonly [P in DatedPart]?: Checked }
  /** @internal What a facts file says that the user installed. */
  readonly installed?: InstalledFacts
  /** @internal At an address that the configuration gives: not necessarily the provider itself. */
  readonly elsewhere?: true
  /** Environment variables that hold a key of this provider, most usual first, without `_1`, `_2` suffixes. */
  readonly env: readonly string[]
  /** Environment variable of the account that `quirks.credential` wants before the key, as `account:key`. */
  readonly accountEnv?: string
  /** A guess for imports and hints; never a validation. */
  readonly keyShape?: RegExp
  /**
   * How many times the usual price per token a service tier costs, by its name in answers, where the documentation says
   * so for every model that has it. Default: unknown.
   */
  readonly tiers?: TierTimes
  /**
   * Documented prices of models that are billed in units, where the price list has none, and the least that is billed of a
   * recording; the first whose pattern matches. Default: unknown.
   */
  readonly unitPrices?: readonly { readonly match: RegExp; readonly price: DocumentedUnits }[]
  /** What tools that run at the provider cost with every model: USD per thousand uses, by kind. Default: unknown. */
  readonly toolPrices?: Readonly<Record<string, number>>
  /** Least time to allow until the first token, in milliseconds, where the provider is known to begin slowly. */
  readonly firstTokenMs?: number
  /** A local server (Ollama): no key needed, never billed, cold starts. */
  readonly local?: boolean
  /** A loopback or private address: models found there that have no price cost nothing. */
  readonly privateAddress?: boolean
  /** What it takes of its dialect; default: what the dialect's vendor takes. */
  readonly wire?: WireFacts
  /** False: the row is from documentation and was not tried. */
  readonly verified: boolean
  /** Set when the provider has shut down. */
  readonly retired?: { readonly on: string; readonly note: string }
  /** Terms worth showing (evaluation only, no reselling), one sentence. */
  readonly terms?: string
  /** What its own client libraries expect of every server, beyond the dialect. */
  readonly ownClient?: OwnClient
  /** The few things a provider does its own way; pure functions. */
  readonly quirks?: ProviderQuirks
}

/** A client library made for one provider, which may be pointed at any server of the dialect. */
export interface OwnClient {
  /** A piece of its `User-Agent`. */
  readonly sign: string
  /**
   * It never asks for the usage of a stream, and reads it in the chunk that has the finish reason: in the field to which
   * these names lead.
   */
  readonly usageInFinish?: readonly string[]
  /** It understands a streamed tool call only when every piece has the name, so only a whole one. */
  readonly wholeCalls?: true
  /** It understands an error only when its `code` is the HTTP status, as a number. */
  readonly numericErrorCodes?: true
}

/** What data cannot express; pure functions. */
interface ProviderQuirks {
  /** Last change to an outgoing body of the provider's first dialect (drop what it refuses, add its guards). */
  readonly body?: (body: Record<string, unknown>, facts: QuirkFacts) => Record<string, unknown>
  /** Makes the base URL from the key where it carries an account (Cloudflare's `account_id:token`). */
  readonly credential?: (key: string) => { readonly baseUrl?: string; readonly key: string }
  /**
   * Whether a listed model can chat, by its id and its row of the list; default: what the list's own fields do not
   * exclude.
   */
  readonly canChat?: (id: string, row?: Readonly<Record<string, unknown>>) => boolean
}

/** What a quirk may depend on. */
export interface QuirkFacts {
  /** The id sent to the provider. */
  readonly model: string
  /** Whether the answer is streamed. */
  readonly stream: boolean
  /** Nothing that bills may be called (OpenRouter `provider.max_price` 0). */
  readonly freeOnly: boolean
  /** The provider must not train on the prompt (OpenRouter `provider.data_collection: deny`). */
  readonly noTraining: boolean
}

/** Declares a provider. Users of the library may declare their own and pass it in the configuration's place. */
export function defineProvider(spec: ProviderSpec): ProviderSpec {
  return Object.freeze(spec)
}
