import { isReported, type Reporting } from '../../model/reporting.ts'
import type { Budget } from '../../model/store.ts'
import { PASS } from '../../model/verdict.ts'
import { budget, choice, count, duration, OFF, size as bytesOf } from '../../shape/kinds.ts'
import { type InputOf, key, openSection, type Shape } from '../../shape/shape.ts'
import { quote } from '../../shape/shown.ts'
import { budgetInWords, countInWords, listInWords, periodInWords, sizeInWords } from '../../shape/words.ts'
import type { ControlContext } from '../context.ts'
import { capsOf } from '../handshake/connections.ts'
import { defineControl, off, on } from '../definition.ts'
import { excessMs, spent } from './gcra.ts'
import { HEARTBEAT, type Heartbeats, readHeartbeats } from './heartbeat.ts'
import type { MessageCheck, MessageOf } from './message-control.ts'
import { compileTake, denyLocal, giveBack, intervalMs, type MessageRateSection, withNeeds } from './rate-budgets.ts'
import { BYTES, readBytes, readCost, times } from './rate-section.ts'
import { discriminatorOf, schema } from './schema.ts'
import { size } from './size.ts'

/** Default caps of `handshake.connections`, for a policy without caps. */
const CONNECTIONS_PER_USER = 30
const CONNECTIONS_PER_IP = 1000
const MESSAGES: Budget = Object.freeze({ amount: 100, perMs: 60_000, burst: 100 })
const PER_USER = `${countInWords(MESSAGES.amount * CONNECTIONS_PER_USER)} messages/min`
const PER_IP = `${countInWords(MESSAGES.amount * CONNECTIONS_PER_IP)} messages/min`

/** The cost of a message by its type. */
const costs: Shape<{ readonly [type: string]: number }, { readonly [type: string]: number }> = {
  type: '{ [type]: number }',
  schema: {},
  read: (_fields, _name, fallback) => fallback,
  words: () => '1 each',
}

const SHARED = 'What all connections of a user share: the connection cap times `messages`, unless said.'

const KEYS = {
  messages: key(count(), MESSAGES.amount, 'Messages of one connection per `per`.', {
    because: 'OWASP WS-18: start at 100 a minute',
  }),
  per: key(duration(), MESSAGES.perMs, 'The time that `messages` and `bytes` are counted over.'),
  burst: key(count(), MESSAGES.amount, 'How many may come at once.', { shown: 'as `messages`' }),
  bytes: key(bytesOf, BYTES.amount, 'Bytes of one connection per `per`.', {
    shown: `${sizeInWords(BYTES.amount)} per minute`,
    because: '100 messages of 40 KiB: the count alone would let 6.4 MiB a minute pass',
  }),
  perUser: key(budget('messages'), times(MESSAGES, CONNECTIONS_PER_USER), SHARED, { shown: PER_USER }),
  perIp: key(budget('messages'), times(MESSAGES, CONNECTIONS_PER_IP), SHARED.replace('a user', 'an address'), {
    shown: PER_IP,
  }),
  cost: key(costs, {}, 'What a type of message costs.'),
  exceed: key(
    choice('close', 'drop', 'delay'),
    'close',
    'What happens beyond the budget: the connection is closed, the message dropped with an error reply, or the socket paused.',
  ),
  dangerouslyOff: OFF,
}
export type MessageRateInput = InputOf<typeof KEYS>

const BESIDE = { heartbeat: HEARTBEAT }
/** What a policy may write beside `message.rate`. */
export type RateBesideInput = InputOf<typeof BESIDE>

const DENIALS = {
  SALLY_MESSAGE_RATE: {
    action: 'close',
    close: 1008,
    level: 'warn',
    event: 'excess_rate_limit_exceeded',
    requirements: ['S7', 'WS-18', 'WS-28'],
    means: "more messages or bytes than this connection's budget",
    remedy: 'Raise `message.rate`, or lower what the client sends.',
    tells: {
      over: 'more than {messages} messages in {perMs} ms or {bytes} bytes in {bytesPerMs} ms',
      'over-needed':
        'more than {messages} messages in {perMs} ms or {bytes} bytes in {bytesPerMs} ms; needed so far: {neededMessages} messages in {perMs} ms and {neededBytes} bytes in {bytesPerMs} ms',
    },
  },
  SALLY_MESSAGE_RATE_SHARED: {
    action: 'close',
    close: 4429,
    level: 'warn',
    event: 'excess_rate_limit_exceeded',
    requirements: ['S7', 'WS-18', 'WS-28'],
    means: 'more messages than the budget that all connections of this user or address share',
    remedy: 'Raise `message.rate.perUser` or `message.rate.perIp`.',
    tells: {
      spent: 'the budget of the {whose} is spent',
      'spent-needed':
        'the budget of the {whose} is spent; needed so far: {neededOfUser} of the user in {userPerMs} ms and {neededOfIp} of the IP in {ipPerMs} ms',
    },
  },
} as const

/**
 * Denies messages that exceed the budgets of messages and bytes: of the connection, then of its user and its IP over
 * all connections. Each message costs 1 here, before it is parsed. `cost` takes the rest when the type is known.
 * `retryAfter` is in seconds and may be a fraction. With `exceed: 'delay'` the same message is judged again, so a
 * denial gives back what it took. Otherwise it does not, because a flood that one budget denies would cost nothing in
 * the others.
 */
export const rate = defineControl({
  id: 'message/rate',
  denies: 'messages and bytes per connection, per user, per IP exceed the budget; a type can cost more than 1',
  default: `${budgetInWords(MESSAGES, 'messages')}; ${sizeInWords(BYTES.amount)}/min; per user ${PER_USER}, per IP ${PER_IP}`,
  meets: ['WS-31', 'S10'],
  keys: KEYS,
  beside: BESIDE,
  example: "rate: { messages: 100, per: '1 minute' }",
  denials: DENIALS,
  read(message, earlier): MessageRateSection | null {
    const section = openSection(message, { id: 'message/rate', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const amount = section.value('messages')
    const perMs = section.value('per')
    const messages = Object.freeze({ amount, perMs, burst: section.value('burst', amount) })
    const caps = capsOf(earlier)
    const perUser = section.value('perUser', times(messages, caps?.perUser ?? CONNECTIONS_PER_USER))
    const perIp = section.value('perIp', times(messages, caps?.perIp ?? CONNECTIONS_PER_IP))
    const read: MessageRateSection = Object.freeze({
      messages,
      bytes: readBytes(section.fields, perMs, earlier.sectionOf(size).bytes),
      perUser,
      perIp,
      cost: readCost(
        section.fields,
        Math.min(messages.burst, perUser.burst, perIp.burst),
        earlier.sectionOf(schema)?.types ?? null,
      ),
      exceed: section.value('exceed'),
    })
    return isOff ? null : read
  },
  readBeside: (message, earlier): { readonly heartbeat: Heartbeats } => {
    const types = earlier.sectionOf(schema)?.types ?? null
    return { heartbeat: readHeartbeats(message, types, discriminatorOf(message, earlier)) }
  },
  effective(section, { message: { heartbeat } }: MessageOf<{ heartbeat: Heartbeats }>) {
    if (section === null) return off('no bound')
    const { messages, bytes, perUser, perIp, exceed } = section
    const answers =
      heartbeat.length === 0 ? '' : `; answers ${listInWords(heartbeat.map(({ text }) => quote(text)))} itself`
    return on(
      `${budgetInWords(messages, 'messages')}; ${sizeInWords(bytes.amount)}/${periodInWords(bytes.perMs)}; per user ${budgetInWords(perUser, 'messages')}; per IP ${budgetInWords(perIp, 'messages')}; beyond: ${exceed}${answers}`,
    )
  },
  compile(
    whole: MessageOf<{ rate: MessageRateSection | null }> & Reporting,
    { store }: ControlContext,
  ): MessageCheck | null {
    const policy = whole.message.rate
    if (policy === null) return null
    const take = compileTake(policy, store)
    const check: MessageCheck = (subject, connection) => {
      const time = connection.judgedAt
      const excess = Math.max(
        excessMs(connection.messageTat, time, 1, policy.messages),
        excessMs(connection.byteTat, time, subject.bytes, policy.bytes),
      )
      if (excess > 0) return denyLocal(policy, excess)
      connection.messageTat = spent(connection.messageTat, time, 1, policy.messages)
      connection.byteTat = spent(connection.byteTat, time, subject.bytes, policy.bytes)
      return take(connection, 1, subject.bytes)
    }
    return isReported(whole, 'message/rate') ? withNeeds(check, policy) : check
  },
})

/**
 * The second step of `message/rate`, after `message/schema`. Takes the cost of the type beyond the 1 that was taken
 * before the type was known. A cost below 1 gives the connection the difference back.
 */
export const cost = {
  id: 'message/rate' as const,
  compile({ message }: MessageOf<{ rate: MessageRateSection | null }>, { store }: ControlContext): MessageCheck | null {
    const policy = message.rate
    if (policy === null) return null
    const extras = new Map(Object.entries(policy.cost).map(([type, amount]) => [type, amount - 1]))
    if (extras.size === 0) return null
    const take = compileTake(policy, store)
    return (subject, connection) => {
      const extra = subject.type === null ? 0 : (extras.get(subject.type) ?? 0)
      if (extra === 0) return PASS
      const time = connection.judgedAt
      // Requests the whole cost, including the 1 that `rate` took. A cost above the burst passes if nothing else was
      // taken.
      const before = connection.messageTat - intervalMs(policy.messages)
      const excess = excessMs(before, time, extra + 1, policy.messages)
      if (extra > 0 && excess > 0) {
        giveBack(policy, connection, 1, subject.bytes)
        return denyLocal(policy, excess)
      }
      connection.messageTat += extra * intervalMs(policy.messages)
      return extra > 0 ? take(connection, extra, subject.bytes, 1) : PASS
    }
  },
}
