import type { Earlier } from '../controls/definition.ts'
import { authorize } from '../controls/message/authorize.ts'
import { concurrency } from '../controls/message/concurrency.ts'
import { format } from '../controls/message/format.ts'
import { readHeartbeats } from '../controls/message/heartbeat.ts'
import { outbound } from '../controls/message/outbound.ts'
import { rate } from '../controls/message/rate.ts'
import { replay } from '../controls/message/replay.ts'
import { BESIDE_SCHEMA } from '../controls/message/schema-keys.ts'
import { schema } from '../controls/message/schema.ts'
import { size } from '../controls/message/size.ts'
import type { Policy } from '../model/policy.ts'
import type { Fields } from '../shape/fields.ts'

/** Keys of `message`. */
export const MESSAGE_KEYS: readonly string[] = [
  'size',
  'rate',
  'format',
  'schema',
  'discriminator',
  'unknownFields',
  'strikes',
  'authorize',
  'replay',
  'concurrency',
  'outbound',
  'heartbeat',
]

/** Reads `message`: what may pass. */
export function readMessage(message: Fields, sections: Earlier): Policy['message'] {
  const { discriminator: named, strikes } = BESIDE_SCHEMA
  const schemas = sections.sectionOf(schema)
  const discriminator = schemas?.discriminator ?? named.shape.read(message, 'discriminator', named.default)
  return Object.freeze({
    size: sections.sectionOf(size),
    rate: sections.sectionOf(rate),
    format: sections.sectionOf(format),
    schema: schemas,
    discriminator,
    strikes: strikes.shape.read(message, 'strikes', strikes.default),
    authorize: sections.sectionOf(authorize),
    replay: sections.sectionOf(replay),
    concurrency: sections.sectionOf(concurrency),
    outbound: sections.sectionOf(outbound),
    heartbeat: readHeartbeats(message, schemas?.types ?? null, discriminator),
  })
}
