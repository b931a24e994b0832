/** The Node that the package needs, as its `engines` say. */
export const OLDEST_NODE: readonly [major: number, minor: number] = [22, 18]

/** What to tell whoever runs an older one: it would end in the depths of a dependency. Null where it is new enough. */
export function tooOld(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return null
  return `sallyport-gateway needs Node ${oldestMajor}.${oldestMinor} or later; this is ${version}`
}
