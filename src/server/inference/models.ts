/** `GET /v1/models`: the models the caller may request, in the caller's protocol; aliases first. */

import { dialectOf } from '../../dialects/dialects.ts'
import type { DialectId } from '../../domain/chat.ts'
import { ModelNotFoundError } from '../../domain/errors.ts'
import { EXPERIMENT_MODEL } from '../../engine/experiments/enrol.ts'
import type { EngineReader } from '../../engine/reader.ts'
import { clientFailure } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'

interface ServedModel {
  readonly id: string
  /** The provider; `keywise` for keywise's own names. */
  readonly owner: string
  readonly contextTokens: number | null
  readonly maxOutputTokens: number | null
  readonly embeds: boolean
}

export const serveModels: Handler = async (parts, _request, response, _token, dialect) => {
  await parts.ready()
  sendJson(response, 200, LISTS[dialect](rows(parts.engine)))
}

export const serveModel =
  (id: string): Handler =>
  async (parts, _request, response, _token, dialect) => {
    await parts.ready()
    const row = rows(parts.engine).find((one) => one.id === id.replace(/^models\//, ''))
    if (row !== undefined) return sendJson(response, 200, ROWS[dialect](row))
    const error = new ModelNotFoundError(id.slice(0, 200), parts.engine.registry.names.nearest(id))
    sendFailure(response, dialectOf(dialect), clientFailure(error, '', parts.engine.now))
  }

const OURS = ['auto', 'auto:fast', 'auto:cheap', 'auto:smart']

function rows(engine: EngineReader): ServedModel[] {
  const { targets, config } = engine.registry
  const experiments = engine.experiments.running().map((name) => `${EXPERIMENT_MODEL}${name}`)
  const names = [...OURS, ...experiments, ...Object.keys(config.settings.models).filter((name) => !name.includes('*'))]
  const own = names.map(
    (id): ServedModel => ({ id, owner: 'keywise', contextTokens: null, maxOutputTokens: null, embeds: false }),
  )
  const served = new Map<string, ServedModel>()
  for (const { model, provider, profile } of targets) {
    if (profile.abilities.chat === false && profile.abilities.embeddings !== true) continue
    if (!served.has(model))
      served.set(model, {
        id: model,
        owner: provider,
        contextTokens: profile.contextTokens,
        maxOutputTokens: profile.maxOutputTokens,
        embeds: profile.abilities.embeddings === true,
      })
  }
  return [...own, ...served.values()]
}

type Write<T> = { readonly [D in DialectId]: (value: T) => unknown }

const openaiRow = ({ id, owner, contextTokens }: ServedModel) => ({
  id,
  object: 'model',
  created: 0,
  owned_by: owner,
  ...(contextTokens !== null && { context_window: contextTokens }),
})
const anthropicRow = ({ id, contextTokens, maxOutputTokens }: ServedModel) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '1970-01-01T00:00:00Z',
  ...(contextTokens !== null && { max_input_tokens: contextTokens }),
  ...(maxOutputTokens !== null && { max_tokens: maxOutputTokens }),
})
const googleRow = ({ id, contextTokens, maxOutputTokens, embeds }: ServedModel) => ({
  name: `models/${id}`,
  displayName: id,
  inputTokenLimit: contextTokens ?? 131_072,
  outputTokenLimit: maxOutputTokens ?? 8192,
  supportedGenerationMethods: embeds ? ['embedContent'] : ['generateContent', 'streamGenerateContent', 'countTokens'],
})

const ROWS: Write<ServedModel> = {
  openai: openaiRow,
  'openai-responses': openaiRow,
  anthropic: anthropicRow,
  google: googleRow,
}

const openaiList = (all: readonly ServedModel[]) => ({ object: 'list', data: all.map(openaiRow) })
const LISTS: Write<readonly ServedModel[]> = {
  openai: openaiList,
  'openai-responses': openaiList,
  anthropic: (all) => ({
    data: all.map(anthropicRow),
    has_more: false,
    first_id: all[0]?.id ?? null,
    last_id: all.at(-1)?.id ?? null,
  }),
  google: (all) => ({ models: all.map(googleRow) }),
}
