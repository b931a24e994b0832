import assert from 'node:assert/strict'
import { test } from 'node:test'
import { show } from '../../src/shape/shown.ts'
import { ipcStore, serveIpcStore } from '../../src/store/ipc.ts'
import { createMemoryStore } from '../../src/store/memory.ts'

const MISTAKES: readonly (readonly [name: string, options: unknown, message: RegExp])[] = [
  ['null', null, /: the options are null, not an object; write \w+\(\{ maxKeys: 1_000_000 \}\)/],
  ['a bare number', 1000, /: the options are a number/],
  ['options that are still to come', Promise.resolve({}), /: the options are a Promise, .*await it first/],
  ['a misspelt key', { maxKey: 5 }, /: unknown option 'maxKey'; did you mean maxKeys\?/],
  ['a key of nobody', { ttl: 5 }, /: unknown option 'ttl'; there are maxKeys, now/],
  ['a number as text', { maxKeys: '1000' }, /: maxKeys is '1000'; write 1000 without quotes/],
  ['no key at all', { maxKeys: 0 }, /: maxKeys is 0; write a whole number from 1 to 16777216/],
  ['half a key', { maxKeys: 1.5 }, /: maxKeys is 1\.5/],
  ['more keys than a Map holds', { maxKeys: 2 ** 24 + 1 }, /: maxKeys is 16777217/],
  ['no bound', { maxKeys: Infinity }, /: maxKeys is Infinity/],
  ['null as a bound', { maxKeys: null }, /: maxKeys is null/],
  ['a time instead of a clock', { now: 5 }, /: now is a number, not a function; write now: \(\) =>/],
]

for (const [name, options, message] of MISTAKES) {
  for (const make of [createMemoryStore, serveIpcStore])
    test(`${make.name}: ${name} is an error at start`, () => {
      assert.throws(() => make(options as never), {
        name: 'TypeError',
        message: new RegExp(`^${make.name}${message.source}`),
      })
    })
}

for (const options of [undefined, {}, { maxKeys: 1 }, { maxKeys: 2 ** 24 }, { maxKeys: undefined, now: Date.now }]) {
  test(`createMemoryStore: ${show(options)} is taken`, () => createMemoryStore(options as never).close())
}

for (const [name, options, message] of [
  ['null', null, /^ipcStore: the options are null/],
  ['a misspelt key', { deadline: 5 }, /^ipcStore: unknown option 'deadline'; did you mean deadlineMs\?/],
  ['a time as text', { deadlineMs: '50' }, /^ipcStore: deadlineMs is '50'; write 50 without quotes/],
  ['no time', { graceMs: 0 }, /^ipcStore: graceMs is 0; write a number from 1/],
  ['a part of more than all', { excess: 1.1 }, /^ipcStore: excess is 1\.1; write a number from 0 to 1/],
  ['a time instead of a clock', { now: 5 }, /^ipcStore: now is a number/],
  ['nothing, in a process that is no worker', undefined, /belongs into a worker/],
] as const) {
  test(`ipcStore: ${name} is an error at start`, () => {
    assert.throws(() => ipcStore(options as never), { name: 'TypeError', message })
  })
}
