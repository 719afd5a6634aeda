// docs/settings.md: everything that may stand in config/api-keys.json, from the schema that validates it.
import { jsonSchema } from '../src/config/schema.ts'

/** Throws when a setting has no description. */
export function settingsPage() {
  const schema = jsonSchema()
  const find = finder(schema)
  const { settings, providers } = find(schema).properties
  const block = find(find(providers).additionalProperties)
  const key = find(objectIn(find(block.properties.api_key), find))
  const model = find(objectIn(find(block.properties.models), find))
  const contract = find(block.properties.contract)
  const terms = find(find(contract.properties.models).additionalProperties)
  const alias = find(objectIn(find(find(find(settings).properties.models).additionalProperties), find))
  const groups = Object.entries(find(settings).properties).map(([name, raw]) => [name, find(raw)])
  const isGroup = ([, node]) => node.properties !== undefined
  const text = [
    '# Settings',
    '',
    'Everything that `config/api-keys.json` may hold, with its default. Names are snake_case; times end in `_ms`, amounts of',
    'money in `usd`. An edit takes effect within a second; one that is invalid is reported with line, column and path, and',
    'the configuration before it stays in force. For completion in an editor put',
    '`"$schema": "./node_modules/keywise/keywise.schema.json"` into the file. This page is made from the schema; after a',
    'change there, `npm run docs` writes it anew.',
    '',
    '## A provider',
    '',
    'Under its name at the top of the file: `{ "groq": { "api_key": "…" } }`.',
    '',
    ...table(withoutFields(block.properties, 'contract'), '', find),
    '### A key',
    '',
    'Where a key is an object: `{ "api_keys": [{ "key": "…", "label": "work" }] }`.',
    '',
    ...table(withoutFields(key.properties, 'contract'), '', find),
    '### A model',
    '',
    'Where a model is an object: `{ "models": [{ "id": "…", "price": { "input": 0, "output": 0 } }] }`.',
    '',
    ...table(model.properties, '', find),
    '### A contract',
    '',
    'As `contract` in a block, for all of its keys, or beside a key, in the place of that. What it does:',
    '[prices.md](prices.md#contracts-hours-and-free-quotas).',
    '',
    ...table(contract.properties, 'contract.', find),
    'The terms of a model in `contract.models`: those of a price (above), where `input` and `output` may both be absent, and',
    '',
    ...table({ times: terms.properties.times, hours: terms.properties.hours }, '', find),
    '## Settings',
    '',
    'Under `settings`. First those that stand by themselves:',
    '',
    ...table(Object.fromEntries(groups.filter((one) => !isGroup(one))), '', find),
    '### An alias by condition',
    '',
    'Where a name of `settings.models` is an object: `{ "coder": { "needs": ["tools"], "max_usd_out": 2 } }`. How it is used:',
    '[gateway.md](gateway.md#aliases-that-fill-themselves).',
    '',
    ...table(alias.properties, '', find),
    ...groups
      .filter(isGroup)
      .flatMap(([name, node]) => [`### settings.${name}`, '', ...table(node.properties, '', find)]),
  ]
  return text.join('\n').trimEnd().concat('\n')
}

/** Resolves a node's reference; what stands beside it goes before what it refers to. */
function finder(schema) {
  return function find(node) {
    const { $ref, ...own } = node
    return $ref === undefined ? node : { ...find(schema.$defs[$ref.split('/').pop()]), ...own }
  }
}

/** The object among the forms that something may be written in, also in a list. */
function objectIn(node, find) {
  const forms = [node, ...(node.anyOf ?? [])].map(find)
  const lists = forms.flatMap(({ items }) => (items === undefined ? [] : [find(items), ...(find(items).anyOf ?? [])]))
  const found = [...lists, ...forms].map(find).find((one) => one.properties !== undefined)
  if (found === undefined) throw new Error('the schema has no object form here')
  return found
}

/** Without a field that has a table of its own. */
function withoutFields(properties, name) {
  return Object.fromEntries(Object.entries(properties).filter(([field]) => field !== name))
}

/** How the schema describes fields of other programs, which need no row. */
const UNUSED = 'kept, not used'

function table(properties, path, find) {
  const all = rowsOf(properties, path, find)
  const unused = all.filter(({ doc }) => doc?.endsWith(UNUSED)).map(({ name }) => `\`${name}\``)
  const rows = all.filter(({ doc }) => !doc?.endsWith(UNUSED))
  const silent = rows.filter(({ doc }) => doc === undefined).map(({ name }) => name)
  if (silent.length > 0) throw new Error(`these settings have no description: ${silent.join(', ')}`)
  return [
    '| name | values | default | meaning |',
    '|---|---|---|---|',
    ...rows.map(({ name, type, standard, doc }) => {
      const value = standard === undefined ? '' : `\`${cell(JSON.stringify(standard))}\``
      return `| \`${name}\` | ${cell(type)} | ${value} | ${cell(doc)} |`
    }),
    '',
    ...(unused.length === 0 ? [] : [`Fields that other programs keep there are left alone: ${unused.join(', ')}.`, '']),
  ]
}

function rowsOf(properties, path, find) {
  return Object.entries(properties).flatMap(([key, raw]) => {
    const node = find(raw)
    const name = `${path}${key}`
    const item = node.items && find(node.items)
    if (node.properties !== undefined) return rowsOf(node.properties, `${name}.`, find)
    const row = { name, type: typeOf(node, find), standard: node.default, doc: node.description }
    return item?.properties === undefined ? [row] : [row, ...rowsOf(item.properties, `${name}[].`, find)]
  })
}

function typeOf(node, find) {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ')
  const forms = node.anyOf ?? node.oneOf
  if (forms !== undefined) return [...new Set(forms.map((one) => typeOf(find(one), find)))].join(' or ')
  if (Array.isArray(node.type)) return node.type.join(' or ')
  if (node.type === 'array') return node.items === undefined ? 'list' : `list of ${typeOf(find(node.items), find)}`
  if (node.type === 'object' && node.additionalProperties)
    return `object of ${typeOf(find(node.additionalProperties), find)}`
  return `${node.type ?? 'anything'}${rangeOf(node)}`
}

/** Bounds that a person could meet. */
const FAR = 1e12

function rangeOf({ minimum, exclusiveMinimum, maximum }) {
  const least = minimum !== undefined && minimum > -FAR ? `${minimum}` : undefined
  const from = least ?? (exclusiveMinimum === undefined ? undefined : `above ${exclusiveMinimum}`)
  const to = maximum !== undefined && maximum < FAR ? maximum : undefined
  if (to !== undefined) return ` (${from === undefined ? 'at most' : `${from} to`} ${to})`
  if (from === undefined) return ''
  return from === least ? ` (${from} or more)` : ` (${from})`
}

const cell = (text) => text.replaceAll('|', '\\|')
