import type { Policy } from '../../model/policy.ts'
import type { ControlId } from '../../model/verdict.ts'

const section = <S>(id: ControlId): { readonly id: ControlId; read(): S } => ({
  id,
  read: () => {
    throw new Error(`${id} is read before the sections of messages`)
  },
})

/** Sections of the handshake that the sections of messages read. */
export const TICKET: { readonly id: ControlId; read(): Policy['handshake']['ticket'] } = section('handshake/ticket')
export const CAPS: { readonly id: ControlId; read(): Policy['handshake']['connections'] } =
  section('handshake/connections')
