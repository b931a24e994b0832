import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { WebSocket } from 'ws'
import { start, type Started } from '../../demo/started.ts'
import { parseConfigFully } from '../../src/config/parse.ts'
import { startGateway, type GatewayProcess } from '../runtime/gateway-process.ts'
import { configOf, cookieOf } from '../runtime/load.ts'
import { freePort } from '../../../../test/support/free-port.ts'

// The files in deploy/, with the ports, names and certificates of this machine in place of theirs.
const DEPLOY = join(import.meta.dirname, '../../../../deploy')

let folder = ''
let backend: Started
let backendPort = 0

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-recipes-'))
  const pems = await generate([{ name: 'commonName', value: 'app.test' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
  })
  writeFileSync(join(folder, 'cert.pem'), pems.cert)
  writeFileSync(join(folder, 'key.pem'), pems.private)
  writeFileSync(join(folder, 'both.pem'), `${pems.cert.trim()}\n${pems.private}`)
  backend = await start(process.execPath, [join(import.meta.dirname, '../runtime/echo.ts')], {}, line =>
    line.startsWith('{'),
  )
  backendPort = (JSON.parse(backend.lines[0]!) as { port: number }).port
})
after(async () => {
  await backend.end()
  rmSync(folder, { recursive: true, force: true })
})

const PLAIN = "{ address: '127.0.0.1:0' }"

/** The gateway as the recipes mean it: TLS is demanded, and the proxy's word for it believed. */
function config({ listener, trust }: Recipe): string {
  return (
    configOf(backendPort, 0)
      .replace("{ public: { address: '127.0.0.1:0' } }", `{ public: ${listener()} }`)
      .replaceAll('      transport: { dangerouslyAllowPlaintext: true }\n', '')
      // Where the PROXY protocol tells the address, no header does.
      .replace('upstreams:', trust === null ? 'upstreams:' : `proxy: { trust: ['${trust}'] }\nupstreams:`)
  )
}

interface Recipe {
  readonly file: string
  /** In other words than the file's. */
  readonly how?: string
  readonly binary: string
  readonly listener: () => string
  /** Who the gateway believes of the client's address. */
  readonly trust: string | null
  /** The file as it is run here. */
  readonly localise: (text: string, port: number, gatewayPort: number) => string
  readonly args: (file: string) => readonly string[]
}

const nginx: Recipe = {
  file: 'nginx.conf',
  binary: '/usr/sbin/nginx',
  listener: () => PLAIN,
  trust: '127.0.0.1',
  localise: (text, port, gatewayPort) =>
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
${text
  .replaceAll('127.0.0.1:8080', `127.0.0.1:${gatewayPort}`)
  .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
  .replace('/etc/ssl/app.example.com.pem', `${folder}/cert.pem`)
  .replace('/etc/ssl/app.example.com.key', `${folder}/key.pem`)}
}`,
  args: file => ['-e', 'stderr', '-p', folder, '-c', file],
}

const haproxy: Recipe = {
  file: 'haproxy.cfg',
  binary: '/usr/sbin/haproxy',
  listener: () => PLAIN,
  trust: '127.0.0.1',
  localise: (text, port, gatewayPort) =>
    text
      .replace('server gateway 127.0.0.1:8080', `server gateway 127.0.0.1:${gatewayPort}`)
      .replace('bind :443', `bind 127.0.0.1:${port}`)
      .replace('/etc/haproxy/app.example.com.pem', `${folder}/both.pem`),
  args: file => ['-db', '-f', file],
}

/** A recipe with a unix socket in the place of loopback. */
function atUnixSocket(recipe: Recipe, written: (path: string) => string): Recipe {
  const path = (): string => `${folder}/${recipe.file}.sock`
  return {
    ...recipe,
    how: ', at a unix socket',
    listener: () => `{ address: 'unix:${path()}' }`,
    trust: 'unix:',
    localise: (text, port) =>
      recipe.localise(
        text
          .replace('server 127.0.0.1:8080', `server ${written(path())}`)
          .replace('server gateway 127.0.0.1:8080', `server gateway ${written(path())}`),
        port,
        0,
      ),
  }
}

const recipes: readonly Recipe[] = [
  nginx,
  atUnixSocket(nginx, path => `unix:${path}`),
  haproxy,
  atUnixSocket(haproxy, path => path),
  {
    file: 'haproxy-tcp.cfg',
    binary: '/usr/sbin/haproxy',
    trust: null,
    listener: () =>
      `{ address: '127.0.0.1:0', tls: { cert: ${folder}/cert.pem, key: ${folder}/key.pem }, proxyProtocol: { trust: [127.0.0.1] } }`,
    localise: (text, port, gatewayPort) =>
      text
        .replace('server gateway 127.0.0.1:8443', `server gateway 127.0.0.1:${gatewayPort}`)
        .replace('bind :443', `bind 127.0.0.1:${port}`),
    args: file => ['-db', '-f', file],
  },
  {
    file: 'Caddyfile',
    binary: '/usr/bin/caddy',
    listener: () => PLAIN,
    trust: '127.0.0.1',
    localise: (text, port, gatewayPort) =>
      `{\n\tadmin off\n\tauto_https off\n\tdefault_sni app.test\n}\n${text
        .replace('reverse_proxy 127.0.0.1:8080', `reverse_proxy 127.0.0.1:${gatewayPort}`)
        .replace(
          'app.example.com {',
          `https://127.0.0.1:${port} {\n\tbind 127.0.0.1\n\ttls ${folder}/cert.pem ${folder}/key.pem`,
        )}`,
    args: file => ['run', '--adapter', 'caddyfile', '--config', file],
  },
]

for (const recipe of recipes) {
  const { file, how = '', binary, localise, args } = recipe
  describe(`deploy/${file}${how}`, { skip: !existsSync(binary) && `${binary} is not installed` }, () => {
    let gateway: GatewayProcess
    let proxy: Started | undefined
    let port = 0

    before(async () => {
      gateway = await startGateway(config(recipe))
      port = await freePort()
      const local = join(folder, file)
      writeFileSync(
        local,
        localise(readFileSync(join(DEPLOY, file), 'utf8').replace('maxconn 20000', 'maxconn 1000'), port, gateway.port),
      )
      // What it says at its start differs; that it listens is what is waited for.
      proxy = await start(
        '/bin/sh',
        ['-c', 'echo starting; exec "$0" "$@"', binary, ...args(local)],
        { HOME: folder, XDG_DATA_HOME: folder },
        line => line === 'starting',
      )
      for (let tries = 0; !(await answers(port)); tries++) {
        assert.ok(tries < 200 && proxy.process.exitCode === null, proxy.lines.join('\n'))
        await pause(50)
      }
    })
    after(async () => {
      await proxy?.end()
      await gateway.end()
    })

    const open = async (origin: string, headers: Record<string, string> = {}): Promise<WebSocket> => {
      const socket = new WebSocket(`wss://127.0.0.1:${port}/chat`, {
        origin,
        rejectUnauthorized: false,
        headers: { Cookie: cookieOf('alice'), ...headers },
      })
      await once(socket, 'open')
      return socket
    }

    test('an honest client talks through it', async () => {
      const socket = await open('https://app.test')
      socket.send('{"type":"chat","n":1}')
      assert.equal(String((await once(socket, 'message'))[0]), '{"type":"chat","n":1}')
      socket.terminate()
    })
    test('another origin is refused by the gateway, not by chance', async () => {
      await assert.rejects(open('https://app.test.evil.example'), /403/)
      await gateway.heard(({ code }) => code === 'SALLY_ORIGIN_NOT_ALLOWED')
    })
    test('what a client says of its own address is not believed', async () => {
      const socket = await open('https://app.test', {
        'X-Forwarded-For': '6.6.6.6',
        Forwarded: 'for=6.6.6.6;proto=https',
        'X-Forwarded-Proto': 'https',
      })
      const { connections } = (await gateway.admin('GET', '/-/connections')).json
      assert.deepEqual(
        connections.map(({ ip }: { ip: string }) => ip),
        ['127.0.0.1'],
      )
      socket.terminate()
    })
  })
}

test('deploy/gateway.yaml is a good configuration, and what goes in clear it accepts: without its reasons it would not', () => {
  const text = readFileSync(join(DEPLOY, 'gateway.yaml'), 'utf8')
  const secret = 'q8Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X'
  const options = { file: 'gateway.yaml', env: { TICKET_SECRET: secret, ADMIN_TOKEN: secret } }
  const paths = (of: string, accepted = false): readonly string[] =>
    parseConfigFully(of, options).weakened.flatMap(one => ((one.accepted !== null) === accepted ? [one.path] : []))
  const both = ['upstreams.app', 'routes.chat.session.forwardAuth.url']
  assert.deepEqual(paths(text), [])
  assert.deepEqual(paths(text, true), both)
  assert.deepEqual(paths(text.replaceAll(/^ *dangerouslyAllowPlaintext:.*\n/gm, '')), both)
  assert.deepEqual(paths(text.replaceAll('ws://', 'wss://').replaceAll('http://', 'https://')), [])
})

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
