import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Ajv } from 'ajv'
import { CONTROLS } from 'sallyport/policy'
import { parse } from 'yaml'
import { STARTER } from '../../src/cli/init.ts'
import { editorSchema } from '../../src/config/editor-schema.ts'
import { configReference } from '../../src/config/reference.ts'
import { goodConfig } from './good-config.ts'

const FILE = join(import.meta.dirname, '../../schema/gateway.schema.json')

test('the file is what the table says; else run packages/gateway/schema/write.ts', () => {
  assert.deepEqual(JSON.parse(readFileSync(FILE, 'utf8')), JSON.parse(JSON.stringify(editorSchema())))
})

test('the reference in docs/gateway is what the table says; else run packages/gateway/schema/write.ts', () => {
  const file = join(import.meta.dirname, '../../../../docs/gateway/reference.md')
  assert.equal(readFileSync(file, 'utf8'), configReference())
})

describe('every key of a policy is in it, but those that only TypeScript can say', () => {
  const route = (editorSchema() as any).properties.routes.additionalProperties.properties
  const FUNCTIONS = ['handshake.session', 'handshake.authorize', 'handshake.ticket.csrf', 'message.authorize']
  for (const { key } of CONTROLS.flatMap(control => control.keys)) {
    test(key, () => {
      let node: any = { properties: route }
      for (const part of key.split('.')) node = node?.properties?.[part]
      const isFunction = FUNCTIONS.some(path => key === path || key.startsWith(`${path}.`))
      assert.equal(node !== undefined, !isFunction)
    })
  }
})

describe('an editor says what the gateway says', () => {
  const check = new Ajv({ strict: false }).compile(editorSchema() as object)
  const rows: readonly [name: string, config: () => unknown, valid: boolean][] = [
    ['a good configuration', goodConfig, true],
    ['the starter file', () => parse(STARTER), true],
    [
      'the configuration of the demo',
      () => parse(readFileSync(join(import.meta.dirname, '../../demo/gateway.yaml'), 'utf8')),
      true,
    ],
    ['a misspelt key', () => ({ ...goodConfig(), rotues: {} }), false],
    [
      'a misspelt key of a policy',
      () => {
        const config = goodConfig()
        config.routes.chat.handshake.orgin = {}
        return config
      },
      false,
    ],
    [
      'two kinds of session',
      () => {
        const config = goodConfig()
        config.routes.chat.session.dangerouslyAnonymous = true
        return config
      },
      false,
    ],
    ['no routes', () => ({ ...goodConfig(), routes: undefined }), false],
  ]
  for (const [name, config, valid] of rows) {
    test(name, () => {
      assert.equal(check(JSON.parse(JSON.stringify(config()))), valid, JSON.stringify(check.errors))
    })
  }
})
