import type { ArgumentNames } from './argumentNames.ts'

/** What has to be changed in an answer because the request was fitted to its service. */
export interface AnswerChanges {
  /** Names of tools as the service knows them, and as the client knows them. */
  readonly toolNames?: ReadonlyMap<string, string>
  /** The client's names of tools that the service knows as functions of one text. */
  readonly customTools?: ReadonlySet<string>
  /** By the client's name of a tool: how the service calls its arguments. */
  readonly argumentNames?: ReadonlyMap<string, ArgumentNames>
  /** Sequences at which keywise ends the answer, because the service does not. */
  readonly stop?: readonly string[]
  /** How many answers are cut there; default: one. */
  readonly answers?: number
  /** The answer's text is JSON with its real text in this field. */
  readonly textIn?: string
  /** The answer's text is JSON with the JSON that was asked for in this field. */
  readonly jsonIn?: string
}
