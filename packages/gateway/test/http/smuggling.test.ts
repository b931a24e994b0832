import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { createApp, serving } from '../support/plain-app.ts'

/** What must be a body, or nothing, to the backend. */
const HIDDEN = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'
const SIZE = HIDDEN.length.toString(16)
const CHUNKS = `${SIZE}\r\n${HIDDEN}\r\n0\r\n\r\n`
const coded = (coding: string): Row => [`Transfer-Encoding:${coding}`, CHUNKS]
const sized = (length: string | number): Row => [`Content-Length:${length}`, HIDDEN]
const inChunks = (body: string): Row => ['Transfer-Encoding: chunked', body]

type Row = readonly [lines: string, body: string]
const rows: readonly Row[] = [
  ...[' chunked', '\tchunked', ' Chunked', ' chunked, identity', ' identity, chunked', ' gzip, chunked'].map(coded),
  ...[' chunked;q=1', ' "chunked"', ' xchunked', ' chunked\v', '\vchunked', ' chunked,', ' ,chunked', ' '].map(coded),
  ...[' chunked chunked', ' chunked, chunked', ' chunked\0', ' \xa0chunked', ' chunked\x85'].map(coded),
  ['Transfer-Encoding : chunked', CHUNKS],
  ['Transfer-Encoding\t: chunked', CHUNKS],
  [' Transfer-Encoding: chunked', CHUNKS],
  ['Transfer-Encoding:\r\n chunked', CHUNKS],
  ['X: a\r\n Transfer-Encoding: chunked', CHUNKS],
  ['X: a\nTransfer-Encoding: chunked', CHUNKS],
  ['X: a\rTransfer-Encoding: chunked', CHUNKS],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', CHUNKS],
  ['Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', CHUNKS],
  ['Transfer-Encoding: chunked\r\nContent-Length: 5', CHUNKS],
  ['Content-Length: 5\r\nTransfer-Encoding: chunked', CHUNKS],
  ['Transfer_Encoding: chunked', CHUNKS],
  ['TE: trailers\r\nTransfer-Encoding: chunked', CHUNKS],
  ['Trailer: Content-Length\r\nTransfer-Encoding: chunked', CHUNKS],
  ['Connection: Transfer-Encoding, TE\r\nTE: trailers\r\nTransfer-Encoding: chunked', CHUNKS],
  ['Expect: 100-continue\r\nTransfer-Encoding: chunked', CHUNKS],
  ['Upgrade: h2c\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked', CHUNKS],
  inChunks(`${SIZE};a=b\r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`${SIZE};a="\r\n"\r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`${SIZE};\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`${SIZE}\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`0x${SIZE}\r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`+${SIZE}\r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(` ${SIZE}\r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`${SIZE} \r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`${'0'.repeat(20)}${SIZE}\r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`${'f'.repeat(16)}${SIZE}\r\n${HIDDEN}\r\n0\r\n\r\n`),
  inChunks(`${SIZE}\r\n${HIDDEN}0\r\n\r\n`),
  inChunks(`${SIZE}\r\n${HIDDEN}\n0\n\n`),
  inChunks(`${SIZE}\r\n${HIDDEN}XX0\r\n\r\n`),
  inChunks(`${SIZE}\r\n${HIDDEN}\r\n0\r\nContent-Length: 5\r\nX-Sallyport-User: mallory\r\n\r\n`),
  inChunks(`${SIZE}\r\n${HIDDEN}\r\n0\r\n`),
  ...[` ${HIDDEN.length}`, ` +${HIDDEN.length}`, ` -${HIDDEN.length}`, ` 0${HIDDEN.length}`, ` ${HIDDEN.length} `].map(
    sized,
  ),
  ...['\t32', ' 32, 32', ' 0x20', ' 32.0', ' 32e0', ' 9999999999999999999999', '', ' ', ' 32;', ' 3 2'].map(sized),
  sized(`${HIDDEN.length}\r\nContent-Length: ${HIDDEN.length}`),
  sized(`${HIDDEN.length}\r\nContent-Length: 0`),
  sized(`${HIDDEN.length}\r\nContent-Length : 0`),
  sized(`${HIDDEN.length}\r\nConnection: Content-Length`),
  sized(`${HIDDEN.length}\r\nConnection: close, CONTENT-LENGTH`),
  sized(`${HIDDEN.length}\r\nConnection: content_length`),
  sized(`${HIDDEN.length}\r\nProxy-Connection: Content-Length`),
  sized(`${HIDDEN.length}\r\nKeep-Alive: Content-Length`),
]

describe('smuggling: whatever frames the body of plain HTTP, it is no request to the backend', () => {
  for (const version of ['1.1', '1.0']) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND']) {
      test(`${method} over HTTP/${version}`, async () => {
        const asked: string[] = []
        let forged = ''
        const app = await createApp((request, response) => {
          asked.push(request.url!)
          request.resume().on('end', () => {
            forged += request.rawTrailers.join()
            response.end()
          })
        })
        const world = await serving(app.target)
        let reached = 0
        for (const [lines, body] of rows) {
          asked.length = 0
          const socket = connect(world.port, '127.0.0.1')
          socket.on('error', () => undefined)
          const closed = new Promise(resolve => socket.on('close', resolve))
          const request = `${method} /page HTTP/${version}\r\nHost: app.localhost\r\n${lines}\r\n\r\n${body}`
          // It says no more: what is not whole by then is refused, what is whole is answered.
          socket.resume().end(Buffer.from(request, 'latin1'))
          await closed
          assert.ok(
            asked.every(url => url === '/page'),
            `${JSON.stringify(request)} is ${asked.join()} to the backend`,
          )
          reached += asked.length
        }
        assert.equal(forged, '')
        assert.ok(reached >= 5, `${reached} reached it`)
        await world.close()
        await app.close()
      })
    }
  }
})
