import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { goodConfig, SECRET } from '../config/good-config.ts'
import { judge, serve } from './embedded.ts'

const here = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8')

test('docs/gateway/embedding.md shows the code that is type-checked and run here', () => {
  const [, shown] = /^```typescript\n([^]*?)^```$/m.exec(here('../../../../docs/gateway/embedding.md'))!
  assert.equal(shown, here('embedded.ts'))
})

function inFile(config: object, use: (file: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-gateway-'))
  const file = join(folder, 'gateway.json')
  writeFileSync(file, JSON.stringify(config, null, 1))
  return Promise.resolve(use(file)).finally(() => rmSync(folder, { recursive: true, force: true }))
}

test('a good file has nothing to say, a weak one what it weakens, a bad one where and what to write', async () => {
  await inFile(goodConfig(), file => assert.deepEqual(judge(file), []))
  const weak = goodConfig()
  weak.upstreams.app.targets = ['ws://10.0.0.3:9000']
  await inFile(weak, file => assert.match(judge(file).join(), /^upstreams\.app: .*in clear/))
  await inFile({ ...goodConfig(), routs: {} }, file =>
    assert.match(judge(file).join(), /gateway\.json:\d+:\d+ routs: unknown key → did you mean `routes`\?$/),
  )
})

test('what is parsed is served, guards included', async () => {
  const config = goodConfig()
  config.listeners.public.address = '127.0.0.1:0'
  await inFile(config, async file => {
    const gateway = await serve(file, { ticketSecret: SECRET, hashKey: SECRET })
    const port = gateway.ports.get('public')
    const answer = await fetch(`http://127.0.0.1:${port}/.sallyport/ticket`, { method: 'POST' })
    assert.equal(answer.status, 404)
    assert.equal(gateway.guards.get('chat')?.policy.handshake.origin !== null, true)
    await gateway.close(0)
  })
})
