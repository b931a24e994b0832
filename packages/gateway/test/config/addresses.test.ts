import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECRET } from './good-config.ts'
import { problemsAfter } from './problems.ts'

describe('two that listen at one address', () => {
  const admin = (address: string): object => ({ address, token: SECRET })
  const rows: readonly [name: string, public_: string, admin: object, at: string | null][] = [
    ['the admin API where clients come in', '127.0.0.1:9901', admin('127.0.0.1:9901'), 'admin.address'],
    ['beside every address', '0.0.0.0:9901', admin('127.0.0.1:9901'), 'admin.address'],
    ['beside every address of IPv6', '[::]:9901', admin('127.0.0.1:9901'), 'admin.address'],
    ['one socket', 'unix:/run/a.sock', admin('unix:/run/a.sock'), 'admin.address'],
    ['two ports', '127.0.0.1:9900', admin('127.0.0.1:9901'), null],
    ['two addresses', '127.0.0.2:9901', admin('127.0.0.1:9901'), null],
    ['whichever ports are free', '127.0.0.1:0', admin('127.0.0.1:0'), null],
    ['a socket and a port', 'unix:/run/a.sock', admin('127.0.0.1:9901'), null],
  ]
  for (const [name, address, other, at] of rows) {
    test(name, () => {
      const problems = problemsAfter(config => {
        config.listeners.public.address = address
        config.admin = other
      })
      assert.deepEqual(
        problems.map(({ path, message }) => [path, message]),
        at === null ? [] : [[at, 'listeners.public.address listens there']],
      )
    })
  }
  test('two listeners: the later one is reported, with its place', () => {
    const [problem, ...others] = problemsAfter(config => {
      config.listeners.second = { address: config.listeners.public.address }
    })
    assert.deepEqual(others, [])
    assert.deepEqual([problem!.path, problem!.value], ['listeners.second.address', "'127.0.0.1:8443'"])
  })
})
