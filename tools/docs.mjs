// Writes docs/library.md from the types behind src/index.ts, and docs/settings.md from keywise.schema.json's source.
// `npm run docs`; test/docs.test.ts fails while the pages are behind. Our sources are formatted by one tool, so reading
// them by line and indentation is exact: a declaration starts in the first column and its members in the third.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FAILURE_KINDS } from '../src/domain/failure.ts'
import { settingsPage } from './settingsPage.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** Section, its sentence, and the declarations it shows: `file name`, the file below src/. */
const SECTIONS = [
  [
    'Opening',
    'Options of `new APIManager(options)`. Importing or constructing opens no connection.',
    ['manager/engineOptions EngineOptions', 'manager/apiManager APIManagerOptions', 'domain/logger Logger'],
  ],
  ['APIManager', 'The methods of a manager.', ['manager/apiManager APIManager']],
  [
    'A call',
    'What `callWithFallback`, `streamWithFallback` and `rankTargets` take.',
    [
      'engine/request/readContext CallContext',
      'engine/request/readContext CallOptions',
      'engine/request/readContext Template',
    ],
  ],
  [
    'A result',
    'What `callWithFallback` resolves with.',
    [
      'manager/apiManager CallResult',
      'domain/chat Usage',
      'domain/chat FinishReason',
      'domain/attempt AttemptReport',
      'domain/failure FailureKind',
    ],
  ],
  [
    'A stream',
    'What `streamWithFallback` returns.',
    ['manager/callStream CallStream', 'manager/callStream StreamEvent'],
  ],
  ['APIClient', "The supervisor's interface.", ['manager/apiClient APIClient', 'manager/apiClient APIClientOptions']],
  [
    'Ranking and counts',
    'What `rankTargets` and `getSessionSummary` return.',
    ['manager/apiManager RankedRow', 'routing/score Terms', 'engine/memory/summary SessionSummary'],
  ],
  [
    'Events',
    'What listeners of `on(event, listener)` receive. A listener that throws does not disturb the call.',
    [
      'observe/events EventMap',
      'observe/events DecisionNews',
      'observe/events ExhaustedNews',
      'observe/events RecoveredNews',
      'observe/events BudgetNews',
      'observe/events AlertNews',
    ],
  ],
  [
    'Testing keys',
    '`testApiKeys(options)` is what `keywise test` runs.',
    [
      'tester/apiKeyTester testApiKeys',
      'tester/apiKeyTester TestOptions',
      'tester/runOptions RunOptions',
      'tester/runOptions Filters',
      'tester/runOptions TestObserver',
      'tester/runOptions TestPlan',
      'tester/runOptions PlannedTarget',
      'tester/report TestReport',
      'tester/report Fastest',
      'tester/report TestCost',
      'tester/testResult TestResult',
      'tester/testResult SkippedTest',
    ],
  ],
  [
    'Experiments',
    'What `experiment(name)` returns. See [experiments](experiments.md).',
    ['views/experiments ExperimentRow'],
  ],
  [
    'Errors',
    'Every error has a stable `code`, the attempts made before it, and a message that says what to do. Where two copies of the package may be loaded, `isKeywiseError(error)` recognises the errors of both; `instanceof` only those of its own.',
    [
      'domain/errors isKeywiseError',
      'domain/errors ErrorCode',
      'domain/errors KeywiseError',
      'domain/errors AllTargetsFailedError',
      'domain/errors BudgetExceededError',
      'domain/errors InvalidRequestError',
      'domain/errors ModelNotFoundError',
      'domain/errors ConfigError',
      'domain/errors VaultError',
      'domain/errors StoreError',
      'domain/errors AbortedError',
    ],
  ],
  [
    'Providers of your own',
    'For `options.providers`; a server that speaks a known dialect needs only `dialect` and `endpoint` in the configuration.',
    ['providers/provider defineProvider', 'providers/provider ProviderSpec', 'domain/chat DialectId'],
  ],
]

/** The pages by their path below the root. */
export function pages() {
  return { 'docs/library.md': libraryPage(), 'docs/settings.md': settingsPage() }
}

function libraryPage() {
  const parts = SECTIONS.map(([title, sentence, entries]) =>
    [`## ${title}`, '', sentence, '', ...entries.flatMap((entry) => declaration(...entry.split(' ')))].join('\n'),
  )
  return `# The library\n\nEvery option and result, with its default, from the types themselves (\`npm run docs\`).\n\n${parts.join('\n')}`
}

function declaration(file, name) {
  const lines = readFileSync(join(root, 'src', `${file}.ts`), 'utf8').split('\n')
  const at = lines.findIndex((line) =>
    new RegExp(`^(?:export )?(?:abstract )?(?:async )?(?:interface|type|class|function) ${name}\\b`).test(line),
  )
  if (at < 0) throw new Error(`src/${file}.ts has no export ${name}`)
  const doc = docAbove(lines, at)
  const head = [`### ${name}`, '', ...(doc === '' ? [] : [doc, ''])]
  const text = wholeOf(lines, at)
  if (/^(?:export )?(?:interface|class)/.test(text[0])) return [...head, ...extended(text), ...table(members(text))]
  if (/^(?:export )?(?:async )?function/.test(text[0])) return [...head, '```ts', signature(text), '```', '']
  if (name === 'FailureKind') return [...head, failureKinds(), '']
  const isObject = /= \{$/.test(text[0])
  return isObject
    ? [...head, ...table(members(text))]
    : [...head, '```ts', ...text.map((line) => line.replace(/^export /, '')), '```', '']
}

const failureKinds = () => FAILURE_KINDS.map((kind) => `\`${kind}\``).join(', ')

/** The declaration's lines, to the first one after its head that stands in the first column again. */
function wholeOf(lines, at) {
  let end = at + 1
  while (end < lines.length && !/^\S/.test(lines[end]) && lines[end] !== '') end++
  if (/[{(]$/.test(lines[at]) || /^[})]/.test(lines[end] ?? '')) {
    end = at + 1
    while (end < lines.length && !/^[})]/.test(lines[end])) end++
    return lines.slice(at, end + 1)
  }
  return lines.slice(at, end)
}

const signature = (text) =>
  text
    .slice(0, text.findIndex((line) => /\{$/.test(line)) + 1)
    .join('\n')
    .replace(/^export /, '')
    .replace(/ \{$/, '')

function extended([head]) {
  const parents = /extends (.+) \{$/.exec(head)?.[1]
  return parents === undefined || parents === 'Error' ? [] : [`Extends \`${parents}\`.`, '']
}

/** Name, type and meaning of every member. */
function members(text) {
  const rows = []
  for (let at = 1; at < text.length - 1; at++) {
    const line = text[at]
    if (!/^ {2}[\w[]/.test(line) || /^ {2}(?:constructor|static|get |set |(?:readonly |async )?#)/.test(line)) continue
    const doc = docAbove(text, at)
    if (doc.includes('@internal')) continue
    const whole = [line]
    const ends = isMethod(line)
      ? (text) => /(?:\{|[^,(])$/.test(text) && !open(text.replace(/\{$/, ''))
      : (text) => !open(text)
    while (!ends(whole.join('\n')) && at + 1 < text.length - 1) whole.push(text[++at])
    const [, name, optional, type] =
      /^ {2}(?:readonly |async )?(\[?[\w.]+\]?)(\??)(?:: )?([\s\S]*)$/.exec(whole.join('\n')) ?? []
    if (name === undefined || name.startsWith('[')) continue
    rows.push({ name: `${name}${optional}`, type: tidy(type), doc })
  }
  return rows
}

const isMethod = (line) => /^ {2}(?:async )?\w+(?:<[^(]*>)?\(/.test(line)
const open = (text) => count(text, /[{([]/g) > count(text, /[})\]]/g)
const count = (text, pattern) => text.match(pattern)?.length ?? 0

function tidy(type) {
  const inline = type
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replace(/\{$/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ')
  return inline
    .replaceAll('readonly ', '')
    .replace(/,? ([})])/g, ' $1')
    .trim()
}

function table(rows) {
  if (rows.length === 0) return []
  const cell = (text) => text.replaceAll('|', '\\|')
  return [
    '| name | type | meaning |',
    '|---|---|---|',
    ...rows.map(({ name, type, doc }) => `| \`${name}\` | \`${cell(type)}\` | ${cell(doc)} |`),
    '',
  ]
}

/** The doc comment that ends on the line above. */
function docAbove(lines, at) {
  const end = at - 1
  if (!lines[end]?.trimEnd().endsWith('*/')) return ''
  let begin = end
  while (begin >= 0 && !lines[begin].trim().startsWith('/**')) begin--
  const text = lines.slice(begin, end + 1).map((line) =>
    line
      .trim()
      .replace(/^\/\*\* ?/, '')
      .replace(/\*\/$/, '')
      .replace(/^\* ?/, '')
      .trim(),
  )
  return text.filter(Boolean).join(' ')
}

if (import.meta.main) for (const [file, text] of Object.entries(pages())) writeFileSync(join(root, file), text)
