/** `keywise models`: every model that can be requested, and the targets that serve it. */

import { abilityWord, type PriceHint } from '../domain/target.ts'
import { formatUsd } from '../money/amount.ts'
import { type MembershipView, membershipView } from '../views/membership.ts'
import type { ModelFact } from '../views/modelFacts.ts'
import { type ModelRow, type ModelsView, modelsView } from '../views/models.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { differenceLines } from './differenceLines.ts'
import { age, type Printer, plural, printer } from './output.ts'
import { refreshed } from './refreshFacts.ts'
import { withEngine } from './withEngine.ts'

export const run: RunCommand = async (context) => (await refreshed(context)) ?? (await list(context))

const list = (context: CommandContext): Promise<ExitCode> =>
  withEngine(context, async (engine) => {
    const { options, stdout, stderr, env } = context
    if (options['refresh']) {
      stderr.write("Reading the providers' lists …\n")
      await engine.lists.refresh(engine.registry.credentials, true)
    }
    const out = printer(stdout, env)
    const { explain } = options
    if (typeof explain === 'string') {
      const membership = membershipView(engine, explain)
      if (options['json']) out.json(membership)
      else printMembership(membership, out)
      return 0
    }
    const view = modelsView(engine)
    if (options['json']) out.json(view)
    else if (options['facts']) printFacts(view, out)
    else printModels(view, out)
    return 0
  })

function printModels(view: ModelsView, out: Printer): void {
  const now = Date.parse(view.generatedAt)
  const served = view.models.filter(({ keys }) => keys.length > 0)
  out.table(
    ['model', 'keys', 'context', '$ per million in/out', 'abilities', 'list'],
    served.map((model) => [
      model.id,
      model.keys.join(', '),
      model.contextTokens === null ? '?' : String(model.contextTokens),
      model.free ? 'free' : pricesText(model),
      model.abilities
        .filter((ability) => ability !== 'chat')
        .map(abilityWord)
        .join(', '),
      listText(model, now),
    ]),
  )
  const aliases = Object.entries(view.aliases)
  if (aliases.length > 0) out.line()
  for (const [alias, targets] of aliases)
    out.line(view.emptyAliases[alias] ?? `${alias} = ${targets.length === 0 ? '(nothing now)' : targets.join(', ')}`)
  for (const { id, retired, listed } of view.models) {
    if (retired === null) continue
    const instead = retired.successor === null ? '' : `; use ${retired.successor}`
    out.line(
      listed
        ? `${id} is listed, though retired by the catalogue on ${retired.on}; "auto" uses it once it has answered`
        : `${id} is retired since ${retired.on}${instead}`,
    )
  }
  for (const line of differenceLines(served.flatMap(({ differences }) => differences))) out.line(line)
  if (view.installed !== null) out.lines(`\n${installedText(view.installed)}`)
}

function installedText({ facts, published, from }: NonNullable<ModelsView['installed']>): string {
  return `${plural(facts, 'installed fact')} of ${published}, from ${from}; "keywise models --facts" shows every source`
}

/** Every value of every model with who says so and since when. */
function printFacts({ models, installed }: ModelsView, out: Printer): void {
  out.table(
    ['model', 'fact', 'value', 'source'],
    models.flatMap(({ id, facts }) => facts.map((one) => [id, one.fact, factValue(one.value), sourceText(one)])),
  )
  if (installed !== null) out.lines(`\n${installedText(installed)}\n${installed.digest}`)
}

function factValue(value: ModelFact['value']): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'number' ? value.toLocaleString('en-US') : value
}

function sourceText({ source, checkedAt, asOf }: ModelFact): string {
  if (checkedAt === null) return source
  if (source.endsWith(checkedAt)) return asOf ? `as of ${source}` : source
  return asOf ? `as of ${checkedAt}: ${source}` : `${checkedAt}: ${source}`
}

/** Who is in, in the order in which they are asked, and why each other target is not. */
function printMembership({ name, members, others, empty }: MembershipView, out: Printer): void {
  out.line(empty ?? `${name}: ${members.length} of ${members.length + others.length} targets`)
  out.line()
  const inOrder = members.some(({ group }) => group > 1)
  if (members.length > 0)
    out.table(
      [inOrder ? 'asked' : '', 'target', 'now'],
      members.map(({ target, group, reason }) => [inOrder ? String(group) : '', target, reason ?? '']),
    )
  if (members.length > 0 && others.length > 0) out.line()
  if (others.length > 0)
    out.table(
      ['not in it', 'condition', 'why'],
      others.map(({ target, condition, reason }) => [target, condition ?? '', reason]),
    )
}

/** With the keys where their contracts differ: `2 / 8 (#1), 1 / 4 (#2, #3)`. */
function pricesText({ price, prices, facts }: ModelRow): string {
  const old = facts.find(({ fact, asOf }) => fact === 'price' && asOf)
  const asOf = old === undefined ? '' : ` as of ${old.checkedAt}`
  if (prices.length < 2) return priceText(price) + asOf + freeText(prices[0])
  const keysOf = (keys: readonly number[]) => keys.map((index) => `#${index}`).join(', ')
  return prices.map((one) => `${priceText(one.price)}${freeText(one)} (${keysOf(one.keys)})`).join(', ')
}

/** `, 250000 tokens per day free` */
function freeText(price: ModelRow['prices'][number] | undefined): string {
  if (price == null || price.freeQuota === null) return ''
  const { unit, limit, per } = price.freeQuota
  return `, ${unit === 'usd' ? formatUsd(limit) : `${limit} ${unit}`} ${per === 'total' ? 'in total' : `per ${per}`} free`
}

const priceText = (price: PriceHint | null) => (price === null ? '?' : `${price.input} / ${price.output}`)

function listText({ listed, listedAt, retiresOn }: ModelRow, now: number): string {
  const read =
    listedAt === null ? 'not read yet' : `${listed ? 'listed' : 'not listed'} ${age(now - Date.parse(listedAt))} ago`
  return retiresOn === null ? read : `${read}, retires ${retiresOn}`
}
