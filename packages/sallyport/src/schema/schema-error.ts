/** A schema that cannot be compiled. `message` names the message type, the place in the schema and the remedy. */
export interface SchemaError extends Error {
  readonly code: 'SALLY_SCHEMA_INVALID'
}

/** Builds the error of a schema for `type`: what is wrong, and what to write instead. */
export function schemaError(type: string, problem: string, remedy: string, cause?: unknown): SchemaError {
  const error = new Error(`schema of ${JSON.stringify(type)}: ${problem}. ${remedy}`, { cause })
  return Object.assign(error, { code: 'SALLY_SCHEMA_INVALID' as const })
}
