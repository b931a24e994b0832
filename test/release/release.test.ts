import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { cleanCommit, git, stamp } from '../../scripts/passed.ts'
import { commandsOf, refusals } from '../../scripts/release.ts'
import { differences, expectedOf, lostMaps } from '../../scripts/release/contents.ts'
import { entryOf, isVersion, otherVersions, setVersions } from '../../scripts/release/version.ts'
import { manifestsOf, REPOSITORY, wrongLinks } from '../../scripts/repository.ts'

const root = join(import.meta.dirname, '../..')

test('every package.json has the links of the one constant, and so has the service file', () => {
  assert.ok(manifestsOf(root).length >= 5)
  assert.deepEqual(wrongLinks(root), [])
  assert.ok(readFileSync(join(root, 'deploy/sallyport-gateway.service'), 'utf8').includes(`=${REPOSITORY}/`))
})

/** A repository with our manifests, lock file and changelog, committed; removed after the test. */
function copy(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-release-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const path of [...manifestsOf(root), 'package-lock.json', 'CHANGELOG.md']) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(root, path), join(folder, path))
  }
  git(folder, 'init', '--quiet')
  commit(folder)
  return folder
}

function commit(folder: string): void {
  git(folder, 'add', '.')
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
  assert.notEqual(git(folder, ...author, 'commit', '--quiet', '--message', 'a commit'), null)
}

function announce(folder: string, version: string): void {
  const file = join(folder, 'CHANGELOG.md')
  writeFileSync(file, readFileSync(file, 'utf8').replace('# Changelog\n', `# Changelog\n\n## ${version}\n\n- News.\n`))
  commit(folder)
}

test('a version without an entry, a dirty tree and an untested commit are refused, each with what to do', t => {
  const folder = copy(t)
  assert.match(refusals(folder, '7.0.0', true).join('\n'), /^CHANGELOG.md has no entry for 7\.0\.0/)
  announce(folder, '7.0.0')
  assert.deepEqual(refusals(folder, '7.0.0', true), [])
  setVersions(folder, '7.0.0')
  assert.match(refusals(folder, '7.0.0', false).join('\n'), /^the tree has changes/)
  commit(folder)
  assert.match(
    refusals(folder, '7.0.0', false).join('\n'),
    /^\w{40} has not passed: run \.ci\/run\n\w{40} has not passed the long/,
  )
  assert.ok(stamp(folder, 'ci', cleanCommit(folder)))
  assert.match(refusals(folder, '7.0.0', false).join('\n'), /^\w{40} has not passed the long half/)
  assert.ok(stamp(folder, 'ci-long', cleanCommit(folder)))
  assert.deepEqual(refusals(folder, '7.0.0', false), [])
  writeFileSync(join(folder, 'untracked'), '')
  assert.equal(refusals(folder, '7.0.0', false).length, 1)
  commit(folder)
  assert.equal(refusals(folder, '7.0.0', false).length, 2, 'a commit after the tested one has not passed')
})

test('versions are set in both packages, in what depends on them, and in the lock file', t => {
  const folder = copy(t)
  assert.ok(otherVersions(folder, '7.1.0-rc.1').length >= 6)
  setVersions(folder, '7.1.0-rc.1')
  assert.deepEqual(otherVersions(folder, '7.1.0-rc.1'), [])
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  assert.equal(version, '0.1.0', 'the workspace is not published')
  const changed = git(folder, 'diff', '--numstat')!.split('\n')
  for (const line of changed) assert.match(line, /^(\d+)\t\1\t/, 'no line is added or lost')
})

test('an entry is one under exactly this version, and not empty', () => {
  const changelog = '# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- News.\n\n## 0.1.1\n\n## 0.1.0\n\nFirst.\n'
  assert.equal(entryOf(changelog, '0.2.0'), '- News.')
  for (const version of ['0.1.1', '0.2', '0.2.0-rc.1', '2.0', 'Unreleased'])
    assert.equal(entryOf(changelog, version), null)
})

test('a version is exact: no range, no tag, no v', () => {
  for (const good of ['0.2.0', '1.0.0-rc.1', '10.20.30']) assert.ok(isVersion(good), good)
  for (const bad of ['', 'v1.0.0', '1.0', '^1.0.0', 'latest', '1.0.0 ', '01.0.0', '1.0.0-', '1.0.0;ls'])
    assert.ok(!isVersion(bad), bad)
})

test('a tarball with a test, a stray file or a missing one is refused', () => {
  const expected = expectedOf('packages/gateway', ['src/index.ts', 'src/cli/main.ts', 'src/page.html'])
  assert.deepEqual(differences(expected, expected), [])
  assert.deepEqual(expectedOf('packages/gateway', ['src/door.test.ts']), expectedOf('packages/gateway', []))
  for (const stray of ['dist/index.test.js', 'src/index.ts', '.env', 'dist/index.js.map', 'dist/.tsbuildinfo'])
    assert.deepEqual(differences([...expected, stray], expected), [`has ${stray}, which is not on the list`])
  for (const lost of ['LICENSE', 'README.md', 'schema/gateway.schema.json', 'dist/cli/main.js', 'dist/index.d.ts'])
    assert.deepEqual(
      differences(
        expected.filter(path => path !== lost),
        expected,
      ),
      [`misses ${lost}`],
    )
})

test('a source map that points nowhere is refused; one in the tarball or in the file is not', () => {
  const found = ['dist/a/b.js', 'dist/a/b.js.map']
  assert.equal(lostMaps('dist/a/c.js', '1\n//# sourceMappingURL=c.js.map\n', found).length, 1)
  assert.equal(lostMaps('dist/b.js', '//# sourceMappingURL=b.js.map', found).length, 1, 'it is in another folder')
  assert.deepEqual(lostMaps('dist/a/b.js', '//# sourceMappingURL=b.js.map', found), [])
  assert.deepEqual(lostMaps('dist/a/c.js', '//# sourceMappingURL=data:application/json,{}', found), [])
})

test('the library is published before the gateway, with provenance; a pre-release is not the latest', () => {
  const [library, gateway] = commandsOf('1.0.0').map(words => words.join(' '))
  assert.equal(library, 'npm publish --workspace sallyport --access public --provenance --tag latest')
  assert.match(gateway!, /--workspace @sallyport\/gateway .*--provenance/)
  for (const words of commandsOf('1.0.0-rc.1')) assert.equal(words.at(-1), 'next')
})

test('the command refuses text that is no version, an unknown option, and two modes at once', () => {
  for (const wrong of [
    [],
    ['latest'],
    ['1.0.0', '2.0.0'],
    ['1.0.0', '--pubish'],
    ['1.0.0', '--publish', '--dry-run'],
  ]) {
    const { status } = spawnSync(process.execPath, [join(root, 'scripts/release.ts'), ...wrong], { encoding: 'utf8' })
    assert.equal(status, 2, wrong.join(' '))
  }
})
