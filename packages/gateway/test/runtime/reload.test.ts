import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { generate } from 'selfsigned'
import { WebSocket as Client, type WebSocket } from 'ws'
import { start, type Started } from '../../demo/started.ts'
import { type GatewayProcess, startGateway } from './gateway-process.ts'
import { configOf, cookieOf, open, reloadUnderLoad } from './load.ts'

let backend: Started
let port = 0
before(async () => {
  backend = await start(process.execPath, [join(import.meta.dirname, 'echo.ts')], {}, line => line.startsWith('{'))
  port = (JSON.parse(backend.lines[0]!) as { port: number }).port
})
after(() => backend.end())

async function withGateway(run: (gateway: GatewayProcess) => Promise<void>): Promise<void> {
  const gateway = await startGateway(configOf(port, 0))
  try {
    await run(gateway)
  } finally {
    await gateway.end()
  }
}

const closed = async (socket: WebSocket): Promise<number> => ((await once(socket, 'close')) as [number])[0]

async function echo(socket: WebSocket, n: number): Promise<string> {
  const answered = once(socket, 'message')
  socket.send(JSON.stringify({ type: 'chat', n }))
  return String((await answered)[0])
}

test('200 sockets that talk, 8 reloads: none is dropped, nothing is out of turn', { timeout: 60_000 }, async () => {
  const figures = await reloadUnderLoad(200, 8)
  assert.deepEqual([figures.dropped, figures.misordered], [0, 0])
  assert.ok(figures.echoes >= 200)
})

describe('SIGHUP', () => {
  test('a changed policy applies to open sockets; an unchanged route does not notice', async () => {
    await withGateway(async gateway => {
      const kept = await open(gateway.port, '/chat', 'alice')
      const refused = await open(gateway.port, '/other', 'bob')
      const end = closed(refused)
      // The page of `/other` is now another one: who is open from the old one would be refused.
      gateway.write(
        configOf(port, 0).replace(/(path: \/other[\s\S]*?allow: \[)https:\/\/app\.test/, '$1https://elsewhere.test'),
      )
      gateway.process.kill('SIGHUP')
      assert.equal(await end, 1008)
      assert.equal(await echo(kept, 1), '{"type":"chat","n":1}')
      const line = await gateway.heard(({ kind, msg }) => kind === 'reload' && msg === 'reloaded')
      assert.equal(line.level, 'info')
      await assert.rejects(open(gateway.port, '/other', 'bob'), /403/)
      kept.terminate()
    })
  })

  test('a stricter schema holds for the next message of an open socket', async () => {
    await withGateway(async gateway => {
      const socket = await open(gateway.port, '/other', 'alice')
      assert.equal(await echo(socket, 100), '{"type":"chat","n":100}')
      gateway.write(configOf(port, 0).replaceAll('n: { type: integer }', 'n: { type: integer, maximum: 10 }'))
      const { status, json } = await gateway.admin('POST', '/-/reload')
      assert.deepEqual([status, json.changed], [200, ['chat', 'other']])
      assert.match(await echo(socket, 100), /SALLY_MESSAGE_INVALID/)
      assert.equal(await echo(socket, 9), '{"type":"chat","n":9}')
      socket.terminate()
    })
  })

  test('a bad file is refused, loudly, and the old one stands', async () => {
    await withGateway(async gateway => {
      const socket = await open(gateway.port, '/chat', 'alice')
      for (const bad of [
        '',
        'a: [',
        configOf(port, 0).replace('path: /other', 'path: /chat'),
        configOf(port, 0).replace('upstream: echo', 'upstream: ehco'),
      ]) {
        gateway.write(bad)
        const { status, json } = await gateway.admin('POST', '/-/reload')
        assert.equal(status, 422)
        assert.ok(json.problems.length > 0)
        assert.ok(json.problems[0].line > 0)
      }
      const line = await gateway.heard(({ kind, level }) => kind === 'reload' && level === 'error')
      assert.match(line.msg, /refused.*the old configuration stands/)
      assert.equal(await echo(socket, 1), '{"type":"chat","n":1}')
      const other = await open(gateway.port, '/other', 'bob')
      assert.match((await gateway.admin('GET', '/metrics')).text, /sallyport_reloads_total\{result="refused"\} 4/)
      socket.terminate()
      other.terminate()
    })
  })

  test('a listener whose port is taken: refused, and the old ones go on', async () => {
    await withGateway(async gateway => {
      gateway.write(
        configOf(port, 0).replace(
          "listeners: { public: { address: '127.0.0.1:0' } }",
          `listeners: { public: { address: '127.0.0.1:0' }, taken: { address: '127.0.0.1:${port}' } }`,
        ),
      )
      const { status, json } = await gateway.admin('POST', '/-/reload')
      assert.equal(status, 422)
      assert.match(json.reason, /EADDRINUSE/)
      const socket = await open(gateway.port, '/chat', 'alice')
      socket.terminate()
    })
  })

  test('signals in a heap are obeyed: the last file is in force', async () => {
    await withGateway(async gateway => {
      for (let round = 1; round <= 5; round++) {
        gateway.write(configOf(port, round))
        gateway.process.kill('SIGHUP')
      }
      const { status } = await gateway.admin('POST', '/-/reload')
      assert.equal(status, 200)
      gateway.write(configOf(port, 5))
      assert.deepEqual((await gateway.admin('POST', '/-/reload')).json.changed, [])
    })
  })
})

describe('what a reload must not void, and what it must renew', () => {
  test('a ticket that was issued before holds after it, once', async () => {
    const withTicket = (round: number): string =>
      configOf(port, round).replaceAll('      ticket: { dangerouslyWithoutTicket: true }\n', '')
    const gateway = await startGateway(withTicket(0))
    try {
      const host = `127.0.0.1:${gateway.port}`
      // The ticket endpoint serves pages of its own origin alone.
      gateway.write(withTicket(0).replaceAll('https://app.test', `http://${host}`))
      assert.equal((await gateway.admin('POST', '/-/reload')).status, 200)
      const answer = await fetch(`http://${host}/.sallyport/ticket?path=/other`, {
        method: 'POST',
        headers: { Origin: `http://${host}`, Cookie: cookieOf('alice') },
      })
      assert.equal(answer.status, 200)
      const { ticket } = (await answer.json()) as { ticket: string }

      gateway.write(withTicket(1).replaceAll('https://app.test', `http://${host}`))
      assert.deepEqual((await gateway.admin('POST', '/-/reload')).json.changed, ['other'])
      const use = async (): Promise<WebSocket> => {
        const socket = new Client(`ws://${host}/other`, ['sallyport.v1', `sallyport.ticket.${ticket}`], {
          origin: `http://${host}`,
          headers: { Cookie: cookieOf('alice') },
        })
        await once(socket, 'open')
        return socket
      }
      const socket = await use()
      assert.equal(socket.protocol, 'sallyport.v1')
      socket.terminate()
      await assert.rejects(use(), /403/)
    } finally {
      await gateway.end()
    }
  })

  test('certificates: a new one is shown from then on, a broken one is refused and the old one stands', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-certificates-'))
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    const issue = async (name: string): Promise<void> => {
      const pems = await generate([{ name: 'commonName', value: name }], {
        keyType: 'ec',
        curve: 'P-256',
        algorithm: 'sha256',
      })
      writeFileSync(cert, pems.cert)
      writeFileSync(key, pems.private)
    }
    await issue('first.test')
    const gateway = await startGateway(
      configOf(port, 0).replace(
        "address: '127.0.0.1:0' }",
        `address: '127.0.0.1:0', tls: { cert: ${cert}, key: ${key} } }`,
      ),
    )
    const shown = async (): Promise<unknown> => {
      const socket = connect({ host: '127.0.0.1', port: gateway.port, rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      const { subject } = socket.getPeerCertificate()
      socket.destroy()
      return subject.CN
    }
    try {
      assert.equal(await shown(), 'first.test')
      await issue('second.test')
      assert.equal((await gateway.admin('POST', '/-/reload')).status, 200)
      assert.equal(await shown(), 'second.test')
      writeFileSync(cert, 'not a certificate')
      assert.equal((await gateway.admin('POST', '/-/reload')).status, 422)
      assert.equal(await shown(), 'second.test')
    } finally {
      await gateway.end()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('SIGTERM', () => {
  test('connections are let go with 1012 within the time, new ones are refused, and the process ends with 0', async () => {
    const gateway = await startGateway(`${configOf(port, 0)}drain: 500 ms\n`)
    const sockets = await Promise.all(
      Array.from({ length: 20 }, (_, index) => open(gateway.port, '/chat', `user-${index}`)),
    )
    const codes = Promise.all(sockets.map(closed))
    const exited = once(gateway.process, 'exit')
    gateway.process.kill('SIGTERM')
    await gateway.heard(line => line.kind === 'shutdown')
    await assert.rejects(open(gateway.port, '/chat', 'late'))
    assert.deepEqual(new Set(await codes), new Set([1012]))
    assert.deepEqual(await exited, [0, null])
    assert.ok(gateway.lines.some(line => line.includes('"msg":"ended"')))
    await gateway.end()
  })
})
