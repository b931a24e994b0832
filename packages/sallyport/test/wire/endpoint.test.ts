import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Endpoint,
  type EndpointDeflate,
  type EndpointRole,
  frameSize,
  type WireFault,
  writeFrame,
  writeMaskedFrame,
} from '../../src/wire/index.ts'

const LIMITS = { frameBytes: 100, messageBytes: 100, fragments: 4 }

/** An endpoint without socket and timer. Its bytes are kept in `sent`, its calls in `told`. */
class Recorded extends Endpoint {
  readonly role: EndpointRole
  readonly told: string[] = []
  sent: Buffer = Buffer.alloc(0)
  bufferedAmount = 0
  silent = false
  inputEnded = false
  allLeaves = true
  pausesAt = ''

  constructor(role: EndpointRole, deflate: EndpointDeflate | null = null) {
    super(LIMITS, deflate)
    this.role = role
  }

  protected write(first: number, payload: Uint8Array, start: number, end: number): void {
    const room = Buffer.alloc(frameSize(end - start) + 4)
    const write = this.role === 'client' ? writeMaskedFrame : writeFrame
    this.sent = Buffer.concat([this.sent, room.subarray(0, write(room, 0, first, payload, start, end))])
  }

  protected writeText(text: string): void {
    const bytes = Buffer.from(text)
    this.write(0x81, bytes, 0, bytes.length)
  }

  protected sendAll(): boolean {
    return this.allLeaves
  }

  protected endOutput(cuts: boolean, patienceMs: number): void {
    this.told.push(`end output, ${cuts ? 'then cut, ' : ''}${patienceMs} ms`)
  }

  protected cutAfter(ms: number): void {
    this.told.push(`cut after ${ms} ms`)
  }

  protected cut(): void {
    this.told.push('cut')
  }

  protected stopReading(): void {
    this.told.push('stop reading')
  }

  protected readOn(): void {
    this.told.push('read on')
  }

  protected deliverLater(): void {
    this.told.push('later')
  }

  text(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('utf8', start, end)
    this.told.push(`text ${text}`)
    if (text === this.pausesAt) this.pause()
  }

  binary(_bytes: Buffer, start: number, end: number): void {
    this.told.push(`binary ${end - start}`)
  }

  ponged(): void {
    this.told.push('pong')
  }

  protected pingReceived(): void {
    this.told.push('ping')
  }

  protected keeps(bytes: number): void {
    this.told.push(`keeps ${bytes}`)
  }

  protected closeReceived(code: number, reason: string): void {
    this.told.push(`close ${code} ${reason}`)
  }

  protected faultReason(): string {
    return 'why'
  }

  protected faultFound({ code }: WireFault): void {
    this.told.push(code)
  }

  protected lost(): void {
    this.told.push(this.midway ? 'lost midway' : 'lost')
  }

  protected over(): void {
    this.told.push('over')
  }
}

/** Gives all that `from` has sent to `to`, as one chunk. */
function carry(from: Recorded, to: Recorded): void {
  const bytes = from.sent
  from.sent = Buffer.alloc(0)
  to.receive(bytes, 0, bytes.length, true)
}

const other = (role: EndpointRole): EndpointRole => (role === 'server' ? 'client' : 'server')

for (const role of ['server', 'client'] as const) {
  describe(`as ${role}`, () => {
    for (const deflate of [null, { threshold: 3, windowBits: 15 }]) {
      test(`sends what the other end reads, ${deflate === null ? 'plain' : 'compressed from 3 bytes on'}`, () => {
        const near = new Recorded(role, deflate)
        const far = new Recorded(other(role), deflate)
        near.sendText('ab')
        near.sendText('abc\ud800')
        near.sendUtf8(Buffer.from('<é>'), 1, 3)
        near.sendBinary(Buffer.alloc(50))
        near.ping()
        near.pong()
        carry(near, far)
        assert.deepEqual(far.told, ['text ab', 'text abc\ufffd', 'text é', 'binary 50', 'ping', 'pong'])
        carry(far, near)
        assert.deepEqual(near.told, ['pong'])
      })
    }

    test('a frame of its own role is refused: masked and bare are not alike', () => {
      const near = new Recorded(role)
      const twin = new Recorded(role)
      twin.sendText('a')
      carry(twin, near)
      assert.equal(near.told[0], role === 'server' ? 'WIRE_MASK_MISSING' : 'WIRE_MASK_FORBIDDEN')
      assert.deepEqual(
        near.told.slice(1),
        role === 'server' ? ['end output, 1000 ms', 'read on'] : ['end output, then cut, 5000 ms'],
      )
      const far = new Recorded(other(role))
      carry(near, far)
      assert.equal(far.told[0], 'close 1002 why')
    })

    test('attack: pings that nobody reads the pongs of get none', () => {
      const near = new Recorded(role)
      const far = new Recorded(other(role))
      for (const [buffered, silent, pongs] of [
        [65_535, false, 1],
        [65_536, false, 0],
        [0, true, 0],
      ] as const) {
        near.bufferedAmount = buffered
        near.silent = silent
        far.ping()
        carry(far, near)
        assert.equal(near.sent.length > 0, pongs === 1)
        near.sent = Buffer.alloc(0)
      }
    })

    test('closes once, and sends nothing after it', () => {
      const near = new Recorded(role)
      const far = new Recorded(other(role))
      near.close(4000, 'bye')
      near.close(1000, '')
      near.sendText('late')
      near.sendBinary(Buffer.alloc(1))
      near.sendUtf8(Buffer.alloc(1), 0, 1)
      near.ping()
      near.pong()
      carry(near, far)
      carry(far, near)
      assert.deepEqual(far.told[0], 'close 4000 bye')
      const ends = ['close 4000 ', role === 'server' ? 'cut' : 'end output, 5000 ms']
      assert.deepEqual(near.told, ['cut after 5000 ms', ...ends])
      assert.equal(near.sent.length, 0)
      near.gone()
      near.gone()
      assert.equal(near.told.filter(line => line === 'over').length, 1)
    })

    test('paused it keeps what comes, and delivers it in order later', () => {
      const near = new Recorded(role)
      const far = new Recorded(other(role))
      near.pausesAt = 'a'
      for (const text of ['a', 'b', 'c']) far.sendText(text)
      const rest = (far.sent.length * 2) / 3
      carry(far, near)
      assert.deepEqual(near.told.splice(0), ['text a', 'stop reading', `keeps ${rest}`])
      near.deliverRest()
      assert.deepEqual(near.told, [], 'nothing while it is paused')
      near.resume()
      near.deliverRest()
      assert.deepEqual(near.told, ['later', 'text b', 'text c', 'keeps 0', 'read on'])
    })

    test(`the peer's end ${role === 'client' ? 'comes after what it sent' : 'drops what waits'}`, () => {
      const near = new Recorded(role)
      const far = new Recorded(other(role))
      near.pause()
      far.sendText('last')
      carry(far, near)
      near.told.length = 0
      near.inputEnded = true
      near.ended()
      assert.deepEqual(near.told.splice(0), role === 'client' ? [] : ['cut'])
      near.resume()
      near.deliverRest()
      const delivered = ['later', 'text last', 'keeps 0', 'lost', 'cut']
      assert.deepEqual(near.told, role === 'client' ? delivered : ['read on'])
    })
  })
}

test('a server lets what it wrote leave before the cut', () => {
  const server = new Recorded('server')
  server.allLeaves = false
  server.ended()
  server.ended()
  assert.deepEqual(server.told, ['end output, then cut, 5000 ms'])
})

test('a client reports a server that ends within a message', () => {
  const client = new Recorded('client')
  client.receive(Buffer.from('8105', 'hex'), 0, 2, true)
  client.ended()
  assert.deepEqual(client.told, ['lost midway', 'cut'])
})

test('a bound that is set before a header is whole holds for its frame', () => {
  const server = new Recorded('server')
  const client = new Recorded('client')
  client.sendText('0123456789')
  server.receive(client.sent, 0, 3, false)
  server.limit(5)
  client.sendText('012345')
  server.receive(client.sent, 3, client.sent.length, false)
  assert.deepEqual(server.told.slice(0, 1), ['WIRE_MESSAGE_TOO_BIG'])
  server.terminate()
  server.terminate()
  assert.deepEqual(server.told.slice(-2), ['cut', 'cut'])
  assert.equal(server.receive(Buffer.alloc(1), 0, 1, false), true)
})
