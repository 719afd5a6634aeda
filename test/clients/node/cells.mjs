// Runs one client: a cell a line comes in, what came of it goes out, until the input ends. A client is a module beside
// this one; its functions are named after the operations and take the cell, and what it lacks it does not have. `stream`
// is a generator of texts that gives `cell.signal` to its client.
import { createInterface } from 'node:readline'
import { RUN } from './report.mjs'

const [name = ''] = process.argv.slice(2)
// What libraries print themselves must not come between the answers.
const say = process.stdout.write.bind(process.stdout)
for (const method of ['log', 'info', 'debug']) console[method] = console.error
// A promise that a library forgot must not end the cells after it.
process.on('unhandledRejection', console.error)
const client = await import(`./${name}.mjs`)
say('{}\n')
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  say(`${JSON.stringify(await answer(asked.operation, cellOf(asked)))}\n`)
}
process.exit(0)

function cellOf({ task, origin, token, model, variant }) {
  const controller = new AbortController()
  const cell = { ...task, origin, token, model, variant, calls: [], usage: null, controller, signal: controller.signal }
  /** Calls a tool with arguments that are a text of JSON, or what was read from one. */
  cell.run = (name, written) => {
    const given = typeof written === 'string' ? JSON.parse(written) : written
    cell.calls.push({ name, arguments: given })
    return RUN[name](given)
  }
  return cell
}

async function answer(operation, cell) {
  if (client[operation === 'abort' ? 'stream' : operation] === undefined) return { missing: true }
  if (operation === 'stream' || operation === 'abort') return streamed(cell, operation === 'abort')
  try {
    const key = { schema: 'object', embed: 'vectors', models: 'ids' }[operation] ?? 'text'
    return { [key]: await client[operation](cell), calls: cell.calls, usage: cell.usage }
  } catch (error) {
    return { error: described(error) }
  }
}

async function streamed(cell, aborts) {
  const pieces = []
  const told = () => ({ text: pieces.join(''), pieces: pieces.length, usage: cell.usage })
  try {
    for await (const piece of client.stream(cell)) {
      if (piece) pieces.push(piece)
      if (piece && aborts) cell.controller.abort()
    }
  } catch (error) {
    // What an aborted call says of itself is not asked for here.
    if (!aborts || pieces.length === 0) return { ...told(), error: described(error) }
  }
  return told()
}

function described(error) {
  const name = error?.constructor?.name ?? 'unknown'
  return {
    name: name === 'Error' ? (error.name ?? name) : name,
    message: String(error?.message ?? error).slice(0, 600),
  }
}
