import { openChild, readDanger, refuse } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { faultOfOrigin, showOrigin } from './origin-value.ts'
import { readEach } from '../shape/scalars.ts'
import { isEmptyList, isList, kindOf, pathTo } from '../shape/shown.ts'
import type { Policy } from '../model/policy.ts'

const KEYS = ['allow', 'dangerouslyAllowMissing', 'dangerouslyAllowInsecure', 'dangerouslyAllowAnyOrigin']
const WRITE = "allow: ['https://app.company.com']"

/** `handshake.origin`: which pages may connect. It must be decided; null is "any", asked for by name. */
export function readOrigin(handshake: Fields): Policy['handshake']['origin'] {
  const said = handshake.get('origin')
  if (said === undefined) {
    refuse(handshake, 'origin', 'nothing', 'it must be decided which pages may connect', `write origin: { ${WRITE} }`)
    return null
  }
  if (typeof said !== 'object' || said === null || isList(said)) {
    refuse(handshake, 'origin', kindOf(said), 'an object is meant here', `write origin: { ${WRITE} }`)
    return null
  }
  const section = openChild(handshake, 'origin', KEYS)
  const any = readDanger(section, 'dangerouslyAllowAnyOrigin', 'handshake/origin')
  const allowMissing = readDanger(section, 'dangerouslyAllowMissing', 'handshake/origin')
  const insecure = readDanger(section, 'dangerouslyAllowInsecure', 'handshake/origin')
  const list = section.get('allow')
  if (any) {
    if (list !== undefined)
      refuse(
        section,
        'allow',
        kindOf(list),
        'a list, and any origin beside it',
        'remove allow or dangerouslyAllowAnyOrigin',
      )
    return null
  }
  if (list === undefined) {
    refuse(section, 'allow', 'nothing', 'it must be decided which pages may connect', `write ${WRITE}`)
    return null
  }
  const allow = readEach(section, 'allow', "'https://app.company.com'", (value, at, index) => {
    const fault = faultOfOrigin(value, insecure)
    if (fault === null) return value as string
    refuse(at, index, showOrigin(value), fault.message, fault.remedy, fault.nearest)
    return null
  })
  if (isEmptyList(list)) {
    refuse(section, 'allow', 'an empty list', 'nobody could connect', `write ${WRITE}`)
  }
  return Object.freeze({ allow: allow ?? [], allowMissing })
}

/** Path of the flag, for what follows from it. */
export const ANY_ORIGIN: string = pathTo('handshake.origin', 'dangerouslyAllowAnyOrigin')
