import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chat, CHAT, chat, policyFor, pairOf, read, taught, twice } from './template-fixtures.ts'

/** Ways to write one message, as many as are asked for. */
const variant = (index: number): string => {
  const space = [0, 1, 2, 3, 4, 5].map(at => ' '.repeat((index >> (2 * at)) & 3))
  return `{${space[0]}"type"${space[1]}:"chat"${space[2]},"message"${space[3]}:"x"${space[4]}}${space[5]}`
}

test('flooding: a peer who never writes twice alike does not drive out what others use', () => {
  const { take } = taught({ chat: Chat }, CHAT)
  let honest = 0
  for (let index = 1; index < 4096; index++) {
    take(variant(index))
    if (index % 40 === 0 && take(CHAT) !== null) honest++
  }
  assert.equal(honest, Math.floor(4095 / 40))
})

test('flooding: who fills every place first cannot keep others out', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 16; index++) pair.take(variant(index))
  for (let round = 0; round < 100; round++)
    for (let index = 0; index < 16; index++) assert.ok(pair.take(variant(index)))
  let asked = 0
  while (pair.take(CHAT) === null) assert.ok(++asked <= 1024, 'learned in the end')
})

test('flooding: what was frequent once gives way to two who come now', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 16; index++) pair.take(variant(index))
  for (let round = 0; round < 10_000; round++) {
    for (let index = 0; index < 16; index++) assert.ok(read(pair.reader, variant(index)))
  }
  for (let round = 0; round < 1500; round++) {
    pair.take(variant(100))
    pair.take(variant(200))
  }
  assert.ok(read(pair.reader, variant(100)))
  assert.ok(read(pair.reader, variant(200)))
})

test('flooding: once all places are taken, one is given away in 257 messages', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 17; index++) pair.take(variant(index))
  assert.ok(read(pair.reader, variant(16)), 'the first newcomer waits for nothing')
  for (let calls = 0; calls < 256; calls++) pair.take(variant(17))
  assert.equal(read(pair.reader, variant(17)), null)
  pair.take(variant(17))
  assert.ok(read(pair.reader, variant(17)))
})

test('flooding: one way of writing takes one place, however often it is taught', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  const teach = (text: string, times: number): void => {
    for (let i = 0; i < times; i++) pair.reader.learn(text, 'chat', ...twice(JSON.parse(text)))
  }
  teach(variant(0), 20)
  for (let index = 1; index < 16; index++) teach(variant(index), 40)
  for (let index = 0; index < 16; index++) assert.ok(read(pair.reader, variant(index)))
})

test('flooding: no more than 16 are known, however many are taught', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 4096; index++) pair.take(variant(index))
  let known = 0
  for (let index = 0; index < 4096; index++) if (read(pair.reader, variant(index)) !== null) known++
  assert.equal(known, 16)
})

test('flooding: what is never readable is hardly looked at, and what is readable is learned all the same', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 5000; index++) pair.take(chat(String.raw`\u0061`))
  let asked = 0
  while (pair.take(CHAT) === null) assert.ok(++asked <= 257, 'learned in the end')
})
