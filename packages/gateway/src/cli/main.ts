#!/usr/bin/env node
import { tooOld } from './node-version.ts'
import { processTerminal } from './terminal.ts'
import { boundYoungSpace } from './young-space.ts'

const args = process.argv.slice(2)
const terminal = processTerminal()
const old = tooOld(process.versions.node)
if (old === null) {
  if (args[0] === 'run') boundYoungSpace()
  // Not before: what is loaded now would be loaded twice.
  const { commandLine } = await import('./command-line.ts')
  process.exitCode = await commandLine(args, terminal)
} else {
  terminal.err(old)
  process.exitCode = 1
}
