// Brings a bare clone to where the scripts run: npm packages (with Node 24 among them) and, with
// --browsers, what the tests drive. Plain JavaScript for Node 20: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.sallyport-lock')
const node = join(root, 'node_modules', '.bin', 'node')

function run(command, args, what) {
  process.stderr.write(`setup: ${what} …\n`)
  const { status, error, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return true
  process.stderr.write(
    `setup: ${what} failed: ${error?.message ?? `exit code ${status}`}\n${stdout ?? ''}${stderr ?? ''}\n`,
  )
  return false
}

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const installed = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && existsSync(node)
if (!installed) {
  // Not `npm ci`: a second checkout of the same lock file must not lose its node_modules on a retry.
  const npm = process.env.npm_execpath
  const install = ['install', '--no-audit', '--no-fund', '--no-save', '--include=dev']
  const ok = npm ? run(process.execPath, [npm, ...install], 'npm packages') : run('npm', install, 'npm packages')
  if (!ok) process.exit(1)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, lock)
}

const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? ''
if (!version.startsWith('v24.')) {
  process.stderr.write(
    `setup: the pinned Node 24 is not usable (got ${version || 'nothing'}).\n` +
      'Its package runs an install script: allow scripts for "node" (npm config ignore-scripts false) and run `npm install` again.\n',
  )
  process.exit(1)
}

if (process.argv.includes('--browsers')) {
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
