#!/usr/bin/env node
'use strict'
// The command. Written for any node back to 12, because its first duty is to say in one sentence what is wrong with an
// old one. In a clone on an older node it goes through the launcher, which brings a newer node.
var path = require('node:path')
var fs = require('node:fs')
var root = path.resolve(__dirname, '..')
var version = process.versions.node.split('.').map(Number)
var newEnough = version[0] > 22 || (version[0] === 22 && version[1] >= 19)
var args = process.argv.slice(2)
var launched

if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  // Answered here: no reason to load the program for it.
  console.log(JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).version)
} else if (newEnough) {
  quietSqliteWarning()
  import(require('node:url').pathToFileURL(program()).href)
    .then((cli) => cli.main(args))
    .catch((error) => {
      console.error('keywise: ' + (error && error.stack ? error.stack : error))
      process.exit(1)
    })
} else if (fs.existsSync(path.join(root, 'tools', 'run.mjs'))) {
  process.env.KEYWISE_CWD = process.cwd()
  launched = require('node:child_process').spawnSync(
    process.execPath,
    [path.join(root, 'tools', 'run.mjs'), 'cli'].concat(args),
    { stdio: 'inherit' },
  )
  process.exit(launched.status === null ? 1 : launched.status)
} else {
  console.error(
    'keywise needs node 22.19 or newer and this is ' +
      process.versions.node +
      '; run: npx -p node@24 -p keywise keywise',
  )
  process.exit(78)
}

// The built program; in a clone whose sources are newer than the build, the sources themselves (node strips the types).
function program() {
  var built = path.join(root, 'dist', 'cli', 'main.js')
  var source = path.join(root, 'src', 'cli', 'main.ts')
  if (!fs.existsSync(source)) return built
  return fs.existsSync(built) && fs.statSync(built).mtimeMs >= newest(path.join(root, 'src')) ? built : source
}

function newest(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).reduce((latest, entry) => {
    var file = path.join(folder, entry.name)
    return Math.max(latest, entry.isDirectory() ? newest(file) : fs.statSync(file).mtimeMs)
  }, 0)
}

// node 22 announces node:sqlite as experimental at every start; nothing a user of keywise can do about it.
function quietSqliteWarning() {
  var emit = process.emitWarning
  process.emitWarning = function (warning) {
    var text = String(warning && warning.message ? warning.message : warning)
    if (/SQLite is an experimental feature|stripping types|Type Stripping/i.test(text)) return
    return emit.apply(process, arguments)
  }
}
