import type { ControlContext } from '../context.ts'
import type { MessageRatePolicy } from '../../model/policy.ts'
import { isReported } from '../../model/reporting.ts'
import { PASS, deny } from '../../model/verdict.ts'
import type { Verdict } from '../../model/verdict.ts'
import type { Budget, Store, Taken } from '../../model/store.ts'
import { addressKey } from '../../store/address-key.ts'
import { originOf } from '../../store/named-store.ts'
import { excessMs, spent } from './gcra.ts'
import type { BudgetKeys, MessageCheck, MessageConnection, MessageControl } from './message-control.ts'
import { NeededBudget, NeededBudgets } from './needed-budget.ts'

/**
 * Denies what exceeds the budgets of messages and bytes of the connection, then of its user and IP over all
 * connections. Each message costs 1 here, before it is parsed; `cost` takes the rest once the type is known.
 * `retryAfter` is in seconds and may be a fraction. Under `exceed: 'delay'` the same message comes again: a denial
 * then gives back what it took. Otherwise it does not, or a flood that one budget denies would be free in the others.
 */
export const rate: MessageControl = {
  id: 'message/rate',
  compile(whole, { store }) {
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
}

/**
 * The second step of `message/rate`, after `message/schema`: takes what the type costs beyond the 1 that was taken
 * before the type was known. A cost below 1 gives the connection the difference back.
 */
export const cost: MessageControl = {
  id: 'message/rate',
  compile({ message }, { store }: ControlContext) {
    const policy = message.rate
    if (policy === null) return null
    const extras = new Map(Object.entries(policy.cost).map(([type, amount]) => [type, amount - 1]))
    if (extras.size === 0) return null
    const take = compileTake(policy, store)
    return (subject, connection) => {
      const extra = subject.type === null ? 0 : (extras.get(subject.type) ?? 0)
      if (extra === 0) return PASS
      const time = connection.judgedAt
      // Asked as a whole, with the 1 that `rate` took: a cost above the burst passes when nothing else was taken.
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

/** In report mode: counts every message, and says of each denial which budget would have let all of them pass. */
function withNeeds(check: MessageCheck, policy: MessageRatePolicy): MessageCheck {
  const { messages, bytes, perUser, perIp } = policy
  const users = new NeededBudgets(perUser)
  const addresses = new NeededBudgets(perIp)
  return (subject, connection) => {
    const { judgedAt: now, session, request } = connection
    const own = (connection.rateNeeds ??= { messages: new NeededBudget(messages), bytes: new NeededBudget(bytes) })
    own.messages.count(now, 1)
    own.bytes.count(now, subject.bytes)
    const ofUser = users.count(session.user, now, 1)
    const ofAddress = addresses.count(addressKey(request.ip), now, 1)
    const explain = (verdict: Verdict): Verdict => {
      if (verdict.pass) return verdict
      const needed =
        verdict.code === 'SALLY_MESSAGE_RATE'
          ? `${own.messages.amount} messages in ${messages.perMs} ms and ${own.bytes.amount} bytes in ${bytes.perMs} ms`
          : `${ofUser} of the user in ${perUser.perMs} ms and ${ofAddress} of the IP in ${perIp.perMs} ms`
      return { ...verdict, facts: { ...verdict.facts, detail: `${verdict.facts['detail']}; needed so far: ${needed}` } }
    }
    const verdict = check(subject, connection)
    return verdict instanceof Promise ? verdict.then(explain) : explain(verdict)
  }
}

type Take = (connection: MessageConnection, cost: number, bytes: number, before?: number) => Verdict | Promise<Verdict>

/** Takes from the shared budgets. `before` is what an earlier step took from the connection for the same message. */
function compileTake(policy: MessageRatePolicy, given: Store): Take {
  // A connection keeps its keys: with the suffix in them, no message makes a new text.
  const { store, suffix } = originOf(given)
  // A shared store would be asked for every message: a share of the budget answers here.
  const takeShared: Store['take'] = store.takeShare
    ? (key, amount, budget) => store.takeShare!(key, amount, budget)
    : (key, amount, budget, at) => store.take(key, amount, budget, at)
  const perIp = (key: string, amount: number, at: number): Taken | Promise<Taken> =>
    takeShared(key, Math.min(amount, policy.perIp.burst), policy.perIp, at)

  return (connection, amount, bytes, before = 0) => {
    const judge = (taken: Taken, whose: string): Verdict => {
      if (taken.ok) return PASS
      giveBack(policy, connection, amount + before, bytes)
      return deny('SALLY_MESSAGE_RATE_SHARED', `the budget of the ${whose} is spent`, taken.retryAfterMs / 1000)
    }
    const at = connection.judgedAt
    let keys = connection.budgetKeys
    // The app may put another user into its session: who acts pays, and nobody for who acted before.
    if (keys === null || keys.of !== connection.session.user) connection.budgetKeys = keys = keysOf(connection, suffix)
    const byUser = takeShared(keys.user, Math.min(amount, policy.perUser.burst), policy.perUser, at)
    if (byUser instanceof Promise) {
      return byUser.then(async taken => {
        const verdict = judge(taken, 'user')
        return verdict.pass ? judge(await perIp(keys.ip, amount, at), 'IP') : verdict
      })
    }
    if (!byUser.ok) return judge(byUser, 'user')
    const byIp = perIp(keys.ip, amount, at)
    if (byIp instanceof Promise) return byIp.then(taken => judge(taken, 'IP'))
    return byIp.ok ? PASS : judge(byIp, 'IP')
  }
}

function keysOf({ session: { user }, request }: MessageConnection, suffix: string): BudgetKeys {
  return { of: user, user: `message:user:${user}${suffix}`, ip: `message:ip:${addressKey(request.ip)}${suffix}` }
}

function giveBack(policy: MessageRatePolicy, connection: MessageConnection, amount: number, bytes: number): void {
  if (policy.exceed !== 'delay') return
  connection.messageTat -= amount * intervalMs(policy.messages)
  connection.byteTat -= bytes * intervalMs(policy.bytes)
}

function denyLocal({ messages, bytes }: MessageRatePolicy, excess: number): Verdict {
  const bounds = `${messages.amount} messages in ${messages.perMs} ms or ${bytes.amount} bytes in ${bytes.perMs} ms`
  return deny('SALLY_MESSAGE_RATE', `more than ${bounds}`, excess / 1000)
}

function intervalMs({ amount, perMs }: Budget): number {
  return perMs / amount
}
