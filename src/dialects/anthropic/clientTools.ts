/**
 * Tools that Anthropic's models know without a schema and that the client runs. For any other model they are functions
 * with the input that is documented for them:
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/bash-tool, …/text-editor-tool, …/memory-tool, and the
 * types of the SDK (`@anthropic-ai/sdk` 1.12, `@ai-sdk/anthropic` 4.0; all read 2026-11-30). The text that is inserted is
 * `insert_text` from the editor of 2025-04-29 on: https://github.com/anthropics/claude-quickstarts/issues/348.
 *
 * Using a computer or a browser is not among them: it takes a model that was trained to read where things are on a
 * screen.
 */

import type { Tool } from '../../domain/chat.ts'

type Described = Required<Pick<Tool, 'description' | 'parameters'>>
type Schema = Readonly<Record<string, unknown>>

/** The function that stands for a tool of this type; undefined for what runs at the provider. */
export function clientTool(type: unknown): Described | undefined {
  return typeof type === 'string' ? TOOLS.find(([match]) => match.test(type))?.[1] : undefined
}

const text = (description: string): Schema => ({ type: 'string', description })
const line = (description: string): Schema => ({ type: 'integer', description })
const commands = (...names: string[]): Schema => ({ type: 'string', enum: names, description: 'What to do.' })

/** Which of the others a command needs is said in words: schemas of alternatives are refused by most services. */
function described(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  ...required: string[]
): Described {
  return { description, parameters: { type: 'object', properties, required } }
}

const BASH = described(
  'Runs a command in a bash session and returns what it writes. The session keeps its working directory, variables and ' +
    'files from one call to the next.',
  {
    command: text('The command to run. Required unless "restart" is true.'),
    restart: { type: 'boolean', description: 'True to start the session anew instead of running a command.' },
  },
)

const VIEWED = {
  type: 'array',
  items: { type: 'integer' },
  description: 'For "view" of a file: its first and last line to show, counted from 1; -1 as the last: to the end.',
}
const WRITTEN = text('For "create": the whole text of the file.')
const REPLACED = text('For "str_replace": the text to replace, exactly as it is in the file, where it must be once.')
const INSERTED_AT = line('For "insert": the line after which the text goes; 0: to the beginning of the file.')
const INSERTED = text('For "insert": the text to insert.')

const EDITOR_WORDS =
  'Shows and changes text files: shows a file or lists a folder, creates a file, replaces or inserts text'
const EDITOR = {
  path: text('The file or folder.'),
  view_range: VIEWED,
  file_text: WRITTEN,
  old_str: REPLACED,
  insert_line: INSERTED_AT,
}

const OLD_EDITOR = described(
  `${EDITOR_WORDS}, undoes the last change of a file.`,
  {
    command: commands('view', 'create', 'str_replace', 'insert', 'undo_edit'),
    ...EDITOR,
    new_str: text('For "str_replace": the text in its place. For "insert": the text to insert.'),
  },
  'command',
  'path',
)

const NEW_EDITOR = described(
  `${EDITOR_WORDS}.`,
  {
    command: commands('view', 'create', 'str_replace', 'insert'),
    ...EDITOR,
    new_str: text('For "str_replace": the text in its place.'),
    insert_text: INSERTED,
  },
  'command',
  'path',
)

const MEMORY = described(
  'Keeps notes in files below /memories from one conversation to the next. Look there first for what is known about the ' +
    'task, and write down what will be of use later.',
  {
    command: commands('view', 'create', 'str_replace', 'insert', 'delete', 'rename'),
    path: text('The file or folder, below /memories. Required but for "rename".'),
    view_range: VIEWED,
    file_text: WRITTEN,
    old_str: REPLACED,
    new_str: text('For "str_replace": the text in its place.'),
    insert_line: INSERTED_AT,
    insert_text: INSERTED,
    old_path: text('For "rename": the file or folder.'),
    new_path: text('For "rename": what it is called from then on.'),
  },
  'command',
)

/** A later version of a tool is taken to have the input of the last one that is known. */
const TOOLS: readonly (readonly [type: RegExp, described: Described])[] = [
  [/^bash_\d{8}$/, BASH],
  [/^text_editor_(?:20241022|20250124)$/, OLD_EDITOR],
  [/^text_editor_\d{8}$/, NEW_EDITOR],
  [/^memory_\d{8}$/, MEMORY],
]
