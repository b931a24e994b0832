// `npm run release -- 0.2.0` says whether this commit may be published as 0.2.0, and what would run. It changes nothing.
// `--prepare` sets the versions; `--publish` publishes. See docs/release.md.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cleanCommit, hasPassed } from './passed.ts'
import { problemsOfTarball } from './release/contents.ts'
import { entryOf, isVersion, otherVersions, PUBLISHED, setVersions } from './release/version.ts'
import { wrongLinks } from './repository.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Why the tree cannot become or be this version, before anything is packed. */
export function refusals(root: string, version: string, isPreparing: boolean): readonly string[] {
  const commit = cleanCommit(root)
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  return [
    ...(commit === null ? ['the tree has changes that are not committed: commit or remove them'] : []),
    ...(entryOf(changelog, version) === null
      ? [`CHANGELOG.md has no entry for ${version}: write "## ${version}" above what is new`]
      : []),
    ...wrongLinks(root).map(path => `${path} names another repository: run node scripts/repository.ts --write`),
    ...(isPreparing
      ? []
      : [
          ...otherVersions(root, version).map(
            place => `${place}: run npm run release -- ${version} --prepare, and commit`,
          ),
          ...(commit === null || hasPassed(root, 'ci', commit) ? [] : [`${commit} has not passed: run .ci/run`]),
          ...(commit === null || hasPassed(root, 'ci-long', commit)
            ? []
            : [`${commit} has not passed the long half: run npm run ci:long`]),
        ]),
  ]
}

/** The commands that publish the packages, the library first: the gateway depends on it. */
export function commandsOf(version: string): readonly (readonly string[])[] {
  const tag = version.includes('-') ? 'next' : 'latest'
  return PUBLISHED.map(({ name }) => [
    'npm',
    'publish',
    '--workspace',
    name,
    '--access',
    'public',
    '--provenance',
    '--tag',
    tag,
  ])
}

function publish(root: string, version: string): number {
  for (const [command = '', ...args] of commandsOf(version)) {
    const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
    if (status !== 0) return 1
  }
  return 0
}

function main(root: string): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      prepare: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
    },
  })
  const [version = ''] = positionals
  const chosen = [values['dry-run'], values.prepare, values.publish].filter(Boolean).length
  if (positionals.length !== 1 || !isVersion(version)) throw new TypeError('write one exact version, such as 0.2.0')
  if (chosen > 1) throw new TypeError('write one of --dry-run (the default), --prepare, --publish')
  const early = refusals(root, version, values.prepare)
  const problems = values.prepare
    ? early
    : [...early, ...PUBLISHED.flatMap(({ folder }) => problemsOfTarball(root, folder))]
  for (const problem of problems) say(`REFUSED ${problem}`)
  for (const command of values.publish || values.prepare ? [] : commandsOf(version))
    say(`would run: ${command.join(' ')}`)
  if (problems.length > 0) return 1
  if (values.publish) return publish(root, version)
  if (values.prepare) {
    setVersions(root, version)
    say(`set ${version}: commit it, then run .ci/run and npm run ci:long`)
  }
  return 0
}

if (import.meta.main) {
  try {
    process.exitCode = main(join(import.meta.dirname, '..'))
  } catch (error) {
    process.stderr.write(`release: ${(error as Error).message}\n`)
    process.exitCode = 2
  }
}
