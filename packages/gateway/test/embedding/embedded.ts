import { readFileSync } from 'node:fs'
import { ConfigError, createGateway, createGuardOf, type Gateway, parseConfigFully } from '@sallyport/gateway'
import { createMemoryStore } from 'sallyport/store/memory'

/** For CI: the problems of a file, or what it weakens and does not accept with a reason. */
export function judge(file: string): readonly string[] {
  try {
    const { weakened } = parseConfigFully(readFileSync(file, 'utf8'), { file })
    return weakened.flatMap(({ path, message, accepted }) => (accepted === null ? [`${path}: ${message}`] : []))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(
      ({ line, column, path, message, remedy }) => `${file}:${line}:${column} ${path}: ${message} → ${remedy}`,
    )
  }
}

/** A gateway within a process of your own. */
export async function serve(file: string, secrets: { ticketSecret: string; hashKey: string }): Promise<Gateway> {
  const { config } = parseConfigFully(readFileSync(file, 'utf8'), { file })
  const gateway = createGateway({
    config,
    guardOf: createGuardOf({
      ...secrets,
      store: createMemoryStore(),
      logOf: () => console,
      reported: (route, { control, code }) => console.log(route, control, code),
    }),
    log: console,
  })
  await gateway.listen()
  return gateway
}
