import { sentenceOf } from '../../src/policy/denials.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'
import type { BigIntegers } from '../../src/model/schema-kinds.ts'
import { format } from '../../src/controls/message/format.ts'
import { schema } from '../../src/controls/message/schema.ts'
import { atOnce, connectionOf, policyWith, textOf } from './door-fixtures.ts'

export const FORMAT = { data: 'json', depth: 32, width: 1000, allowKeys: [] } as const

/** What the doors of format and schema answer, and what passes on. */
export function ask(text: string, field: Schema = {}, bigIntegers: BigIntegers = 'refuse', takesBytes = false) {
  const types = { t: { type: 'object', properties: { type: { const: 't' }, v: field } } }
  const policy = policyWith({
    format: { ...FORMAT, bigIntegers },
    schema: { types, discriminator: 'type', unknownFields: 'strip' },
  })
  const subject = textOf(text)
  const connection = { ...connectionOf(), judgedAt: 0, takesBytes }
  for (const control of [format, schema]) {
    const verdict = atOnce(control.compile(policy)!(subject, connection))
    if (!verdict.pass) return { code: verdict.code, detail: sentenceOf(verdict), subject }
  }
  return { code: 'PASS', detail: '', subject }
}
/** A message whose field `v` is written so. */
export const sent = (token: string): string => `{"type":"t","v":${token}}`

/** 10 to a power that is not negative. */
export const tenTo = (power: number): bigint => 10n ** BigInt(power)
