import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestsOf } from '../repository.ts'

const VERSION = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9a-z]+(?:\.[0-9a-z]+)*)?$/

/** Whether npm and this script read the text as one exact version, such as `0.2.0` or `0.2.0-rc.1`. */
export const isVersion = (text: string): boolean => VERSION.test(text)

/** The entry of a version in a changelog, without its heading; null if there is none or it is empty. */
export function entryOf(changelog: string, version: string): string | null {
  const [, ...sections] = changelog.split(/^## /m)
  const section = sections.find(text => text.split(/\s/, 1)[0] === version)
  const body = section?.slice(section.indexOf('\n') + 1).trim() ?? ''
  return body === '' ? null : body
}

/** The packages that are published. The private ones depend on them by exact version. */
export const PUBLISHED = [
  { name: 'sallyport', folder: 'packages/sallyport' },
  { name: '@sallyport/gateway', folder: 'packages/gateway' },
] as const

interface Manifest {
  version?: string
  dependencies?: Record<string, string>
}

const readManifest = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8')) as Manifest

/** What says another version than `version`: manifests, dependencies on `sallyport`, the lock file. */
export function otherVersions(root: string, version: string): readonly string[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Manifest>
  }
  const isPublished = (folder: string): boolean => PUBLISHED.some(one => one.folder === folder)
  const manifests = manifestsOf(root).map(path => [path, readManifest(join(root, path))] as const)
  const places = Object.entries(lock.packages).filter(([path]) => !path.includes('node_modules'))
  return [
    ...manifests.map(([path, manifest]) => [path, path.replace(/\/?package\.json$/, ''), manifest] as const),
    ...places.map(([path, manifest]) => [`package-lock.json: ${path}`, path, manifest] as const),
  ].flatMap(([where, folder, { version: own, dependencies }]) => {
    const wrong = PUBLISHED.filter(({ name }) => (dependencies?.[name] ?? version) !== version).map(
      ({ name }) => `${where} depends on ${name} ${dependencies?.[name]}`,
    )
    return isPublished(folder) && own !== version ? [`${where} has version ${own}`].concat(wrong) : wrong
  })
}

/** Replaces the version of the published packages, and of the dependencies on them, in manifests and lock file. */
export function setVersions(root: string, version: string): void {
  const dependency = /("(?:sallyport|@sallyport\/gateway)": ")[^"]+(")/g
  for (const path of manifestsOf(root)) {
    const text = readFileSync(join(root, path), 'utf8').replaceAll(dependency, `$1${version}$2`)
    const isPublished = PUBLISHED.some(({ folder }) => path === `${folder}/package.json`)
    writeFileSync(join(root, path), isPublished ? text.replace(/("version": ")[^"]+(")/, `$1${version}$2`) : text)
  }
  const file = join(root, 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Manifest> }
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path.includes('node_modules')) continue
    if (PUBLISHED.some(({ folder }) => folder === path)) entry.version = version
    for (const { name } of PUBLISHED) if (entry.dependencies?.[name] !== undefined) entry.dependencies[name] = version
  }
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
}
