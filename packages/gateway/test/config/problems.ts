import assert from 'node:assert/strict'
import { stringify } from 'yaml'
import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { goodConfig } from './good-config.ts'

/** A folder in which no file is. */
export const noFile = (): string => {
  throw Object.assign(new Error('no'), { code: 'ENOENT' })
}

/** What is wrong with a text; nothing, where it is accepted. */
export function problemsOf(
  text: string,
  env: Record<string, string> = {},
  readFile: (name: string) => string = noFile,
): readonly ConfigProblem[] {
  try {
    parseConfig(text, { file: 'gateway.yaml', env, readFile })
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  return []
}

/** Problems of the good configuration after one change. */
export function problemsAfter(
  change: (config: any) => void,
  env: Record<string, string> = {},
  readFile?: (name: string) => string,
): readonly ConfigProblem[] {
  const config = goodConfig()
  change(config)
  return problemsOf(stringify(config), env, readFile)
}
