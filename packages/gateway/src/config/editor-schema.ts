import { FILE } from './file-shape.ts'

/** JSON Schema of the configuration, for editors: from the same table that reads it. `schema/gateway.schema.json` is it. */
export function editorSchema(): { readonly [keyword: string]: unknown } {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'sallyport-gateway configuration',
    ...FILE.schema,
  }
}
