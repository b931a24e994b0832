import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Policy } from '../policy/types.ts'
import { parsePolicy } from '../policy/parse.ts'
import type { Problem } from '../shape/problem.ts'
import { kindOf, quote } from '../shape/shown.ts'
import { UsageError } from './command.ts'

/** A policy that was read, or all that is wrong with it. */
export type Loaded =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const NAMES = ['default', 'guard', 'policy'] as const

/**
 * Imports a file and reads the policy or the guard that it exports. The file runs as it would in the app.
 *
 * @throws UsageError where there is no such file, it does not load, or it exports neither.
 */
export async function loadPolicy(file: string | undefined): Promise<Loaded> {
  if (file === undefined) throw new UsageError('name the file that exports the policy: sallyport check policy.ts')
  const path = resolve(file)
  if (!existsSync(path)) throw new UsageError(`there is no file ${quote(file)}`)
  try {
    return await read((await import(pathToFileURL(path).href)) as object, file)
  } catch (error) {
    const problems = problemsOf(error)
    if (problems !== null) return { ok: false, problems }
    if (error instanceof UsageError) throw error
    throw new UsageError(reasonOf(error, file))
  }
}

async function read(module: object, file: string): Promise<Loaded> {
  const found = await exportOf(module)
  if (found === undefined)
    throw new UsageError(
      `${quote(file)} exports no policy: write export default { handshake: …, message: … }, or export its guard`,
    )
  if (isGuard(found)) return { ok: true, policy: found.policy }
  return { ok: true, policy: parsePolicy(found) }
}

/** The export that is meant. In what `module.exports = { policy }` gives, the default holds the names. */
async function exportOf(module: object): Promise<unknown> {
  for (const holder of [module, (module as { readonly default?: unknown }).default])
    for (const name of NAMES) {
      const value: unknown = await (holder as { readonly [key: string]: unknown } | undefined | null)?.[name]
      if (value === undefined || value === null) continue
      const holds = typeof value === 'object' && !isGuard(value) && NAMES.some(inner => Object.hasOwn(value, inner))
      if (!holds) return value
    }
  return undefined
}

/** A guard of any copy of the library: the file may import another one. */
function isGuard(value: unknown): value is { readonly policy: Policy } {
  const { policy, report } = value as { readonly policy?: unknown; readonly report?: unknown }
  return typeof policy === 'object' && policy !== null && typeof report === 'function'
}

/** The problems of a `PolicyError`, which `createGuard` in the file throws too; null for another error. */
function problemsOf(error: unknown): readonly Problem[] | null {
  const { code, problems } = (error ?? {}) as { readonly code?: unknown; readonly problems?: unknown }
  return code === 'SALLY_POLICY_INVALID' && Array.isArray(problems) ? (problems as readonly Problem[]) : null
}

const WORDS: { readonly [code: string]: string } = {
  ERR_UNKNOWN_FILE_EXTENSION: `Node ${process.versions.node} does not read TypeScript. Use Node 22.18 or later, or write: npm install tsx && node --import tsx node_modules/sallyport/dist/cli/main.js check policy.ts`,
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    'it has TypeScript that Node cannot strip, such as an enum. Write it without, or: npm install tsx && node --import tsx node_modules/sallyport/dist/cli/main.js check policy.ts',
}

function reasonOf(error: unknown, file: string): string {
  if (!(error instanceof Error)) return `${quote(file)} threw ${kindOf(error)} while it was loaded`
  const { code } = error as { readonly code?: unknown }
  const known = typeof code === 'string' ? WORDS[code] : undefined
  return `${quote(file)} does not load: ${known ?? `${error.name}: ${error.message}`}`
}
