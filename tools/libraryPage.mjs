// docs/library.md: everything the package exports, in the order in which a reader needs it.
import { readPublicTypes } from './publicTypes.mjs'

/** Title, a sentence, and what is shown there; what these refer to follows in the same section. */
const SECTIONS = [
  [
    'Opening',
    '`new APIManager(options)` opens no connection and importing the package opens nothing at all. Close it at the end, or declare it with `await using`.',
    ['APIManagerOptions', 'Logger'],
  ],
  [
    'The vault',
    'For keys that the configuration has as `vault:NAME`: [vault](vault.md). A key file or a key in the environment opens it at once.',
    ['unlockVault'],
  ],
  ['The manager', 'One per process and configuration; calls may run in parallel.', ['APIManager']],
  [
    'A call',
    'What `callWithFallback`, `streamWithFallback` and `rankTargets` take.',
    ['CallContext', 'CallOptions', 'Template'],
  ],
  [
    'A result',
    'What `callWithFallback` resolves with.',
    ['CallResult', 'Usage', 'FinishReason', 'Blocked', 'AttemptReport', 'FailureKind'],
  ],
  ['A stream', 'What `streamWithFallback` returns.', ['CallStream', 'StreamEvent', 'MediaOutput']],
  ['The small client', 'The interface of one method, for programs written for it.', ['APIClient', 'APIClientOptions']],
  ['Ranking and counts', 'What `rankTargets` and `getSessionSummary` return.', ['RankedRow', 'SessionSummary']],
  [
    'Events',
    'What listeners of `manager.on(event, listener)` receive. A listener that throws is logged and does not disturb the call.',
    ['EventMap'],
  ],
  [
    'Testing keys',
    'What `keywise test` runs.',
    ['testApiKeys', 'TestOptions', 'TestPlan', 'TestReport', 'TestResult', 'SkippedTest'],
  ],
  [
    'Experiments',
    'What `experiment`, `startExperiment` and `stopExperiment` return; how they work: [experiments](experiments.md).',
    ['ExperimentRow'],
  ],
  [
    'Errors',
    'Each has a stable `code`, the attempts made before it, and a message that says what to do.',
    [
      'isKeywiseError',
      'KeywiseError',
      'ErrorCode',
      'AllTargetsFailedError',
      'BudgetExceededError',
      'InvalidRequestError',
      'ModelNotFoundError',
      'ConfigError',
      'VaultError',
      'StoreError',
      'AbortedError',
      'ClosedError',
    ],
  ],
  [
    'Providers of your own',
    'For `options.providers`. A server that speaks a known dialect needs only `dialect` and `endpoint` in the configuration.',
    ['defineProvider', 'ProviderSpec', 'DialectId'],
  ],
]

/** Shown by name only: a store of one's own is not supported, and an engine is internal. */
const OPAQUE = new Set(['Store', 'Engine', 'Listener'])

/**
 * Throws when an export has no place on the page, or a field no sentence.
 * @param {string} root
 */
export function libraryPage(root) {
  const types = readPublicTypes(root, OPAQUE)
  try {
    return write(types)
  } finally {
    types.close()
  }
}

function write({ exported, describe }) {
  const placed = SECTIONS.flatMap(([, , names]) => names)
  const homeless = exported.filter((name) => !placed.includes(name))
  if (homeless.length > 0)
    throw new Error(`give these exports a place in tools/libraryPage.mjs: ${homeless.join(', ')}`)
  const seen = new Set(placed)
  const sections = SECTIONS.map(([title, sentence, names]) => {
    const here = [...names]
    const shown = []
    // The list grows while it is walked: what a declaration refers to follows it.
    for (const name of here) {
      const one = describe(name)
      shown.push(one)
      for (const mentioned of one.mentions) {
        if (seen.has(mentioned)) continue
        seen.add(mentioned)
        here.push(mentioned)
      }
    }
    return { title, sentence, shown }
  })
  const silent = sections.flatMap(({ shown }) => shown.flatMap(withoutSentence))
  if (silent.length > 0) throw new Error(`these have no doc comment:\n${silent.join('\n')}`)
  return [
    '# The library',
    '',
    'Every export of the package, with types, defaults and units. Fields are read-only; `?` marks what may be absent. Times',
    'ending in `Ms` are milliseconds, amounts ending in `Usd` are US dollars. This page is made from the types and comments',
    'in `src/`; after a change there, `npm run docs` writes it anew.',
    '',
    ...sections.flatMap((section) => [`- [${section.title}](#${anchor(section.title)})`]),
    '',
    ...sections.flatMap(({ title, sentence, shown }) => [
      `## ${title}`,
      '',
      sentence,
      '',
      ...shown.flatMap((one) => declaration(one, seen)),
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n')
}

function withoutSentence({ name, kind, fields = [], rows = [] }) {
  const members = kind === 'class' ? rows.map(({ text, doc }) => ({ name: text, doc })) : fields
  return members.filter(({ doc }) => doc === '').map((member) => `${name}: ${member.name}`)
}

function declaration({ name, kind, doc, examples, text, fields, rows, code, parents }, names) {
  const about = [
    ...(code === undefined ? [] : [`\`code\`: \`${code}\`.`]),
    ...parents.map((parent) => `It also has every field of ${link(parent.name)}${exceptFor(parent.without)}.`),
  ].join(' ')
  return [
    `### ${name}`,
    '',
    ...(doc === '' ? [] : [doc, '']),
    ...(about === '' ? [] : [about, '']),
    ...(kind === 'fields' ? fieldTable(fields, names) : []),
    ...(kind === 'class' ? rows.flatMap(method) : []),
    ...(kind === 'values' || kind === 'variants' ? valueTable(rows, kind, names) : []),
    ...(text === undefined ? [] : ['```ts', text, '```', '']),
    ...examples.flatMap(example),
  ]
}

const exceptFor = (names) => (names.length === 0 ? '' : ` but ${names.map((name) => `\`${name}\``).join(', ')}`)

const method = ({ text, doc, examples }) => [`#### \`${text}\``, '', doc, '', ...examples.flatMap(example)]

const example = (text) => ['```ts', text, '```', '']

function fieldTable(fields, names) {
  if (fields.length === 0) return []
  const hasDefaults = fields.some(({ standard }) => standard !== undefined)
  const row = ({ name, type, doc, standard }) =>
    line([`\`${name}\``, typeCell(type, names), ...(hasDefaults ? [cell(literal(standard ?? ''))] : []), cell(doc)])
  return [
    line(['name', 'type', ...(hasDefaults ? ['default'] : []), 'meaning']),
    hasDefaults ? '|---|---|---|---|' : '|---|---|---|',
    ...fields.map(row),
    '',
  ]
}

/** A default that is a value rather than words. */
const literal = (text) => (/^(?:'[^']*'|[\d.]+|true|false)$/.test(text) ? `\`${text}\`` : text)

function valueTable(rows, kind, names) {
  if (rows.every(({ doc }) => doc === '')) return [`${rows.map(({ text }) => typeCell(text, names)).join(', ')}.`, '']
  const head = kind === 'values' ? 'value' : 'form'
  return [
    line([head, 'meaning']),
    '|---|---|',
    ...rows.map(({ text, doc }) => line([typeCell(text, names), cell(doc)])),
    '',
  ]
}

/** A link where the type names one declaration of the page. */
function typeCell(type, names) {
  const mentioned = [...new Set(type.match(/\b[A-Z]\w+/g) ?? [])].filter((name) => names.has(name))
  const code = `\`${cell(type)}\``
  return mentioned.length === 1 ? `[${code}](#${anchor(mentioned[0])})` : code
}

const link = (name) => `[${name}](#${anchor(name)})`
const anchor = (title) => title.toLowerCase().replaceAll(' ', '-')
const cell = (text) => text.replaceAll('|', '\\|')
const line = (cells) => `| ${cells.join(' | ')} |`
