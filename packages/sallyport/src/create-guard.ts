import { refuseAsOptions } from './adapters/ws/uncalled.ts'
import { createWsMethods } from './adapters/ws/guard-methods.ts'
import { createCore } from './guard/core.ts'
import { withinOf } from './guard/drain.ts'
import type { Guard } from './guard/guard.ts'
import { createObserver } from './guard/observer.ts'
import { registerInside } from './guard/registry.ts'
import { createTicketEndpoint } from './guard/ticket-endpoint.ts'
import type { PolicyInput } from './policy/types.ts'
import type { SchemaMap } from './model/schema-kinds.ts'
import type { Session } from './model/session.ts'
import { systemRuntime } from './model/system-runtime.ts'
import { refuse } from './node/refuse-socket.ts'
import { parsePolicy } from './policy/parse.ts'
import { reportPolicy } from './policy/report.ts'

/**
 * Compiles a policy. Throws one `PolicyError` that lists every problem with its path, its value and what to write.
 * Origins, session and schemas must be decided; everything else has a secure default.
 */
export function createGuard<S extends Session, const M extends SchemaMap>(input: PolicyInput<S, M>): Guard<S, M> {
  const policy = parsePolicy(input)
  const observer = createObserver(policy, systemRuntime)
  const core = createCore(policy, systemRuntime, observer)
  const { events } = observer

  const guard: Guard<S, M> = {
    policy,
    report: () => reportPolicy(policy),
    on: listener => events.on(listener),
    counters: () => events.counters.snapshot(),
    metrics: () => events.counters.prometheus(),
    ticket: createTicketEndpoint({
      policy,
      context: core.context,
      fromNode: core.fromNode,
      fromWeb: (request, info) => core.fromWeb(request, info.ip ?? ''),
      runDoor: core.admitTicketRequest,
      withoutAddress: policy.weakened.some(({ path }) => path === 'handshake.ticket.dangerouslyWithoutAddress'),
      emit({ request, denial, session }) {
        if (denial === null) observer.issuedTicket(request, session)
        else observer.deniedTicket(request, denial, session)
      },
      wouldDeny: (denial, request, session) => observer.deniedTicket(request, denial, session, false),
    }),
    ...createWsMethods(core),
    refuse,
    revoke: core.revoke,
    async drain(options) {
      await core.drain(withinOf('guard.drain', options))
      events.flush()
    },
  }
  registerInside(guard, { core, observer })
  return Object.freeze(
    refuseAsOptions(guard, 'a guard is no options: write new WebSocketServer({ server, ...guard.ws() })'),
  )
}
