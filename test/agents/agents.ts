/** The coding agents of npm, and how each is pointed at a gateway. */

import { join } from 'node:path'

export interface Place {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly token: string
  /** The folder the agent works in; it holds `note.txt`. */
  readonly folder: string
  /** An empty home of its own. */
  readonly home: string
  readonly prompt: string
}

export interface Agent {
  readonly name: string
  /** Below `node_modules`; a native program, or a script for node. */
  readonly program: string
  readonly isScript: boolean
  arguments(place: Place): readonly string[]
  environment(place: Place): Readonly<Record<string, string>>
  /** Files it wants to find, by their path below `home`, or below `folder` where the name begins with `./`. */
  files?(place: Place): Readonly<Record<string, unknown>>
  /** How a model asks it for the note; the first of these tools that it offers. */
  readonly reads: readonly { readonly tool: string; readonly arguments: (file: string) => Record<string, unknown> }[]
}

const platform = `${process.platform}-${process.arch}`

export const AGENTS: readonly Agent[] = [
  {
    name: 'claude-code',
    program: join('@anthropic-ai', `claude-code-${platform}`, process.platform === 'win32' ? 'claude.exe' : 'claude'),
    isScript: false,
    arguments: ({ prompt }) => ['-p', prompt, '--allowedTools', 'Read'],
    environment: ({ origin, token }) => ({
      ANTHROPIC_BASE_URL: origin,
      ANTHROPIC_API_KEY: token,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    }),
    reads: [{ tool: 'Read', arguments: (file_path) => ({ file_path }) }],
  },
  {
    name: 'codex',
    program: join('@openai', 'codex', 'bin', 'codex.js'),
    isScript: true,
    arguments: ({ origin, prompt }) => [
      'exec',
      '--skip-git-repo-check',
      '--dangerously-bypass-approvals-and-sandbox',
      '-m',
      'gpt-5-codex',
      '-c',
      'model_provider=keywise',
      '-c',
      `model_providers.keywise={name="keywise",base_url="${origin}/v1",env_key="AGENT_KEY",wire_api="responses"}`,
      prompt,
    ],
    environment: ({ token }) => ({ AGENT_KEY: token }),
    reads: [
      { tool: 'exec_command', arguments: (file) => ({ cmd: `cat ${file}` }) },
      { tool: 'shell_command', arguments: (file) => ({ command: `cat ${file}` }) },
      { tool: 'shell', arguments: (file) => ({ command: ['cat', file] }) },
    ],
  },
  {
    name: 'gemini-cli',
    program: join('@google', 'gemini-cli', 'bundle', 'gemini.js'),
    isScript: true,
    arguments: ({ prompt }) => ['--skip-trust', '-y', '-p', prompt],
    environment: ({ origin, token }) => ({ GEMINI_API_KEY: token, GOOGLE_GEMINI_BASE_URL: origin }),
    files: () => ({ '.gemini/settings.json': { security: { auth: { selectedType: 'gemini-api-key' } } } }),
    reads: [{ tool: 'read_file', arguments: (file) => ({ file_path: file, absolute_path: file }) }],
  },
  {
    name: 'opencode',
    program: join(`opencode-${platform}`, 'bin', process.platform === 'win32' ? 'opencode.exe' : 'opencode'),
    isScript: false,
    arguments: ({ prompt }) => ['run', '-m', 'keywise/agent-model', prompt],
    environment: () => ({}),
    files: ({ origin, token }) => ({
      './opencode.json': {
        provider: {
          keywise: {
            npm: '@ai-sdk/openai-compatible',
            options: { baseURL: `${origin}/v1`, apiKey: token },
            models: { 'agent-model': { name: 'agent-model' } },
          },
        },
      },
    }),
    reads: [{ tool: 'read', arguments: (filePath) => ({ filePath }) }],
  },
  {
    name: 'qwen-code',
    program: join('@qwen-code', 'qwen-code', 'cli-entry.js'),
    isScript: true,
    arguments: ({ prompt }) => ['--auth-type', 'openai', '-y', '-p', prompt],
    environment: ({ origin, token }) => ({
      OPENAI_BASE_URL: `${origin}/v1`,
      OPENAI_API_KEY: token,
      OPENAI_MODEL: 'agent-model',
    }),
    reads: [{ tool: 'read_file', arguments: (file) => ({ file_path: file, absolute_path: file }) }],
  },
]
