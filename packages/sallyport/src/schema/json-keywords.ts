/** Keywords whose value is one schema. */
export const ONE_SCHEMA: ReadonlySet<string> = words(
  `additionalProperties unevaluatedProperties additionalItems unevaluatedItems contains propertyNames not if then else`,
)
/** Keywords whose value is a list of schemas. */
export const SCHEMA_LIST: ReadonlySet<string> = words('allOf anyOf oneOf prefixItems')
/** Keywords whose value holds schemas by name. */
export const SCHEMA_MAP: ReadonlySet<string> = words('properties patternProperties $defs definitions dependentSchemas')
/** Keywords that what is declared depends on. */
export const BRANCHES: ReadonlySet<string> = words('anyOf oneOf if dependentSchemas')
/** Other keywords that are enforced, and annotations that ask for nothing. */
export const OTHER: ReadonlySet<string> = words(
  `$schema $id $anchor $ref $comment title description default examples deprecated readOnly writeOnly
   type const enum format pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum
   multipleOf items minItems maxItems uniqueItems minContains maxContains required minProperties maxProperties dependentRequired`,
)
/** Keywords whose value is a number. */
export const NUMBERS: ReadonlySet<string> = words(
  `minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems minContains
   maxContains minProperties maxProperties`,
)
/** Those of them that judge numbers of a message. */
export const NUMBER_BOUNDS: ReadonlySet<string> = words('minimum maximum exclusiveMinimum exclusiveMaximum multipleOf')
/** JSON Schema's types, and those of TypeBox, which no JSON value has. */
export const TYPES: ReadonlySet<string> = words(
  'object array string number integer boolean null bigint undefined symbol function void',
)
/** Keywords that no validator here follows, and what to write instead. */
export const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ...['$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor'].map(
    key => [key, 'Write $ref with $defs.'] as const,
  ),
  ['dependencies', 'Write dependentRequired or dependentSchemas.'],
  ...['contentEncoding', 'contentMediaType', 'contentSchema'].map(
    key =>
      [
        key,
        'No validator decodes the text of a message: bound it with pattern and maxLength, decode and check it in the handler, and say what it holds in description.',
      ] as const,
  ),
])

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}
