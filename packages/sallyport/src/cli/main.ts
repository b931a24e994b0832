#!/usr/bin/env node
import { commandLine } from './command-line.ts'
import { processTerminal } from './terminal.ts'

const code = await commandLine(process.argv.slice(2), processTerminal())
// The user's file may keep the process alive, with a client of a store or a server. What was written goes out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
