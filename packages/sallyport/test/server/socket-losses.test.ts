import assert from 'node:assert/strict'
import { connect, Socket } from 'node:net'
import { describe, test } from 'node:test'
import type { Observer } from '../../src/guard/observer.ts'
import type { Denial } from '../../src/model/verdict.ts'
import { createNetworks, oldestOf } from '../../src/node/networks.ts'
import { createSocketLosses } from '../../src/node/socket-losses.ts'
import { sentenceOf } from '../../src/policy/denials.ts'
import { createWorld } from '../support/world.ts'

describe('sockets that are closed before they are connections are reported, a bounded number of times', () => {
  test('the first at once, the rest of ten seconds together, by the address that lost the most', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const told: (readonly [string, string, string])[] = []
    let counted = 0
    const observer = {
      lostSocket: () => counted++,
      lostSockets: (denial: Denial, ip: string) => told.push([denial.code, sentenceOf(denial), ip]),
    } as unknown as Observer
    const losses = createSocketLosses(observer)
    for (let index = 0; index < 10_000; index++) {
      losses.note('silent', '203.0.113.9')
      losses.note('silent', `198.51.100.${index % 100}`)
    }
    losses.note('full', '203.0.113.1')
    assert.deepEqual(told, [
      ['SALLY_CONNECTIONS_SILENT', '1 socket closed', '203.0.113.9'],
      ['SALLY_CONNECTIONS_DROPPED', '1 socket closed', '203.0.113.1'],
    ])
    t.mock.timers.tick(10_000)
    t.mock.timers.tick(100_000)
    assert.deepEqual(told.slice(2), [
      [
        'SALLY_CONNECTIONS_SILENT',
        '19999 sockets closed, 9999 of them from this address, the rest from 100 or more others',
        '203.0.113.9',
      ],
    ])
    assert.equal(counted, 20_001)
    losses.note('silent', '203.0.113.9')
    losses.note('silent', '203.0.113.9')
    losses.stop()
    assert.equal(told.at(-1)![1], '1 socket closed')
  })

  test('serve(): 1 100 silent sockets of one address: the app connects from another, and events say so', async () => {
    const world = await createWorld({
      handshake: {
        session: () => ({ id: 'a', user: 'a' }),
        ticket: { dangerouslyWithoutTicket: true },
        connections: { total: 10, perIp: 5 },
      },
    })
    const sockets: Socket[] = []
    for (let batch = 0; batch < 11; batch++) {
      const some = Array.from({ length: 100 }, () =>
        connect({ port: world.port, host: 'localhost', family: 4, localAddress: '127.0.0.9' }).resume(),
      )
      await Promise.all(
        some.map(socket => {
          socket.on('error', () => undefined)
          return new Promise(resolve => socket.once('connect', resolve).once('close', resolve))
        }),
      )
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
      sockets.push(...some)
    }
    const { source_ip: ip, close_code: code } = await world.event(({ code }) => code === 'SALLY_CONNECTIONS_SILENT')
    assert.deepEqual([ip, code], ['127.0.0.9', undefined])
    const client = world.client({ sid: 'a' })
    await new Promise(resolve => client.once('open', resolve))
    client.terminate()
    const counted = world.guard.counters().denials.find(({ code }) => code === 'SALLY_CONNECTIONS_SILENT')
    assert.equal(counted!.control, 'handshake/connections')
    assert.equal(counted!.count >= 500, true)
    assert.equal(world.events.filter(({ code }) => code === 'SALLY_CONNECTIONS_SILENT').length <= 2, true)
    for (const socket of sockets) socket.destroy()
    await world.close()
  })
})

describe('sockets by network', () => {
  const socket = (): Socket => new Socket()

  test('an IPv6 /48 is one: its heaviest /56, and the heaviest /64 of that, lose the oldest', () => {
    const networks = createNetworks()
    const add = (ip: string): Socket => {
      const one = socket()
      networks.add(networks.of(ip, false).leaf, 'quiet', one)
      return one
    }
    const honest = add('2001:db8:7:100::1')
    const spread = Array.from({ length: 3 }, (_, index) => add(`2001:db8:7:20${index}::1`))
    const crowd = Array.from({ length: 2 }, (_, index) => add(`2001:db8:7:2ff::${index + 1}`))
    const root = networks.heaviest('quiet')!
    assert.deepEqual([root.key, root.counts.quiet], ['2001:db8:7:0::/48', 6])
    assert.equal(oldestOf(root, 'quiet'), crowd[0])
    assert.equal([honest, ...spread].includes(oldestOf(root, 'quiet')!), false)
  })

  test('IPv4 as a dual-stack socket writes it is the same address; a proxy is a network of its own', () => {
    const networks = createNetworks()
    assert.equal(networks.of('::ffff:203.0.113.9', false).root, networks.of('203.0.113.9', false).root)
    assert.notEqual(networks.of('203.0.113.9', true).root, networks.of('203.0.113.9', false).root)
  })

  test('a network without sockets is forgotten, a socket that changes its state is not', () => {
    const networks = createNetworks()
    const [one, other] = [socket(), socket()]
    const { leaf } = networks.of('2001:db8::1', false)
    networks.add(leaf, 'quiet', one)
    networks.move(leaf, 'quiet', 'busy', one)
    assert.equal(networks.of('2001:db8::2', false).leaf, leaf)
    networks.add(leaf, 'busy', other)
    assert.deepEqual(
      [networks.counts, leaf.counts],
      [
        { quiet: 0, busy: 2 },
        { quiet: 0, busy: 2 },
      ],
    )
    networks.remove(leaf, 'busy', one)
    networks.remove(leaf, 'busy', other)
    assert.deepEqual([networks.heaviest('quiet'), networks.heaviest('busy')], [null, null])
    assert.notEqual(networks.of('2001:db8::1', false).leaf, leaf)
  })
})
