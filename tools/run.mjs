// The launcher: runs the project's scripts on any machine whose node is 18 or newer. It finds (or installs) a node that
// is new enough, installs the packages that are missing, then starts the tool. Only syntax that node 18 knows.
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment, runChild } from './child.mjs'
import { findNode } from './findNode.mjs'
import { installMissing, tell } from './install.mjs'
import { tasksOf } from './tasks.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const tasks = tasksOf(root)
const [name = '', ...args] = process.argv.slice(2)
const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined

if (task) {
  process.exit(await run(task).catch(explain))
} else {
  tell(`unknown task ${JSON.stringify(name)}; one of: ${Object.keys(tasks).join(', ')}`)
  process.exit(2)
}

async function run(task) {
  const node = await findNode(root, name)
  if (task.needs !== 'nothing') await installMissing(root, { node, runtimeOnly: task.needs === 'runtime' })
  const announcement = task.announcement?.(args)
  if (announcement) tell(announcement)
  const cwd = task.whereCalled ? process.cwd() : root
  for (const command of task.commands(args)) {
    const code = await runChild(node, command, { cwd, stdio: 'inherit', env: environment(node) })
    if (code !== 0) return code
  }
  return 0
}

function explain(error) {
  tell(`cannot install here: ${error.message}`)
  return 1
}
