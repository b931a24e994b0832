import { CONTROLS } from './controls.ts'

/** The path of every key of a policy. Sections and controls are keys too. */
const PATHS: readonly string[] = [
  ...new Set(
    [
      'name',
      'proxy.trust',
      'proxy.header',
      'report',
      'timeout',
      'store',
      'events.log',
      'events.hashKey',
      'events.window',
      ...CONTROLS.map(({ id }) => id.replace('/', '.')),
      ...CONTROLS.flatMap(({ keys }) => keys.map(({ key }) => key)),
    ].flatMap(path => path.split('.').map((_, index, parts) => parts.slice(0, index + 1).join('.'))),
  ),
]

/** Most suggested places. A longer list does not help: every control has a `dangerouslyOff`. */
const MOST_PLACES = 3

const DOORS: ReadonlySet<string> = new Set(['handshake', 'message', 'lifetime'])

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
