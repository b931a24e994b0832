import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { createCore } from '../../src/guard/core.ts'
import { createObserver } from '../../src/guard/observer.ts'
import type { MessageSubject } from '../../src/controls/message/message-control.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { guarded } from './live.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const TEXT = '{"type":"chat","message":"hi","role":"admin"}'
const string = { type: 'string' }
const chat = (properties: object): object => ({
  type: 'object',
  properties: { type: { const: 'chat' }, message: string, ...properties },
})
const LAX = chat({ role: string })
const RATE = { messages: 3, per: '1 minute', bytes: '1 GB', cost: { chat: 2 }, exceed: 'delay' }

/** What is delivered after a message was read off its bytes under `LAX`, delayed, and judged again under another schema. */
const rows: readonly [name: string, schema: unknown, delivered: string][] = [
  ['the same schema', LAX, TEXT],
  ['a field that is declared no more is stripped', chat({}), '{"type":"chat","message":"hi"}'],
  [
    'a schema that makes another value, without a reader of bytes',
    z.object({ type: z.literal('chat'), message: z.string().transform(text => text.toUpperCase()) }),
    '{"type":"chat","message":"HI"}',
  ],
]
for (const [name, schema, delivered] of rows) {
  test(`what goes on is what was judged last: ${name}`, async t => {
    const guard = guarded(t, { message: { schema: { chat: LAX }, rate: RATE } })
    const seen: string[] = []
    // As the gateway forwards.
    const message = (subject: MessageSubject): void => {
      seen.push(subject.exact === true ? subject.text! : JSON.stringify(subject.value))
    }
    const { connection } = guard.seat({ delivery: { takesBytes: true, message } })
    const send = (): void => connection.utf8(Buffer.from(TEXT), 0, TEXT.length, true)
    // The first is learned from, the second is read off its bytes, then costs too much for now.
    send()
    send()
    assert.deepEqual(seen, [TEXT])
    assert.notEqual(connection.delayedUntil, 0)

    const policy = parsePolicy({
      handshake: {
        origin: { allow: ['https://app.company.com'] },
        session: () => null,
        ticket: { dangerouslyWithoutTicket: true },
      },
      message: { schema: { chat: schema }, rate: RATE },
      lifetime: { session: { dangerouslyOff: true } },
      report: ['handshake/transport', 'handshake/host', 'handshake/request', 'handshake/origin', 'handshake/session'],
    })
    createCore(policy, systemRuntime, createObserver(policy, systemRuntime)).adopt(connection)
    await guard.run(61_000)
    assert.deepEqual(seen.slice(1), [delivered])
  })
}
