import { kindOf, requireOptions } from 'sallyport/internal'

/** Throws a `TypeError` for a call that no text could make good: what is wrong with the text itself is a `ConfigError`. */
export function requireCall(text: unknown, options: unknown): void {
  if (typeof text !== 'string') {
    misuse(`the text is ${kindOf(text)}, not text; write parseConfig(readFileSync(file, 'utf8'), { file })`)
  }
  const { file, env, readFile } = requireOptions(
    'parseConfig',
    options,
    ['file', 'env', 'readFile'],
    "parseConfig(text, { file: 'gateway.yaml' })",
  )
  if (typeof file !== 'string' || file === '') {
    misuse(`file is ${file === '' ? 'an empty text' : kindOf(file)}; write the name of the file: 'gateway.yaml'`)
  }
  if (env !== undefined && (typeof env !== 'object' || env === null || env instanceof Promise)) {
    misuse(`env is ${kindOf(env)}; write an object of names and values, or leave it out for process.env`)
  }
  if (readFile !== undefined && typeof readFile !== 'function') {
    misuse(`readFile is ${kindOf(readFile)}, not a function; write readFile: name => readFileSync(name, 'utf8')`)
  }
}

function misuse(what: string): never {
  throw new TypeError(`parseConfig: ${what}`)
}
