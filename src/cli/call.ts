/** `keywise call "prompt"`: one request. The answer goes to stdout, the trail of attempts to stderr. */

import { text } from 'node:stream/consumers'
import { demandKeys } from '../config/demandKeys.ts'
import { blockedText } from '../dialects/fields/blocked.ts'
import { AllTargetsFailedError, InvalidRequestError, KeywiseError } from '../domain/errors.ts'
import type { CallOptions } from '../engine/request/readContext.ts'
import { APIManager, type CallResult } from '../manager/apiManager.ts'
import { attemptLines } from '../observe/callLog.ts'
import type { CommandContext, RunCommand } from './command.ts'
import { dollars, duration, type Printer, printer, wholeNumber } from './output.ts'
import { interrupted } from './stop.ts'
import { engineOptions } from './withEngine.ts'

export const run: RunCommand = async (context) => {
  const { options, stdout, stderr, env } = context
  const call = await readCall(context)
  const manager = new APIManager(engineOptions(context))
  const interrupt = interrupted()
  try {
    demandKeys(manager.engine.registry.config)
    printTrail(manager, printer(stderr, env))
    const out = printer(stdout, env)
    const result = await ask(manager, { ...call, signal: interrupt.signal }, context, out)
    if (options['json']) out.json(result)
    printEnd(result, printer(stderr, env))
    // A program that reads the text must not take a blocked answer for an empty one.
    return result.blocked !== undefined && result.content === '' ? 1 : 0
  } finally {
    interrupt.release()
    await manager.close()
  }
}

async function readCall({ args, options }: CommandContext): Promise<CallOptions> {
  const prompt = args[0] === '-' ? await text(process.stdin) : args[0]
  const maxTokens = wholeNumber(options['maxTokens'], '--max-tokens')
  const timeoutMs = wholeNumber(options['timeout'], '--timeout')
  if (prompt === undefined || prompt.trim() === '')
    throw new InvalidRequestError('the prompt is empty', { parameter: 'prompt' })
  return {
    prompt,
    ...(typeof options['model'] === 'string' && { model: options['model'] }),
    ...(typeof options['system'] === 'string' && { system: options['system'] }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
}

/** Prints the text, streamed or all at once; with --json a failure is printed as JSON too. */
async function ask(manager: APIManager, call: CallOptions, { options }: CommandContext, out: Printer) {
  try {
    if (options['stream']) return await stream(manager, call, out, options['json'] === true)
    const result = await manager.callWithFallback({ ...call })
    if (!options['json']) out.lines(result.content)
    return result
  } catch (error) {
    if (options['json'] && error instanceof KeywiseError) out.json(failureOf(error))
    throw error
  }
}

async function stream(manager: APIManager, call: CallOptions, out: Printer, quietly: boolean): Promise<CallResult> {
  const answer = manager.streamWithFallback({ ...call })
  if (quietly) return answer.result
  for await (const event of answer) if (event.type === 'text-delta') out.write(event.text)
  out.line()
  return answer.result
}

function failureOf(error: KeywiseError) {
  const retryAt = error instanceof AllTargetsFailedError ? error.retryAt : null
  return { error: { code: error.code, message: error.message, retryAt }, attempts: error.attempts }
}

/** Prints each attempt as soon as it has failed or answered. */
function printTrail(manager: APIManager, trail: Printer): void {
  let number = 0
  const most = manager.engine.registry.config.settings.maxAttempts
  manager.on('attempt', (attempt) => {
    for (const line of attemptLines(attempt, ++number, most)) trail.line(line)
  })
}

function printEnd(
  { requestId, responseTime, usage, costUsd, costAtLeastUsd, blocked }: CallResult,
  trail: Printer,
): void {
  if (blocked !== undefined) trail.line(`  ${blockedText(blocked)}`)
  const cost = costAtLeastUsd === undefined ? dollars(costUsd) : `at least ${dollars(costAtLeastUsd)}`
  const tokens = `${usage.inputTokens} + ${usage.outputTokens} tokens${usage.estimated ? ' (estimated)' : ''}`
  trail.line(trail.paint('dim', `  ${duration(responseTime)}, ${tokens}, ${cost}, ${requestId}`))
}
