// `node --conditions=sallyport-source packages/gateway/schema/write.ts`: writes what is generated from the table that reads
// the configuration; a test tells when to.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { editorSchema } from '../src/config/editor-schema.ts'
import { configReference } from '../src/config/reference.ts'

writeFileSync(join(import.meta.dirname, 'gateway.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`)
writeFileSync(join(import.meta.dirname, '../../../docs/gateway/reference.md'), configReference())
