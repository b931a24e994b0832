import type { AnyDefinition, Earlier } from '../controls/definition.ts'
import type { ControlId } from '../model/verdict.ts'
import { type Fields, openChild } from '../shape/fields.ts'
import { DEFINITIONS } from './definitions.ts'

export type Door = 'handshake' | 'message' | 'lifetime'

/** The sections of a policy while they are read. */
export interface Sections extends Earlier {
  /** All of a door, frozen: the sections of its controls, and the keys beside them. */
  readDoor(door: Door): object
}

const nameOf = (id: ControlId): string => id.slice(id.indexOf('/') + 1)
const doorOf = (id: ControlId): Door => id.slice(0, id.indexOf('/')) as Door
const controlsOf = (door: Door): readonly AnyDefinition[] => DEFINITIONS.filter(({ id }) => doorOf(id) === door)

/** The keys that may stand in a door. */
function keysOfDoor(door: Door): readonly string[] {
  return controlsOf(door).flatMap(({ id, beside = {} }) => [nameOf(id)].concat(Object.keys(beside)))
}

/** Reads each section once, and earlier than its turn where another section needs it. Each door is opened at its turn. */
export function createSections(root: Fields): Sections {
  const doors = new Map<Door, Fields>()
  const read = new Map<ControlId, unknown>()
  const open = (door: Door): Fields => {
    const fields = doors.get(door) ?? openChild(root, door, keysOfDoor(door))
    doors.set(door, fields)
    return fields
  }
  const earlier: Earlier = {
    sectionOf(control) {
      if (!read.has(control.id)) read.set(control.id, control.read(open(doorOf(control.id)), earlier))
      return read.get(control.id) as ReturnType<typeof control.read>
    },
  }
  return {
    ...earlier,
    readDoor(door) {
      const controls = controlsOf(door)
      // What must be decided is told first.
      for (const control of controls) if (control.mustDecide === true) earlier.sectionOf(control)
      const sections = controls.map(control => [nameOf(control.id), earlier.sectionOf(control)] as const)
      const beside = controls.map(control => control.readBeside?.(open(door), earlier))
      return Object.freeze(Object.assign({}, Object.fromEntries(sections), ...beside))
    },
  }
}
