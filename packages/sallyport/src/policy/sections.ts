import type { Earlier } from '../controls/definition.ts'
import type { ControlId } from '../model/verdict.ts'
import type { Fields } from '../shape/fields.ts'

/** The doors of a policy while it is read. */
export type Doors = { readonly [door in 'handshake' | 'message' | 'lifetime']: Fields }

/** Reads each section once. A section that another one needs is read earlier. */
export function createSections(doors: Doors, read: Map<ControlId, unknown> = new Map()): Earlier {
  const earlier: Earlier = {
    sectionOf(control) {
      if (!read.has(control.id)) {
        const door = control.id.slice(0, control.id.indexOf('/')) as keyof Doors
        read.set(control.id, control.read(doors[door], earlier))
      }
      return read.get(control.id) as ReturnType<typeof control.read>
    },
  }
  return earlier
}
