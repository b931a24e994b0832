import assert from 'node:assert/strict'
import { chat, enter, isEnd, type Row } from './row.ts'

const TEXTS: readonly string[] = [
  '',
  'hello',
  'grüß dich, 你好, שלום',
  '😀 \u{10ffff}',
  'a "quoted" \\ text\nwith\tescapes\u0000',
  '</script>',
  '__proto__',
  'x'.repeat(2_000),
]

export const HONEST: readonly Row[] = [
  {
    name: 'messages of all kinds come back as they were sent, in order',
    async run(way) {
      const client = await enter(await way({}))
      for (const text of TEXTS) client.say(chat(text))
      for (const text of TEXTS) assert.deepEqual(await client.next(), { type: 'chat', text })
      client.say('{ "n": -1.5e3, "text": "spaces", "type": "chat" }')
      assert.deepEqual(await client.next(), { type: 'chat', text: 'spaces', n: -1_500 })
    },
  },
  {
    name: 'a message in fragments, with a ping between them, is one message',
    needs: 'frames',
    async run(way) {
      const client = await enter(await way({}))
      client.sayInFragments(chat('in fragments, grüß dich'))
      assert.deepEqual(await client.next(), { type: 'chat', text: 'in fragments, grüß dich' })
    },
  },
  {
    name: 'a burst within the budget passes whole',
    async run(way) {
      const running = await way({ message: { rate: { messages: 60, per: '1 s', burst: 60 } } })
      const client = await enter(running)
      for (let sent = 0; sent < 50; sent++) client.say(chat(`burst ${sent}`))
      for (let sent = 0; sent < 50; sent++) assert.equal((await client.next())['text'], `burst ${sent}`)
    },
  },
  {
    name: 'a page that is idle and answers pings stays',
    needs: 'heartbeat',
    async run(way) {
      const client = await enter(await way({ lifetime: { heartbeat: { interval: 1_000, timeout: 900 } } }))
      await client.pinged()
      await client.pinged()
      client.say(chat('still here'))
      assert.equal((await client.next())['text'], 'still here')
    },
  },
  {
    name: 'the app is told the close code of the page',
    needs: 'close codes',
    async run(way) {
      const running = await way({})
      const client = await enter(running)
      client.say(chat('hello'))
      await client.next()
      client.close(4_000)
      assert.equal(await client.ended, 4_000)
      assert.equal(await running.app.closed(), 4_000)
    },
  },
  {
    name: 'the page is told the close code of the app, and that of a logout',
    needs: 'close codes',
    async run(way) {
      const running = await way({})
      const [ann, bob] = [await enter(running), await enter(running, { sid: 'bob' })]
      ann.say('{"type":"leave"}')
      assert.equal(await ann.ended, 4_001)
      await running.guard.revoke({ session: 'bob' })
      assert.equal(await bob.ended, 4_401)
    },
  },
  {
    name: 'a page that left comes back with a new ticket',
    async run(way) {
      const running = await way({})
      const first = await enter(running)
      first.say(chat('first'))
      await first.next()
      first.cut()
      await running.event(isEnd)
      const second = await enter(running)
      second.say(chat('second'))
      assert.equal((await second.next())['text'], 'second')
      assert.equal(running.guard.counters().open, 1)
    },
  },
  {
    name: 'fifty people behind one address open at once, and each hears the own answer',
    async run(way) {
      const running = await way({})
      const people = Array.from({ length: 50 }, (_, index) => `person-${index}`)
      const clients = await Promise.all(people.map(sid => enter(running, { sid })))
      clients.forEach((client, index) => client.say(chat(people[index]!)))
      const heard = await Promise.all(clients.map(async client => (await client.next())['text']))
      assert.deepEqual(heard, people)
      assert.equal(running.guard.counters().open, 50)
    },
  },
]
