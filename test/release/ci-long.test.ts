import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { listOf, runAll, tableOf } from '../../scripts/ci-long/run.ts'
import { chosenOf, type Step, stepsOf } from '../../scripts/ci-long/steps.ts'
import { cleanCommit, git, hasPassed, stamp } from '../../scripts/passed.ts'

const root = join(import.meta.dirname, '../..')
const step = (id: string, code: string, command: string = process.execPath): Step => ({
  id,
  proves: `what ${id} proves`,
  minutes: 1,
  command,
  args: ['--eval', code],
})

test('a step that fails, is killed or does not start is a failure, and the later steps run all the same', async () => {
  const said: string[] = []
  const outcomes = await runAll(
    [
      step('fails', 'process.exit(3)'),
      step('killed', "process.kill(process.pid, 'SIGKILL')"),
      step('absent', '', '/nowhere/a-command'),
      step('passes', ''),
    ],
    root,
    line => said.push(line),
  )
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [false, false, false, true],
  )
  assert.match(
    tableOf(outcomes),
    /FAIL fails .* exit code 3\nFAIL killed .* SIGKILL\nFAIL absent .*ENOENT\nok   passes/,
  )
  assert.ok(said.some(line => line.startsWith('[4/4] passes')))
})

const STEPS = stepsOf({ seed: 1, propertyTests: ['a.test.ts'], results: '/tmp' })

test('--only runs what it names and refuses a step that does not exist', () => {
  assert.deepEqual(chosenOf(STEPS, []), STEPS)
  assert.deepEqual(
    chosenOf(STEPS, ['lab', 'fuzz-wire']).map(({ id }) => id),
    ['fuzz-wire', 'lab'],
  )
  for (const wrong of [['labs'], ['lab', ''], ['LAB']]) assert.throws(() => chosenOf(STEPS, wrong), /has no step/)
  for (const { id } of STEPS) assert.ok(listOf(STEPS).includes(id))
})

const command = (...args: string[]): { readonly status: number | null; readonly stdout: string } =>
  spawnSync(process.execPath, [join(root, 'scripts/ci-long.ts'), ...args], { encoding: 'utf8' })

test('the command lists its steps; a wrong option or step ends with 2 and runs nothing', () => {
  const { status, stdout } = command('--list')
  assert.equal(status, 0)
  assert.deepEqual(stdout.match(/^\S+/gm), [...STEPS.map(({ id }) => id), 'all'])
  for (const wrong of [['--onyl', 'lab'], ['--only', 'nothing'], ['--seed', 'x', '--list'], ['lab']])
    assert.equal(command(...wrong).status, 2, wrong.join(' '))
})

/** A repository with one commit, removed after the test. */
function repository(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-stamp-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  git(folder, 'init', '--quiet')
  commit(folder, 'one')
  return folder
}

function commit(folder: string, text: string): void {
  writeFileSync(join(folder, 'file'), text)
  git(folder, 'add', '.')
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
  assert.notEqual(git(folder, ...author, 'commit', '--quiet', '--message', text), null)
}

test('a commit has passed when its clean tree was stamped, for that half of CI alone', t => {
  const folder = repository(t)
  const one = cleanCommit(folder)
  assert.ok(one !== null && !hasPassed(folder, 'ci', one))
  assert.ok(stamp(folder, 'ci', one))
  assert.ok(hasPassed(folder, 'ci', one))
  assert.ok(!hasPassed(folder, 'ci-long', one))
  assert.equal(cleanCommit(folder), one, 'the stamp is no change of the tree')
  commit(folder, 'two')
  assert.ok(!hasPassed(folder, 'ci', cleanCommit(folder)!))
  assert.ok(!hasPassed(folder, 'ci', ''), 'no commit has passed')
})

test('no stamp for a tree with changes, for one that changed meanwhile, or outside of git', t => {
  const folder = repository(t)
  const one = cleanCommit(folder)!
  writeFileSync(join(folder, 'file'), 'changed')
  assert.equal(cleanCommit(folder), null)
  assert.ok(!stamp(folder, 'ci', one))
  assert.ok(!stamp(folder, 'ci', null))
  commit(folder, 'two')
  assert.ok(!stamp(folder, 'ci', one), 'another commit than the one that was tested')
  writeFileSync(join(folder, 'untracked'), '')
  assert.ok(!stamp(folder, 'ci', git(folder, 'rev-parse', 'HEAD')))
  const bare = mkdtempSync(join(tmpdir(), 'sallyport-no-git-'))
  t.after(() => rmSync(bare, { recursive: true, force: true }))
  assert.ok(!stamp(bare, 'ci', one))
})
