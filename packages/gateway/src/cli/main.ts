#!/usr/bin/env node
import { processTerminal } from './terminal.ts'
import { boundYoungSpace } from './young-space.ts'

const args = process.argv.slice(2)
if (args[0] === 'run') boundYoungSpace()
// Not before: what is loaded now would be loaded twice.
const { commandLine } = await import('./command-line.ts')
process.exitCode = await commandLine(args, processTerminal())
