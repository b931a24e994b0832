import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { createGuard, type PolicyInput } from 'sallyport'
import { WebSocketServer } from 'ws'
import type { Attack, ClientFlaw, Start } from '../ground/description.ts'
import { DEADLINE_MS, runCell } from '../run/cell.ts'
import type { LoadedFlaw } from '../run/flaws.ts'
import type { Variant, Verdict } from '../run/verdict.ts'

const flaw: ClientFlaw = {
  title: 'planted',
  kind: 'client',
  control: 'handshake/origin',
  honest: { send: { type: 'read' }, reply: 'read' },
}

/** The app with whatever a row gives it for a guard, or none. */
const app =
  (handshake: Partial<PolicyInput['handshake']> | null, more: Partial<PolicyInput> = {}, answers = true): Start =>
  ({ server, signIn, user, origin, session, use }) => {
    signIn({ httpOnly: true, secure: true, sameSite: 'none' })
    const guard =
      handshake &&
      createGuard({
        handshake: { origin: { allow: [origin] }, session, ...handshake },
        message: { schema: { dangerouslyAcceptAnyMessage: true } },
        ...more,
      })
    if (guard) use(guard)
    const sockets = new WebSocketServer({ server, path: '/ws', ...guard?.ws() })
    sockets.on('connection', (socket, request) => {
      const account = user(request)
      socket.on('message', () => {
        if (answers) socket.send(JSON.stringify({ type: 'read', messages: account?.privateMessages }))
      })
    })
  }

const steals =
  (headers: Readonly<Record<string, string>> = {}): Attack =>
  async target => {
    const socket = await target.connect({ as: 'ann', origin: 'https://evil.localhost', headers })
    if (socket === null) return
    socket.send(JSON.stringify({ type: 'read' }))
    const [data] = await once(socket, 'message', { signal: target.signal })
    target.steal(data)
    socket.close()
  }

const idle: Attack = () => Promise.resolve()
const hangs: Attack = ({ signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
const SOON_MS = 500

const ROWS: readonly {
  readonly name: string
  readonly start: Start
  readonly attack?: Attack
  readonly variant?: Variant
  readonly control?: ClientFlaw['control']
  readonly deadlineMs?: number
  readonly verdict: Verdict
  readonly why?: RegExp
}[] = [
  { name: 'the control stops it', start: app({}), verdict: 'stopped' },
  { name: 'no guard at all', variant: 'vulnerable', start: app(null), verdict: 'hijacked' },
  {
    name: 'planted: a guard that lets any origin in',
    start: app({ origin: { dangerouslyAllowAnyOrigin: true }, ticket: { dangerouslyWithoutTicket: true } }),
    verdict: 'hijacked',
  },
  {
    name: 'planted: a guard in report mode',
    start: app({ ticket: { dangerouslyWithoutTicket: true } }, { report: true }),
    verdict: 'hijacked',
  },
  {
    name: 'planted: guarded.ts without a guard',
    start: app(null),
    verdict: 'error',
    why: /did not call ground.use\(guard\)/,
  },
  {
    name: 'planted: the attack fails by itself',
    start: app({}),
    attack: idle,
    verdict: 'error',
    why: /nothing was denied/,
  },
  {
    name: 'planted: another control stops it',
    start: app({}),
    attack: steals({ Host: 'evil.localhost' }),
    verdict: 'error',
    why: /denied by handshake\/host instead of handshake\/origin/,
  },
  {
    name: 'planted: flaw.ts names another control',
    start: app({}),
    control: 'message/rate',
    verdict: 'error',
    why: /denied by handshake\/origin instead of message\/rate/,
  },
  {
    name: 'planted: everybody is refused',
    start: app({ authorize: () => false }),
    verdict: 'error',
    why: /the honest client fails/,
  },
  {
    name: 'planted: the app no longer answers',
    start: app({}, {}, false),
    deadlineMs: SOON_MS,
    verdict: 'error',
    why: /nothing decided within/,
  },
  {
    name: 'planted: the attack hangs on the flawed app',
    variant: 'vulnerable',
    start: app(null),
    attack: hangs,
    deadlineMs: SOON_MS,
    verdict: 'error',
    why: /nothing decided within/,
  },
  {
    name: 'planted: the attack hangs on the guarded app',
    start: app({}),
    attack: hangs,
    deadlineMs: SOON_MS,
    verdict: 'error',
    why: /nothing decided within/,
  },
  {
    name: 'planted: the app does not start',
    start: () => Promise.reject(new Error('no such database')),
    verdict: 'error',
    why: /no such database/,
  },
  {
    name: 'planted: the attack throws after it stole',
    variant: 'vulnerable',
    start: app(null),
    async attack(target) {
      await steals()(target)
      throw new Error('tripped')
    },
    verdict: 'hijacked',
  },
]

for (const {
  name,
  start,
  attack = steals(),
  variant = 'guarded',
  control = flaw.control,
  deadlineMs = DEADLINE_MS,
  verdict,
  why = /^$/,
} of ROWS) {
  test(`${name}: ${verdict}`, async () => {
    const loaded: LoadedFlaw = {
      name: 'planted',
      flaw: { ...flaw, control },
      vulnerable: start,
      guarded: start,
      attack,
    }
    const cell = await runCell({ loaded, variant, browser: null, attacker: null }, null, deadlineMs)
    assert.equal(cell.verdict, verdict, cell.why)
    if (verdict !== 'hijacked') assert.match(cell.why, why)
    assert.equal(cell.expected, variant === 'guarded' ? 'stopped' : 'hijacked')
  })
}

test('the handshakes of a cell carry no cookie and no ticket', async () => {
  const loaded: LoadedFlaw = { name: 'planted', flaw, vulnerable: app(null), guarded: app({}), attack: steals() }
  const { handshakes } = await runCell({ loaded, variant: 'guarded', browser: null, attacker: null }, null)
  assert.deepEqual(
    handshakes.map(({ headers }) => headers.find(([name]) => name === 'Cookie')?.[1]),
    ['sid=…', 'sid=…'],
  )
  assert.deepEqual(
    handshakes.map(({ answer }) => answer),
    ['403 Forbidden', '101 Switching Protocols'],
  )
  assert.match(JSON.stringify(handshakes[1]), /sallyport\.v1,sallyport\.ticket\.…"/)
})
