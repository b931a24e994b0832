import { deny, PASS } from '../../model/verdict.ts'
import { isTicketProtocol } from '../../request/carriers.ts'
import type { HandshakeControl } from './handshake-control.ts'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const MOST = 16

/**
 * Answers with the first offered name that is served (RFC 6455 §4.2.2), and never with a ticket's carrier: an echo
 * would put the ticket into a response header.
 */
export const subprotocol: HandshakeControl = {
  id: 'handshake/subprotocol',
  compile(policy) {
    const section = policy.handshake.subprotocol
    if (section === null) return null
    const served = new Map(section.serve.map(name => [name, name]))
    const malformed = deny(
      'SALLY_SUBPROTOCOL_NOT_SERVED',
      'Sec-WebSocket-Protocol is not a short list of distinct tokens',
    )
    return attempt => {
      const header = attempt.request.header('sec-websocket-protocol')
      // A line without a value offers nothing, as no line does.
      if (header === undefined || header === '') {
        return section.required
          ? deny('SALLY_SUBPROTOCOL_NOT_SERVED', 'no subprotocol is offered, and one is required')
          : PASS
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
        // The policy's own text, which keeps no request alive.
        chosen ??= served.get(name)
      }
      if (chosen !== undefined) {
        attempt.subprotocol = chosen
        return PASS
      }
      if (!offersAny && !section.required) return PASS
      return deny(
        'SALLY_SUBPROTOCOL_NOT_SERVED',
        `none of the offered subprotocols is served; served: ${section.serve.join(', ')}`,
      )
    }
  },
}
