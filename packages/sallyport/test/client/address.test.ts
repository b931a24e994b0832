import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { resolveAddress } from '../../src/client/address.ts'
import { connect } from '../../src/client/index.ts'

const at = (href: string | null): void => {
  if (href === null) Reflect.deleteProperty(globalThis, 'location')
  else Object.defineProperty(globalThis, 'location', { value: { href }, configurable: true })
}
const ENDPOINT = '/.sallyport/ticket'

describe('where a connection goes', () => {
  afterEach(() => at(null))

  for (const { row, page, url, socket, ticket } of [
    {
      row: 'a relative url on an https page',
      page: 'https://app.company.com/chat?x#y',
      url: '/ws',
      socket: 'wss://app.company.com/ws',
      ticket: 'https://app.company.com/.sallyport/ticket?path=%2Fws',
    },
    {
      row: 'a relative url on an http page',
      page: 'http://localhost:8080/',
      url: '/ws',
      socket: 'ws://localhost:8080/ws',
      ticket: 'http://localhost:8080/.sallyport/ticket?path=%2Fws',
    },
    {
      row: 'an absolute https url of the page',
      page: 'https://app.company.com/',
      url: 'https://app.company.com/ws',
      socket: 'wss://app.company.com/ws',
      ticket: 'https://app.company.com/.sallyport/ticket?path=%2Fws',
    },
    {
      row: 'the default port is the same origin',
      page: 'https://app.company.com/',
      url: 'wss://app.company.com:443/ws',
      socket: 'wss://app.company.com/ws',
      ticket: 'https://app.company.com/.sallyport/ticket?path=%2Fws',
    },
    {
      row: 'a query stays with the socket, not with the ticket',
      page: 'https://app.company.com/',
      url: '/ws?room=1#z',
      socket: 'wss://app.company.com/ws?room=1',
      ticket: 'https://app.company.com/.sallyport/ticket?path=%2Fws',
    },
    {
      row: 'outside a page an absolute url',
      page: null,
      url: 'wss://app.company.com/ws',
      socket: 'wss://app.company.com/ws',
      ticket: 'https://app.company.com/.sallyport/ticket?path=%2Fws',
    },
  ])
    it(row, () => {
      at(page)
      const address = resolveAddress(url, ENDPOINT, false)
      assert.equal(address.socket.href, socket)
      assert.equal(address.ticket?.href, ticket)
    })

  for (const { row, page, url, ticket = ENDPOINT } of [
    {
      row: 'a url from the page address that names the attacker (CVE-2026-25253)',
      page: 'https://app.company.com/?gateway=',
      url: 'wss://evil.example/ws',
    },
    { row: 'a protocol-relative url', page: 'https://app.company.com/', url: '//evil.example/ws' },
    { row: 'a url with backslashes', page: 'https://app.company.com/', url: String.raw`\\evil.example\ws` },
    {
      row: 'a user that looks like the host',
      page: 'https://app.company.com/',
      url: 'wss://app.company.com@evil.example/ws',
    },
    { row: 'a user on the own host', page: 'https://app.company.com/', url: 'wss://u:p@app.company.com/ws' },
    { row: 'a sibling subdomain', page: 'https://app.company.com/', url: 'wss://evil.app.company.com/ws' },
    { row: 'another port', page: 'https://app.company.com/', url: 'wss://app.company.com:8443/ws' },
    { row: 'plain ws on an https page', page: 'https://app.company.com/', url: 'ws://app.company.com/ws' },
    { row: 'plain http on an https page', page: 'https://app.company.com/', url: 'http://app.company.com/ws' },
    { row: 'an opaque page', page: 'about:srcdoc', url: 'wss://app.company.com/ws' },
    { row: 'a file', page: 'file:///tmp/page.html', url: 'wss://app.company.com/ws' },
    { row: 'a javascript url', page: 'https://app.company.com/', url: 'javascript:alert(1)' },
    { row: 'a data url', page: null, url: 'data:text/html,x' },
    { row: 'a relative url without a page', page: null, url: '/ws' },
    {
      row: 'a ticket endpoint of another origin',
      page: 'https://app.company.com/',
      url: '/ws',
      ticket: 'https://evil.example/ticket',
    },
    {
      row: 'a ticket endpoint of another origin without a page',
      page: null,
      url: 'wss://app.company.com/ws',
      ticket: 'https://evil.example/ticket',
    },
    {
      row: "the app's own token to another origin",
      page: 'https://app.company.com/',
      url: 'wss://evil.example/ws',
      ticket: () => 'token',
    },
  ])
    it(`no ticket: ${row}`, () => {
      at(page)
      assert.throws(() => resolveAddress(url, ticket, false), TypeError)
    })

  for (const [row, page, url] of [
    ['a link that names the attacker (CVE-2026-25253)', 'https://app.company.com/?gateway=', 'wss://evil.example/ws'],
    ['a protocol-relative url', 'https://app.company.com/', '//evil.example/ws'],
    ['a sibling subdomain', 'https://app.company.com/', 'wss://evil.app.company.com/ws'],
    ['another port', 'https://app.company.com/', 'wss://app.company.com:8443/ws'],
    ['a host below it', 'https://app.company.com/', 'wss://app.company.com.evil.example/ws'],
    ['an opaque page', 'about:srcdoc', 'wss://app.company.com/ws'],
  ] as const)
    it(`without a ticket too a page connects to its own origin alone: ${row}`, () => {
      at(page)
      assert.throws(
        () => resolveAddress(url, false, false),
        /own origin alone: use a relative url, or dangerouslyCross/,
      )
      assert.throws(() => connect(url, { ticket: false }), TypeError)
    })

  for (const [row, page, url, href] of [
    ['the own origin', 'https://app.company.com/', '/ws', 'wss://app.company.com/ws'],
    [
      'the own origin by its whole name',
      'https://app.company.com/',
      'wss://app.company.com/ws',
      'wss://app.company.com/ws',
    ],
    [
      "a worker's script from a blob",
      'blob:https://app.company.com/8d2c',
      'wss://app.company.com/ws',
      'wss://app.company.com/ws',
    ],
    ['any server, outside a page', null, 'wss://prices.example/ws', 'wss://prices.example/ws'],
  ] as const)
    it(`without a ticket: ${row}`, () => {
      at(page)
      assert.equal(resolveAddress(url, false, false).socket.href, href)
    })

  it('dangerouslyCrossOrigin is the way to another origin without a ticket', () => {
    at('https://app.company.com/')
    assert.equal(resolveAddress('wss://prices.example/ws', false, true).socket.href, 'wss://prices.example/ws')
  })

  it('dangerouslyCrossOrigin is the way to another origin, and asks the own endpoint', () => {
    at('https://app.company.com/')
    const { socket, ticket } = resolveAddress('wss://api.company.com/ws', ENDPOINT, true)
    assert.equal(socket.href, 'wss://api.company.com/ws')
    assert.equal(ticket?.origin, 'https://app.company.com')
  })

  it('dangerouslyCrossOrigin does not allow plain ws on an https page', () => {
    at('https://app.company.com/')
    assert.throws(() => resolveAddress('ws://api.company.com/ws', ENDPOINT, true), TypeError)
  })
})
