// Brings a bare clone to where the scripts run: npm packages (with Node 24 among them) and, with
// --browsers, what the tests drive: browsers, servers and the other versions of Node. Plain JavaScript for Node 20: it
// runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const runtimes = join(root, 'packages', 'sallyport', 'test', 'runtimes')

function run(command, args, what, cwd = root) {
  process.stderr.write(`setup: ${what} …\n`)
  const { status, error, stderr, stdout } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0) return true
  process.stderr.write(
    `setup: ${what} failed: ${error?.message ?? `exit code ${status}`}\n${stdout ?? ''}${stderr ?? ''}\n`,
  )
  return false
}

/** The version that a Node says it is; what it said instead, or nothing, where it does not run. */
const versionOf = node => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? ''

/** Runs `work` while no other process does so in this folder: two installations at once break each other. */
function alone(folder, work) {
  const holder = join(folder, '.sallyport', 'setup')
  mkdirSync(dirname(holder), { recursive: true })
  for (let waits = 0; ; waits++) {
    try {
      writeFileSync(holder, String(process.pid), { flag: 'wx' })
      break
    } catch {
      if (!isRunning(holder, waits)) rmSync(holder, { force: true })
      else {
        if (waits === 4) process.stderr.write(`setup: waits for another one; if there is none, remove ${holder}\n`)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      }
    }
  }
  try {
    return work()
  } finally {
    rmSync(holder, { force: true })
  }
}

/** Whether the process still runs that wrote its number there. */
function isRunning(holder, waits) {
  try {
    const number = readFileSync(holder, 'utf8')
    // Made and not yet written, unless that takes seconds: then who made it was killed.
    return number === '' ? waits < 20 : process.kill(Number(number), 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Installs what the lock file of `folder` says, unless that was done and each of `nodes` is there. */
function install(folder, nodes, what) {
  const stamp = join(folder, 'node_modules', '.sallyport-lock')
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
  const isDone = () =>
    existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && nodes.every(node => existsSync(node))
  if (isDone()) return
  const ok = alone(folder, () => {
    if (isDone()) return true
    // Not `npm ci`: a second checkout of the same lock file must not lose its node_modules on a retry.
    const npm = process.env.npm_execpath
    const args = ['install', '--no-audit', '--no-fund', '--no-save', '--include=dev']
    if (!(npm ? run(process.execPath, [npm, ...args], what, folder) : run('npm', args, what, folder))) return false
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, lock)
    return true
  })
  if (!ok) process.exit(1)
}

/** Ends the process unless `node` is of this version. */
function requireNode(node, version, folder) {
  const got = versionOf(node)
  if (`${got}.`.startsWith(`v${version}.`)) return
  process.stderr.write(
    `setup: the pinned Node ${version} is not usable (got ${got || 'nothing'}).\n` +
      'Its package runs an install script: allow scripts for "node" (npm config ignore-scripts false) and run ' +
      `\`npm rebuild\` in ${folder}.\n`,
  )
  process.exit(1)
}

const node = join(root, 'node_modules', '.bin', 'node')
install(root, [node], 'npm packages')
requireNode(node, '24', root)

if (process.argv.includes('--browsers')) {
  const { devDependencies } = JSON.parse(readFileSync(join(runtimes, 'package.json'), 'utf8'))
  const pinned = Object.entries(devDependencies).map(([name, alias]) => ({
    path: join(runtimes, 'node_modules', name, 'bin', 'node'),
    version: alias.slice(alias.lastIndexOf('@') + 1),
  }))
  const paths = pinned.map(({ path }) => path)
  install(runtimes, paths, `Node ${pinned.map(({ version }) => version).join(', ')}`)
  for (const { path, version } of pinned) requireNode(path, version, runtimes)

  const wanted = [
    ['chromium', ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser']],
    ['firefox-esr', ['/usr/bin/firefox-esr', '/usr/bin/firefox']],
    ['redis-server', ['/usr/bin/redis-server']],
    ['iproute2', ['/usr/bin/ip', '/usr/sbin/ip', '/bin/ip', '/sbin/ip']],
    ['python3-websockets', ['/usr/lib/python3/dist-packages/websockets/__init__.py']],
  ]
  const missing = wanted.filter(([, paths]) => !paths.some(path => existsSync(path))).map(([name]) => name)
  if (missing.length > 0) {
    const root = process.getuid?.() === 0
    if (!root || !existsSync('/usr/bin/apt-get')) {
      process.stderr.write(
        `setup: the tests need ${missing.join(', ')}. Install them: sudo apt-get install ${missing.join(' ')}\n`,
      )
      process.exit(1)
    }
    const ok =
      run('apt-get', ['update', '-qq'], 'package lists') &&
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], missing.join(', '))
    if (!ok) process.exit(1)
  }
}
