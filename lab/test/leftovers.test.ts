import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

/** Processes of a group that still run; one that ended and waits to be reaped does not. */
function alive(group: number): readonly string[] {
  return readdirSync('/proc').flatMap(entry => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(pgrp) === group && state !== 'Z' && state !== 'X' ? [stat.slice(0, 60)] : []
    } catch {
      return []
    }
  })
}

const WAYS: readonly {
  readonly way: string
  readonly browsers: readonly string[]
  readonly signal?: NodeJS.Signals
  readonly code: number
}[] = [
  { way: 'finishes', browsers: ['chromium'], code: 0 },
  { way: 'throws in the run', browsers: ['chromium', 'firefox'], code: 1 },
  { way: 'throws outside', browsers: ['firefox'], code: 1 },
  { way: 'is interrupted', browsers: ['chromium', 'firefox'], signal: 'SIGINT', code: 130 },
  { way: 'is terminated', browsers: ['chromium'], signal: 'SIGTERM', code: 143 },
]

for (const { way, browsers, signal, code } of WAYS) {
  test(`no browser and no profile is left behind when a run ${way}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-leftovers-'))
    try {
      const child = spawn(
        process.execPath,
        ['--conditions=sallyport-source', join(import.meta.dirname, 'leftover-child.ts'), way, ...browsers],
        { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'ignore'] },
      )
      const ended = once(child, 'exit')
      const groups: number[] = []
      for await (const line of createInterface(child.stdout)) {
        if (groups.length > 0) continue
        groups.push(...(JSON.parse(line) as number[]))
        if (signal === undefined) continue
        for (const group of groups) assert.ok(alive(group).length > 0, 'the browser runs while the run does')
        child.kill(signal)
      }
      assert.deepEqual(await ended, [code, null])
      assert.equal(groups.length, browsers.length)
      for (const group of groups) assert.deepEqual(alive(group), [])
      assert.deepEqual(
        readdirSync(folder).filter(name => name.startsWith('sallyport-run-')),
        [],
      )
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  })
}
