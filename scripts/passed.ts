// Which commits passed a half of CI. The stamps are files in the repository's git directory, shared by its work trees and in
// no commit. `.ci/run` writes the one of the short half.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** The halves of CI: `.ci/run`, and `npm run ci:long`. */
export type Half = 'ci' | 'ci-long'

/** The output of a git command in `root`, trimmed; null if it fails. */
export function git(root: string, ...args: readonly string[]): string | null {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

/** The commit that the work tree holds without any change; null if it has changes, or is no git repository. */
export function cleanCommit(root: string): string | null {
  return git(root, 'status', '--porcelain') === '' ? git(root, 'rev-parse', 'HEAD') : null
}

function stampFile(root: string, half: Half): string | null {
  const folder = git(root, 'rev-parse', '--git-common-dir')
  return folder === null ? null : resolve(root, folder, `sallyport-passed-${half}`)
}

/**
 * Notes that a half of CI passed on the commit `before`, if the tree is still that commit without any change. Returns
 * whether it did.
 */
export function stamp(root: string, half: Half, before: string | null): boolean {
  const file = stampFile(root, half)
  if (file === null || before === null || cleanCommit(root) !== before) return false
  appendFileSync(file, `${before}\n`)
  return true
}

/** Whether this half of CI passed on the commit. */
export function hasPassed(root: string, half: Half, commit: string): boolean {
  const file = stampFile(root, half)
  return file !== null && commit !== '' && existsSync(file) && readFileSync(file, 'utf8').split('\n').includes(commit)
}

if (import.meta.main) {
  const [half = '', before = ''] = process.argv.slice(2)
  if (half !== 'ci') throw new TypeError(`passed: the half is ci, not ${JSON.stringify(half)}`)
  const root = process.cwd()
  const stamped = stamp(root, half, before === '' ? null : before)
  process.stdout.write(stamped ? `noted: ${before} passed\n` : 'not noted for a release: the tree has changes\n')
}
