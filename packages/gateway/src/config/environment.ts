import { nearest } from 'sallyport/internal'

/** Why a reference cannot be filled in, and what to write. */
export interface Unfilled {
  readonly message: string
  readonly remedy: string
  readonly nearest?: string
}

/** A text whose references are filled in. `from` names them where there were any: such a value is never shown. */
export interface Filled {
  readonly text: string
  readonly from: string | null
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g
/** What is better not written into a file, as a default would be. */
const CONFIDENTIAL = /secret|token|password|key/i
const NAMED = /^([A-Za-z_]\w{0,127})(?::-(.*))?$/s

/**
 * Fills in `${NAME}` and `${NAME:-default}` from the environment; `$${` stands for `${` itself. The default stands where
 * the variable is unset or empty. What the variable holds is not looked at again: it cannot refer on.
 */
export function fillIn(text: string, env: { readonly [name: string]: string | undefined }): Filled | Unfilled {
  if (!text.includes('${')) return { text, from: null }
  let fault: Unfilled | null = null
  const names: string[] = []
  const filled = text.replaceAll(REFERENCE, (whole, inner: string | undefined) => {
    if (inner === undefined) return '${'
    const [, name, fallback] = NAMED.exec(inner) ?? []
    if (name === undefined) {
      fault ??= {
        message: 'not the name of a variable',
        remedy: 'write ${NAME} or ${NAME:-default}; a text that holds ${ itself is written $${',
      }
      return whole
    }
    names.push(`\${${name}}`)
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value !== undefined && (value !== '' || fallback === undefined)) return value
    if (fallback !== undefined) return fallback
    const near = nearest(name, Object.keys(env))
    fault ??= {
      message: `the environment has no ${name}`,
      remedy:
        near === undefined
          ? `set ${name} before the start${CONFIDENTIAL.test(name) ? '' : `, or write \${${name}:-default}`}`
          : `set ${name} before the start; did you mean \${${near}}?`,
      ...(near === undefined ? {} : { nearest: near }),
    }
    return whole
  })
  if (fault !== null) return fault
  return { text: filled, from: names.length === 0 ? null : [...new Set(names)].join(' ') }
}
