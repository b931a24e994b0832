import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDispatch } from '../../src/connection/handlers.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { policyWith } from '../policy/honest-policy.ts'

const anything = { type: 'object' }
const policy = parsePolicy(policyWith({ 'message.schema': { chat: anything, subscribe: anything } }))
const handler = (): undefined => undefined

class Inheriting {
  chat() {}
  subscribe() {}
}

const MISTAKES: readonly (readonly [name: string, handlers: unknown, message: RegExp])[] = [
  [
    'nothing',
    undefined,
    /^handlers is nothing, not an object; write \{ chat\(message, connection\) \{ … \}, subscribe\(/,
  ],
  ['null', null, /^handlers is null, not an object/],
  ['one function for all', handler, /^handlers is a function/],
  ['a list', [handler], /^handlers is a list of 1/],
  ['handlers that are still to come', Promise.resolve({ chat: handler }), /^handlers is a Promise/],
  ['none', {}, /declares chat, subscribe: add a handler of that name/],
  ['one too few', { chat: handler }, /declares subscribe: add/],
  ['a misspelt one', { caht: handler, subscribe: handler }, /handlers has caht: did you mean chat\?/],
  ['one too many', { chat: handler, subscribe: handler, leave: handler }, /handlers has leave: declare the type/],
  [
    'one that is no function',
    { chat: 'hello', subscribe: handler },
    /handlers\.chat is a string, not a function; write chat\(/,
  ],
  ['one that is undefined', { chat: undefined, subscribe: handler }, /handlers\.chat is nothing, not a function/],
  [
    'an instance whose class has them',
    new Inheriting(),
    /inherits chat, subscribe, .* write \{ chat: \(message, connection\) =>/,
  ],
]

for (const [name, handlers, message] of MISTAKES) {
  test(`handlers: ${name} is an error at start`, () => {
    assert.throws(() => createDispatch(policy, handlers as never), { name: 'TypeError', message })
  })
}

test('handlers without a schema are an error at start', () => {
  const open = parsePolicy(policyWith({ 'message.schema': { dangerouslyAcceptAnyMessage: true } }))
  assert.throws(() => createDispatch(open, { chat: handler }), { name: 'TypeError', message: /give `message` instead/ })
})
