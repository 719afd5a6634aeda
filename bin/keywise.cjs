#!/usr/bin/env node
'use strict'
// The command. Written for any node back to 12, because its first duty is to say in one sentence what is wrong with an
// old one. In a clone it goes through the launcher where node is too old or nothing is installed yet.
var path = require('node:path')
var fs = require('node:fs')
var toUrl = require('node:url').pathToFileURL
var root = path.resolve(__dirname, '..')
var launcher = path.join(root, 'tools', 'run.mjs')
var isClone = fs.existsSync(launcher)
var version = process.versions.node.split('.').map(Number)
var newEnough = version[0] > 22 || (version[0] === 22 && version[1] >= 19)
var args = process.argv.slice(2)

if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  // Answered here: no reason to load the program for it.
  console.log(JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).version)
} else if (isClone && version[0] >= 18 && (!runsSources() || !fs.existsSync(path.join(root, 'node_modules')))) {
  process.argv = [process.execPath, launcher, 'cli'].concat(args)
  load(launcher)
} else if (newEnough) {
  keepCompiledCode()
  quietWarnings()
  load(program(), (cli) => cli.main(args))
} else {
  console.error(
    'keywise needs node 22.19 or newer and this is ' +
      process.versions.node +
      '; run: npx -p node@24 node ' +
      __filename,
  )
  process.exitCode = 78
}

// A third of the time to the first answer goes into compiling; node 22 and later can keep what comes of it. In a folder
// of the user's own, because whoever could write there could run code as them.
function keepCompiledCode() {
  var enable = require('node:module').enableCompileCache
  var home = process.env.HOME || process.env.USERPROFILE
  var caches = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA || (home && path.join(home, '.cache'))
  if (enable && caches && path.isAbsolute(caches)) enable(path.join(caches, 'keywise', 'compiled'))
}

function load(file, then) {
  import(toUrl(file).href).then(then).catch((error) => {
    console.error('keywise: ' + (error && error.stack ? error.stack : error))
    process.exit(1)
  })
}

// node 23 began without the stripping of types.
function runsSources() {
  return newEnough && version[0] !== 23
}

// The built program; in a clone whose sources are newer than the build, the sources themselves (node strips the types).
function program() {
  var built = path.join(root, 'dist', 'cli', 'main.js')
  var source = path.join(root, 'src', 'cli', 'main.ts')
  if (!isClone) return built
  return fs.existsSync(built) && fs.statSync(built).mtimeMs >= newest(path.join(root, 'src')) ? built : source
}

// A folder counts too: it changes when a file in it goes.
function newest(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).reduce((latest, entry) => {
    var file = path.join(folder, entry.name)
    return Math.max(latest, entry.isDirectory() ? newest(file) : fs.statSync(file).mtimeMs)
  }, fs.statSync(folder).mtimeMs)
}

// node 22 announces node:sqlite as experimental at every start; nothing a user of keywise can do about it.
function quietWarnings() {
  var emit = process.emitWarning
  process.emitWarning = function (warning) {
    var text = String(warning && warning.message ? warning.message : warning)
    if (/SQLite is an experimental feature|stripping types|Type Stripping/i.test(text)) return
    return emit.apply(process, arguments)
  }
}
