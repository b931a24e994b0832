import { createControlContext } from '../../src/guard/control-context.ts'
import type { ControlContext } from '../../src/controls/context.ts'
import { createAddressReader } from '../../src/request/client-address.ts'
import { fromNode, fromWeb } from '../../src/request/peer-request.ts'
import type { Policy } from '../../src/policy/types.ts'
import type { TicketSection } from '../../src/controls/handshake/ticket.ts'
import type { Awaitable, Denial } from '../../src/model/verdict.ts'
import type { SessionResolver } from '../../src/model/session.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createTicketEndpoint, type TicketEndpoint, type TicketReport } from '../../src/guard/ticket-endpoint.ts'
import { createTickets } from '../../src/ticket/token.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { runtimeAt } from '../support/runtime.ts'

export const ALICE = { id: 's1', user: 'alice' }
export const START = 1_700_000_000_000
export const SECTION: TicketSection = {
  secrets: null,
  ttlMs: 30_000,
  carrier: 'subprotocol',
  parameter: 'ticket',
  paths: null,
  csrf: null,
}
const readAddress = createAddressReader({ trust: [], header: 'x-forwarded-for' })
/** What every answer of the endpoint bears. */
export const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  vary: 'Origin, Cookie',
}

export interface Setting {
  readonly ticket?: Partial<TicketSection> | null
  readonly session?: SessionResolver
  readonly door?: (origin: string | null) => Awaitable<Denial | { readonly origin: string | null }>
  readonly timeoutMs?: number
  readonly emit?: (report: TicketReport) => void
}
const now = (): number => START

/** An endpoint of its own, with what it tells of and the tickets that it issues. */
export function make({
  ticket = {},
  session = () => ALICE,
  door = origin => ({ origin }),
  timeoutMs = 5000,
  emit,
}: Setting = {}) {
  const store = createMemoryStore({ now })
  const policy = {
    handshake: { session, ticket: ticket && { ...SECTION, ...ticket }, rate: null, subprotocol: null },
    timeoutMs,
    store: null,
  } as unknown as Policy
  const context: ControlContext = createControlContext(
    policy,
    { store, tickets: createTickets(SECTION, { store, now }, systemRuntime) },
    runtimeAt(now),
  )
  const reports: TicketReport[] = []
  const endpoint = createTicketEndpoint({
    policy,
    context,
    fromNode: request => fromNode(request, readAddress),
    fromWeb: (request, { ip }) => fromWeb(request, readAddress, ip ?? ''),
    runDoor: request => door(request.header('origin') ?? null),
    emit: report => {
      reports.push(report)
      emit?.(report)
    },
  })
  return { endpoint, context, reports }
}
export type Made = ReturnType<typeof make>

export const PAGE = 'https://app.example'
/** A page of the app asks it for a ticket. */
export const ask = (
  endpoint: TicketEndpoint,
  query = '',
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Response> =>
  endpoint(new Request(`${PAGE}/sallyport/ticket${query}`, { method, headers: { origin: PAGE, ...headers } }), {
    ip: '192.0.2.7',
  })
/** The code of a refusal; `issued` where there is none. */
export const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { code?: string }).code ?? 'issued'
export const redeem = async (
  { context }: Made,
  ticket: string,
  origin = PAGE,
  path = '/',
  session = ALICE,
): Promise<boolean> => (await context.tickets.redeem(ticket, { session, origin, path })).pass
