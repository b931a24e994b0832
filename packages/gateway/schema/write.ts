// `node --conditions=sallyport-source packages/gateway/schema/write.ts`: writes what is generated from the table that reads
// the configuration, and from the library's browser half; a test tells when to.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { editorSchema } from '../src/config/editor-schema.ts'
import { configReference } from '../src/config/reference.ts'
import { clientScriptSource } from './client-script.ts'

const write = (file: string, text: string): void => writeFileSync(join(import.meta.dirname, file), text)

write('gateway.schema.json', `${JSON.stringify(editorSchema(), null, 2)}\n`)
write('../../../docs/gateway/reference.md', configReference())
write('../src/assets/client-script-text.ts', await clientScriptSource())
