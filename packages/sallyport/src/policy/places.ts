import { keysOf } from './control-row.ts'
import { DEFINITIONS } from './definitions.ts'
import { ROOT_KEYS } from './root-keys.ts'

/** The path of every key of a policy. Sections and controls are keys too. */
const PATHS: readonly string[] = [
  ...new Set(
    [
      ...Object.keys(ROOT_KEYS),
      ...DEFINITIONS.map(({ id }) => id.replace('/', '.')),
      ...DEFINITIONS.flatMap(control => keysOf(control).map(([path]) => path)),
    ].flatMap(path => path.split('.').map((_, index, parts) => parts.slice(0, index + 1).join('.'))),
  ),
]

/** Most suggested places. A longer list does not help: every control has a `dangerouslyOff`. */
const MOST_PLACES = 3

const DOORS: ReadonlySet<string> = new Set(DEFINITIONS.map(({ id }) => id.slice(0, id.indexOf('/'))))

/** Whether a path is directly below the root or a door: `handshake.rate`, `events.log`. */
const isSection = (path: string): boolean => path.split('.').length <= 2

/**
 * Where an unknown key at `path` may belong, best place first: deeper in the same section, or for a section of a door
 * below another door. Empty if it belongs nowhere, or to too many places.
 */
export function placesOf(key: string, path: string): readonly string[] {
  const named = PATHS.filter(one => one.slice(one.lastIndexOf('.') + 1) === key)
  const within = named.filter(one => path === '' || one.startsWith(`${path}.`))
  const elsewhere = DOORS.has(path) ? named.filter(isSection) : []
  const places = within.some(isSection) ? within.filter(isSection) : within.length > 0 ? within : elsewhere
  return places.length > MOST_PLACES ? [] : places
}
