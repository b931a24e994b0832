import { CONTROLS } from './controls.ts'

/** Every key of a policy by its path, a section and a control being keys too. */
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

/** More places than this help nobody: every control has a `dangerouslyOff`. */
const MOST_PLACES = 3

const DOORS: ReadonlySet<string> = new Set(['handshake', 'message', 'lifetime'])

/** `handshake.rate`, `events.log`: what stands right below the root, or below a door. */
const isSection = (path: string): boolean => path.split('.').length <= 2

/**
 * Where a key belongs that was written at `path` and is none there, best first: deeper in the same section, or, for
 * a section of a door, below another one. Empty where it belongs nowhere, or in too many places.
 */
export function placesOf(key: string, path: string): readonly string[] {
  const named = PATHS.filter(one => one.slice(one.lastIndexOf('.') + 1) === key)
  const within = named.filter(one => path === '' || one.startsWith(`${path}.`))
  const elsewhere = DOORS.has(path) ? named.filter(isSection) : []
  const places = within.some(isSection) ? within.filter(isSection) : within.length > 0 ? within : elsewhere
  return places.length > MOST_PLACES ? [] : places
}
