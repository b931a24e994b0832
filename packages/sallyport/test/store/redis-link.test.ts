import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { createRedisLink } from '../../src/store/redis-link.ts'
import { ONCE, PROBE } from '../../src/store/redis-scripts.ts'

/** A client that notes what it is asked, and a server that knows the scripts it was sent. */
function setUp(kind: 'node-redis' | 'ioredis') {
  const asked: string[] = []
  const known = new Set<string>()
  const control = { fails: false }
  const nameOf = (text: string): string => (text === ONCE.lua || text === ONCE.sha ? 'once' : 'probe')
  const answer = async (how: 'text' | 'name', script: string): Promise<string> => {
    asked.push(`${nameOf(script)} by ${how}`)
    if (control.fails) throw new Error('LOADING')
    if (how === 'text') known.add(nameOf(script))
    else if (!known.has(nameOf(script))) throw new Error('NOSCRIPT No matching script')
    return 'answered'
  }
  const byText = (lua: string): Promise<string> => answer('text', lua)
  const byName = (sha: string): Promise<string> => answer('name', sha)
  const names = kind === 'ioredis' ? { evalsha: byName, status: 'ready' } : { evalSha: byName }
  const client = Object.assign(new EventEmitter(), names, { eval: byText })
  return { link: createRedisLink(client), client, asked, known, control }
}

for (const kind of ['node-redis', 'ioredis'] as const) {
  describe(`scripts by ${kind}: one round trip each`, () => {
    it('the text goes with the first call of a bucket alone, also where many are made at once', async () => {
      const { link, asked } = setUp(kind)
      await Promise.all([1, 2, 3].map(() => link.run(ONCE, ['p:{1}:o:a', 'p:{1}:line'], [1])))
      await link.run(PROBE, ['p:{1}:line'], [])
      await link.run(ONCE, ['p:{1}:o:b', 'p:{1}:line'], [1])
      await link.run(ONCE, ['p:{2}:o:b', 'p:{2}:line'], [1])
      assert.deepEqual(asked, [
        'once by text',
        'once by name',
        'once by name',
        'probe by text',
        'once by name',
        'once by text',
      ])
    })

    it('and again after each new connection, which may lead to another server', async () => {
      const { link, client, asked } = setUp(kind)
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      client.emit('ready')
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      assert.deepEqual(asked, ['once by text', 'once by text'])
    })

    it('a script that the server forgot is sent once more, at the cost of a second round trip', async () => {
      const { link, known, asked } = setUp(kind)
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      known.clear()
      assert.equal(await link.run(ONCE, ['p:{1}:o:a'], [1]), 'answered')
      assert.deepEqual(asked, ['once by text', 'once by name', 'once by text'])
    })

    it('a text that was refused is not taken for known', async () => {
      const { link, control, asked } = setUp(kind)
      control.fails = true
      await assert.rejects(link.run(ONCE, ['p:{1}:o:a'], [1]))
      control.fails = false
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      assert.deepEqual(asked, ['once by text', 'once by text'])
    })
  })
}
