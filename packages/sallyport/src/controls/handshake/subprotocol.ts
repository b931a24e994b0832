import { PASS } from '../../model/verdict.ts'
import { isTicketProtocol } from '../../request/carriers.ts'
import { type Fields, refuse } from '../../shape/fields.ts'
import { flag, list, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { isEmptyList, kindOf, show } from '../../shape/shown.ts'
import { listInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'

/** `handshake.subprotocol` of a parsed policy. */
export interface SubprotocolSection {
  readonly serve: readonly string[]
  readonly required: boolean
}

const SERVED: readonly string[] = Object.freeze(['sallyport.v1'])

const KEYS = {
  serve: key(
    list<string>("'sallyport.v1'", readName),
    SERVED,
    'Names that are served. The first one that a client offers is answered.',
    {
      shown: `['${SERVED.join("', '")}']`,
      because: 'the protocol that `sallyport/client` speaks; the ticket beside it needs one to be answered with',
    },
  ),
  required: key(flag, false, 'Refuses clients that offer none.'),
  dangerouslyOff: OFF,
}
export type SubprotocolInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_SUBPROTOCOL_NOT_SERVED: {
    action: 'refuse',
    http: 400,
    level: 'info',
    event: 'input_validation_fail',
    requirements: ['WS-2'],
    means: 'none of the offered subprotocols is served',
    remedy: 'Add the name to `handshake.subprotocol.serve`.',
    tells: {
      malformed: 'Sec-WebSocket-Protocol is not a short list of distinct tokens',
      'none-offered': 'no subprotocol is offered, and one is required',
      'none-served': 'none of the offered subprotocols is served; served: {served}',
    },
  },
} as const
const deny = denying(DENIALS)

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const MOST = 16

/**
 * Answers with the first offered name that is served (RFC 6455 §4.2.2). It never answers with the carrier of a ticket:
 * that would put the ticket into a response header.
 */
export const subprotocol = defineControl({
  id: 'handshake/subprotocol',
  denies: 'nothing offered is served; a ticket carrier is never echoed back',
  default: `on; serves ${SERVED.join(', ')}; a client that offers none is let in`,
  meets: ['ASVS-14.2.1'],
  keys: KEYS,
  example: "subprotocol: { serve: ['chat.v1'] }",
  denials: DENIALS,
  read(handshake): SubprotocolSection | null {
    const section = openSection(handshake, { id: 'handshake/subprotocol', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const required = section.value('required')
    const serve = section.value('serve') ?? SERVED
    if (isEmptyList(section.said('serve'))) {
      section.refuse(
        'serve',
        'an empty list',
        'every client that offers a subprotocol would be refused',
        "write serve: ['chat.v1'], or leave it out",
      )
    }
    return isOff ? null : Object.freeze({ serve, required })
  },
  effective: section =>
    section === null
      ? off('none is answered')
      : on(`${listInWords(section.serve)}${section.required ? ', required' : ''}`),
  compile(policy: HandshakeOf<{ subprotocol: SubprotocolSection | null }>): HandshakeCheck | null {
    const section = policy.handshake.subprotocol
    if (section === null) return null
    const served = new Map(section.serve.map(name => [name, name]))
    const malformed = deny('SALLY_SUBPROTOCOL_NOT_SERVED', { reason: 'malformed' })
    return attempt => {
      const header = attempt.request.header('sec-websocket-protocol')
      // An empty line offers nothing, like a missing line.
      if (header === undefined || header === '') {
        return section.required ? deny('SALLY_SUBPROTOCOL_NOT_SERVED', { reason: 'none-offered' }) : PASS
      }
      const offered = header.split(',')
      if (offered.length > MOST) return malformed
      let chosen: string | undefined
      let offersAny = false
      for (let index = 0; index < offered.length; index++) {
        const name = offered[index]!.trim()
        offered[index] = name
        if (!TOKEN.test(name) || offered.indexOf(name) !== index) return malformed
        if (isTicketProtocol(name)) continue
        offersAny = true
        // Keeps the policy's own string, so that the request is not kept in memory.
        chosen ??= served.get(name)
      }
      if (chosen !== undefined) {
        attempt.subprotocol = chosen
        return PASS
      }
      if (!offersAny && !section.required) return PASS
      return deny('SALLY_SUBPROTOCOL_NOT_SERVED', { reason: 'none-served', served: section.serve.join(', ') })
    }
  },
})

/** One name of `serve`. Null after a problem was reported. */
function readName(value: unknown, at: Fields, index: number): string | null {
  if (typeof value !== 'string' || !/^[!#$%&'*+.^_`|~\dA-Za-z-]{1,128}$/.test(value)) {
    refuse(at, index, show(value), 'not a token (RFC 7230 §3.2.6)', "write letters, digits, '.', '-': 'chat.v1'")
    return null
  }
  if (!value.toLowerCase().startsWith('sallyport.ticket.')) return value
  const message = 'that prefix carries tickets, which are never echoed'
  refuse(at, index, kindOf(value), message, "write another name: 'chat.v1'")
  return null
}
