import { systemRuntime } from '../model/system-runtime.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { TicketBinding } from '../model/tickets.ts'
import { createTickets } from './token.ts'

const BINDING: TicketBinding = { session: { id: 'trial', user: 'trial' }, origin: 'https://trial.example', path: '/' }

/**
 * Issues one ticket with each secret and redeems it with all of them, as a server and its neighbours do.
 *
 * @param secrets those of `handshake.ticket.secret`
 * @returns the places of the secrets whose ticket is not redeemed
 */
export async function tryTicketSecrets(secrets: readonly string[]): Promise<readonly number[]> {
  const memory = { store: createMemoryStore(), now: systemRuntime.now }
  const failed: number[] = []
  for (const [index, secret] of secrets.entries()) {
    try {
      const issued = createTickets({ secrets: [secret], ttlMs: 30_000 }, memory, systemRuntime).issue(BINDING)
      const verdict = await createTickets({ secrets, ttlMs: 30_000 }, memory, systemRuntime).redeem(
        issued.ticket,
        BINDING,
      )
      if (!verdict.pass) failed.push(index)
    } catch {
      failed.push(index)
    }
  }
  return failed
}
