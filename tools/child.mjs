// Runs a program as if it were this one: same terminal, signals passed on, exit code handed back. Only syntax that node
// 18 knows.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname } from 'node:path'

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<number>} its exit code; 128 + the signal's number when a signal ended it; 127 when it could not start
 */
export function runChild(command, args, options) {
  return new Promise((done) => {
    let child
    // Listening begins before the start: a signal in between would end only us, and leave the child to itself.
    const stop = onSignals((signal) => child?.kill(signal))
    const finish = (code) => {
      stop()
      done(code)
    }
    child = spawn(command, args, options)
    child.once('error', (error) => {
      console.error(`keywise: ${command} cannot be started: ${error.message}`)
      finish(127)
    })
    child.once('exit', (code, signal) => finish(exitCode(code, signal)))
  })
}

/**
 * Whatever is started with this finds the same node: by name, and by the variables that npm sets.
 * @param {string} node
 */
export function environment(node) {
  return {
    ...process.env,
    PATH: dirname(node) + delimiter + (process.env.PATH ?? ''),
    NODE: node,
    npm_node_execpath: node,
  }
}

/**
 * What a shell would say of an ending.
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
export function exitCode(code, signal) {
  return code ?? 128 + (signal ? constants.signals[signal] : 0)
}

function onSignals(pass) {
  const listeners = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    // A terminal sends Ctrl-C to both of us; passing it on would make it two, and the second one means "at once".
    const listener = () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) pass(signal)
    }
    process.on(signal, listener)
    return [signal, listener]
  })
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}
