import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { ask, signIn } from './https-client.ts'
import { startTestChat } from './running-chat.ts'
import type { TestChat } from './running-chat.ts'

let running: TestChat
before(async () => {
  running = await startTestChat({})
})
after(() => running.end())

const post = (path: string, headers: Record<string, string>, body: string): ReturnType<typeof ask> =>
  ask(running.chat.origin, path, { method: 'POST', headers, body })
const credentials = JSON.stringify({ name: 'alice', password: 'wonderland' })
const json = { 'content-type': 'application/json' }

test('page: a strict policy, nothing inline, nothing remote', async () => {
  const { chat } = running
  const page = await ask(chat.origin, '/')
  assert.equal(page.status, 200)
  const policy = String(page.headers['content-security-policy'])
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(part), part)
  }
  assert.doesNotMatch(policy, /unsafe/)
  assert.doesNotMatch(page.body, /<script(?![^>]* src="\/)/)
  assert.doesNotMatch(page.body, /\son\w+=|\sstyle=|https?:\/\/(?!www\.w3\.org)/)
  for (const path of ['/chat.js', '/chat.css', '/icon.svg']) {
    const { status, headers } = await ask(chat.origin, path)
    assert.equal(status, 200, path)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
  }
})

const FOREIGN: readonly (readonly [string, (origin: string) => Record<string, string>])[] = [
  ['no Origin', () => ({})],
  ['Origin null', () => ({ origin: 'null' })],
  ['the sibling subdomain', origin => ({ origin: origin.replace('//app.', '//evil.app.') })],
  ['plain http', origin => ({ origin: origin.replace('https:', 'http:') })],
  ['another port', () => ({ origin: 'https://app.localhost:1' })],
  ['a longer host', origin => ({ origin: `${origin}.evil.example` })],
]
for (const [name, headers] of FOREIGN) {
  for (const path of ['/login', '/logout']) {
    test(`${path}: a POST with ${name} is refused`, async () => {
      const answer = await post(path, { ...json, ...headers(running.chat.origin) }, credentials)
      assert.equal(answer.status, 403)
      assert.equal(answer.headers['set-cookie'], undefined)
    })
  }
}

const BAD_LOGINS: readonly (readonly [string, string, number])[] = [
  ['wrong password', JSON.stringify({ name: 'bob', password: 'tuesday' }), 401],
  ['name that does not exist', JSON.stringify({ name: 'mallory', password: 'x' }), 401],
  ['SQL in the name', JSON.stringify({ name: "bob' --", password: 'x' }), 401],
  ['no password', JSON.stringify({ name: 'bob' }), 400],
  ['object for a name', JSON.stringify({ name: { $ne: '' }, password: { $ne: '' } }), 400],
  ['no JSON', 'name=bob', 400],
  ['more than is read', JSON.stringify({ name: 'bob', password: 'x'.repeat(5000) }), 413],
]
for (const [name, body, status] of BAD_LOGINS) {
  test(`/login: ${name} is ${status}, without a cookie and without a reason of the inside`, async () => {
    const answer = await post('/login', { ...json, origin: running.chat.origin }, body)
    assert.equal(answer.status, status)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.doesNotMatch(answer.body, /node_modules|SQLITE|Error:| at /)
  })
}

test('/login: the cookie is bound to this host, hidden from scripts, sent over TLS alone', async () => {
  const answer = await post('/login', { ...json, origin: running.chat.origin }, credentials)
  const [cookie = ''] = answer.headers['set-cookie'] ?? []
  assert.match(cookie, /^__Host-chat=/)
  for (const part of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']) assert.ok(cookie.includes(part), part)
  assert.doesNotMatch(cookie, /Domain=/i)
})

test('/login: a session id from before is not carried over (fixation)', async () => {
  const first = await signIn(running.chat, 'alice', 'wonderland')
  const second = await signIn(running.chat, 'alice', 'wonderland', first ?? '')
  assert.ok(first !== null && second !== null)
  assert.notEqual(first, second)
  const old = await ask(running.chat.origin, '/me', { headers: { cookie: first } })
  assert.deepEqual(JSON.parse(old.body), { user: null })
})

test('/logout: the session is gone on the server, not in the browser alone', async () => {
  const { origin } = running.chat
  const cookie = (await signIn(running.chat, 'carol', 'paper-lantern')) ?? ''
  const who = async (): Promise<unknown> => JSON.parse((await ask(origin, '/me', { headers: { cookie } })).body)
  assert.deepEqual(await who(), { user: { name: 'carol', displayName: 'Carol Lindqvist' } })
  assert.equal((await post('/logout', { origin, cookie }, '')).status, 204)
  assert.deepEqual(await who(), { user: null })
})

test('sessions: the database holds no session id, only its hash', async () => {
  const cookie = (await signIn(running.chat, 'alice', 'wonderland')) ?? ''
  const [, id = ''] = /^__Host-chat=s%3A([^.]+)\./.exec(cookie) ?? []
  assert.notEqual(id, '')
  const rows = JSON.stringify(running.chat.store.database.prepare('SELECT * FROM sessions').all())
  assert.ok(!rows.includes(id))
  assert.ok(rows.includes(createHash('sha256').update(id).digest('base64url')))
})

test('/login: guesses at one account end in 429, a burst of them too, while other accounts sign in', async () => {
  const headers = { ...json, origin: running.chat.origin }
  const guess = JSON.stringify({ name: 'bob', password: 'guess' })
  const answers = await Promise.all(Array.from({ length: 12 }, () => post('/login', headers, guess)))
  const right = await post('/login', headers, JSON.stringify({ name: 'bob', password: 'tuesday-train' }))
  assert.ok(answers.filter(answer => answer.status === 401).length <= 8)
  assert.ok(answers.some(answer => answer.status === 429))
  assert.equal(right.status, 429)
  assert.equal(right.headers['retry-after'], '60')
  assert.notEqual(await signIn(running.chat, 'alice', 'wonderland'), null)
})
