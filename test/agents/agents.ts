/** The coding agents of npm, how each is pointed at a gateway, and how a model makes it read and change a file. */

import { join } from 'node:path'
import type { DialectId } from '../../src/domain/chat.ts'
import type { FakeModel } from '../../src/lab/fake/scenario.ts'

export interface Place {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly token: string
  /** The folder the agent works in; it holds `note.txt`. */
  readonly folder: string
  /** An empty home of its own. */
  readonly home: string
  readonly prompt: string
  /** The model it is told to ask for. */
  readonly model: string
  /** The tokens of the model's window, for agents that have to be told; undefined for a usual one. */
  readonly window?: number
  /** Whether it goes on with its last conversation in this folder. */
  readonly isContinued: boolean
}

/** A tool and what a model hands to it. */
export interface Call {
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** Text that is replaced in a file. */
export interface Edit {
  readonly file: string
  readonly old: string
  readonly new: string
}

export interface Agent {
  readonly name: string
  readonly dialect: DialectId
  /** What it asks for when nobody names a model of its own vendor. */
  readonly usualModel: string
  /** Below `node_modules`; a native program, or a script for node. */
  readonly program: string
  readonly isScript: boolean
  arguments(place: Place): readonly string[]
  environment(place: Place): Readonly<Record<string, string>>
  /** Files it wants to find, by their path below `home`, or below `folder` where the name begins with `./`. */
  files?(place: Place): Readonly<Record<string, unknown>>
  /** How it asks for a summary, by a piece of its prompt, and the form in which it takes one. */
  readonly summary: NonNullable<FakeModel['summary']>
  /** How a model asks it for a file; the first of these tools that it offers. */
  reads(file: string): readonly Call[]
  /** How a model changes a file; the first of these tools that it offers. */
  edits(edit: Edit): readonly Call[]
}

const SUMMARY = 'The lists are being read; the number in note.txt is still to be changed.'

const OUTPUT_TOKENS = 4096
const GEMINI_WINDOW_TOKENS = 1_048_576

const platform = `${process.platform}-${process.arch}`

export const AGENTS: readonly Agent[] = [
  {
    name: 'claude-code',
    dialect: 'anthropic',
    usualModel: 'claude-sonnet-5',
    program: join('@anthropic-ai', `claude-code-${platform}`, process.platform === 'win32' ? 'claude.exe' : 'claude'),
    isScript: false,
    arguments: ({ prompt, model, isContinued }) => [
      ...(isContinued ? ['--continue'] : []),
      ...['--model', model, '-p', prompt, '--allowedTools', 'Read,Edit'],
    ],
    environment: ({ origin, token }) => ({
      ANTHROPIC_BASE_URL: origin,
      ANTHROPIC_API_KEY: token,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    }),
    summary: {
      asked_by: 'Your task is to create a detailed summary',
      reply: `<analysis>All of it.</analysis>\n<summary>${SUMMARY}</summary>`,
    },
    reads: (file_path) => [{ tool: 'Read', arguments: { file_path } }],
    edits: ({ file, old, new: changed }) => [
      { tool: 'Edit', arguments: { file_path: file, old_string: old, new_string: changed } },
    ],
  },
  {
    name: 'codex',
    dialect: 'openai-responses',
    usualModel: 'gpt-5-codex',
    program: join('@openai', 'codex', 'bin', 'codex.js'),
    isScript: true,
    arguments: ({ origin, prompt, model, window, isContinued }) => [
      ...['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-m', model],
      ...['-c', 'model_provider=keywise', '-c'],
      `model_providers.keywise={name="keywise",base_url="${origin}/v1",env_key="AGENT_KEY",wire_api="responses"}`,
      // It shrinks a conversation before it is too long, never after: https://github.com/openai/codex (docs/config.md).
      ...(window === undefined ? [] : ['-c', `model_context_window=${window}`]),
      ...(isContinued ? ['resume', '--last'] : []),
      prompt,
    ],
    environment: ({ token }) => ({ AGENT_KEY: token }),
    summary: { asked_by: 'CONTEXT CHECKPOINT COMPACTION', reply: SUMMARY },
    reads: (file) => shellCalls(`cat ${file}`),
    edits: ({ file, old, new: changed }) => [
      {
        tool: 'apply_patch',
        arguments: { input: `*** Begin Patch\n*** Update File: ${file}\n@@\n-${old}\n+${changed}\n*** End Patch\n` },
      },
      ...shellCalls(`sed -i.old s/${old}/${changed}/ ${file}`),
    ],
  },
  {
    name: 'gemini-cli',
    dialect: 'google',
    usualModel: 'gemini-2.5-pro',
    program: join('@google', 'gemini-cli', 'bundle', 'gemini.js'),
    isScript: true,
    arguments: ({ prompt, model, isContinued }) => [
      ...['--skip-trust', '-y', '-m', model, '-p', prompt],
      ...(isContinued ? ['--resume', 'latest'] : []),
    ],
    environment: ({ origin, token }) => ({ GEMINI_API_KEY: token, GOOGLE_GEMINI_BASE_URL: origin }),
    files: ({ window }) => ({
      '.gemini/settings.json': {
        security: { auth: { selectedType: 'gemini-api-key' } },
        // It takes every model's window for that of Gemini, and shortens a conversation at a part of it. In one that it
        // has taken up it counts neither its tools nor its own prompt, of twelve thousand tokens.
        ...(window !== undefined && { model: { compressionThreshold: (0.4 * window) / GEMINI_WINDOW_TOKENS } }),
      },
    }),
    summary: { asked_by: '<state_snapshot>', reply: `<state_snapshot>${SUMMARY}</state_snapshot>` },
    reads: (file) => [{ tool: 'read_file', arguments: { file_path: file } }],
    edits: ({ file, old, new: changed }) => [
      {
        tool: 'replace',
        arguments: { file_path: file, old_string: old, new_string: changed, instruction: `Write ${changed}.` },
      },
    ],
  },
  {
    name: 'opencode',
    dialect: 'openai',
    usualModel: 'agent-model',
    program: join(`opencode-${platform}`, 'bin', process.platform === 'win32' ? 'opencode.exe' : 'opencode'),
    isScript: false,
    arguments: ({ prompt, model, isContinued }) => [
      ...['run', '-m', `keywise/${model}`, ...(isContinued ? ['--continue'] : [])],
      prompt,
    ],
    environment: () => ({}),
    files: ({ origin, token, model, window }) => ({
      './opencode.json': {
        provider: {
          keywise: {
            npm: '@ai-sdk/openai-compatible',
            options: { baseURL: `${origin}/v1`, apiKey: token },
            // It shortens a conversation only of a model whose window it is told.
            models: {
              [model]: {
                name: model,
                ...(window !== undefined && { limit: { context: window, output: OUTPUT_TOKENS } }),
              },
            },
          },
        },
      },
    }),
    summary: { asked_by: 'anchored summary', reply: SUMMARY },
    reads: (filePath) => [{ tool: 'read', arguments: { filePath } }],
    edits: ({ file, old, new: changed }) => [
      { tool: 'edit', arguments: { filePath: file, oldString: old, newString: changed } },
      {
        tool: 'apply_patch',
        arguments: {
          patchText: `*** Begin Patch\n*** Update File: ${file}\n@@\n-${old}\n+${changed}\n*** End Patch`,
        },
      },
    ],
  },
  {
    name: 'qwen-code',
    dialect: 'openai',
    usualModel: 'agent-model',
    program: join('@qwen-code', 'qwen-code', 'cli-entry.js'),
    isScript: true,
    arguments: ({ prompt, isContinued }) => [
      ...['--auth-type', 'openai', '-y', ...(isContinued ? ['--continue'] : []), '-p', prompt],
    ],
    environment: ({ origin, token, model }) => ({
      OPENAI_BASE_URL: `${origin}/v1`,
      OPENAI_API_KEY: token,
      OPENAI_MODEL: model,
    }),
    summary: { asked_by: '<state_snapshot>', reply: `<state_snapshot>${SUMMARY}</state_snapshot>` },
    reads: (file) => [{ tool: 'read_file', arguments: { file_path: file } }],
    edits: ({ file, old, new: changed }) => [
      { tool: 'edit', arguments: { file_path: file, old_string: old, new_string: changed } },
    ],
  },
]

/** The names that codex has had for its shell; for the models it knows, the shell is behind a script. */
function shellCalls(command: string): readonly Call[] {
  const script = `text((await tools.exec_command(${JSON.stringify({ cmd: command })})).output)`
  return [
    { tool: 'functions__exec', arguments: { input: script } },
    { tool: 'exec_command', arguments: { cmd: command } },
    { tool: 'shell_command', arguments: { command } },
    { tool: 'shell', arguments: { command: ['sh', '-c', command] } },
  ]
}
