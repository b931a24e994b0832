import cluster from 'node:cluster'

/**
 * V8 lets new objects have 48 MB before it collects hard, and the garbage of a crowd's handshakes stays resident there:
 * 16.5 kB an idle pair, 5.8 kB with these 4 MB of each half, and a message costs the same.
 */
const ARGUMENT = '--max-semi-space-size=4'

/** What the operator says of it in words of their own stands. */
const SAID = /max[-_]semi[-_]space[-_]size|min[-_]semi[-_]space[-_]size|semi[-_]space[-_]growth[-_]factor/

/** What a process of ours is begun with, besides what it has: nothing where the operator has decided. */
export function youngSpaceArguments(execArgv: readonly string[], nodeOptions: string | undefined): readonly string[] {
  return [...execArgv, nodeOptions ?? ''].some(argument => SAID.test(argument)) ? [] : [ARGUMENT]
}

/**
 * Bounds the space for new objects, here and in workers to come. V8 reads the bound once, as the process begins: so this
 * one begins again in its own place (same pid, same descriptors 0 to 2), where the system can do that, and returns when it
 * has. Elsewhere it goes on as it is.
 */
export function boundYoungSpace(): void {
  const added = youngSpaceArguments(process.execArgv, process.env['NODE_OPTIONS'])
  if (added.length === 0 || cluster.isWorker) return
  const execArgv = [...process.execArgv, ...added]
  cluster.setupPrimary({ execArgv })
  // A parent that forked us talks by a descriptor that the new one would not have.
  if (process.execve === undefined || process.send !== undefined) return
  try {
    process.execve(process.execPath, [process.execPath, ...execArgv, ...process.argv.slice(1)], process.env)
  } catch {
    // Windows, or a permission model: memory is all that it costs.
  }
}
