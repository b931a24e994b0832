// `node --conditions=sallyport-source packages/gateway/schema/write.ts`: writes gateway.schema.json; a test tells when to.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { editorSchema } from '../src/config/editor-schema.ts'

writeFileSync(join(import.meta.dirname, 'gateway.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`)
