import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { fc } from '../../../../test/support/fast-check.ts'
import { STARTER } from '../../src/cli/init.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { goodConfig, SECRET } from './good-config.ts'

const noFile = (): string => {
  throw Object.assign(new Error('no'), { code: 'ENOENT' })
}

/** A configuration, or a ConfigError whose problems all have a place: nothing else ever comes out. */
function judge(text: string): void {
  try {
    parseConfig(text, { file: 'f', env: { TICKET_SECRET: SECRET, ADMIN_TOKEN: SECRET }, readFile: noFile })
  } catch (error) {
    assert.ok(error instanceof ConfigError, String((error as Error).stack))
    assert.ok(error.problems.length > 0)
    for (const { line, column, message, remedy } of error.problems) {
      assert.ok(line >= 1 && column >= 1)
      assert.ok(message !== '' && remedy !== '')
    }
    assert.ok(!error.message.includes(SECRET))
  }
}

const text = stringify(goodConfig())

test('a piece of the text is replaced by anything', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(text, STARTER),
      fc.nat(),
      fc.nat(40),
      fc.oneof(
        fc.string(),
        fc.constantFrom('${', '&a ', '*a', '!!x ', '{', '[', '- ', ': ', '\n', '"', '__proto__: ', '? ', '| '),
      ),
      (whole, at, length, piece) => {
        const start = at % whole.length
        judge(whole.slice(0, start) + piece + whole.slice(start + length))
      },
    ),
    { numRuns: 300 },
  )
})

test('a value somewhere is replaced by any other', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(null, [], {}, '', [null], { '': {} }, 1e308, -0)),
      (which, value) => {
        const config = goodConfig()
        const places: [any, string][] = []
        const walk = (node: any): void => {
          if (typeof node !== 'object' || node === null) return
          for (const key of Object.keys(node)) {
            places.push([node, key])
            walk(node[key])
          }
        }
        walk(config)
        const [holder, key] = places[which % places.length]!
        holder[key] = value
        judge(JSON.stringify(config))
      },
    ),
    { numRuns: 300 },
  )
})
