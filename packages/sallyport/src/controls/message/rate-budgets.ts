import type { Budget, Store, Taken } from '../../model/store.ts'
import { deny, PASS, type Verdict } from '../../model/verdict.ts'
import { addressKey } from '../../store/address-key.ts'
import { originOf } from '../../store/named-store.ts'
import type { BudgetKeys, MessageCheck, MessageConnection } from './message-control.ts'
import { NeededBudget, NeededBudgets } from './needed-budget.ts'

/** `message.rate` of a parsed policy. */
export interface MessageRateSection {
  readonly messages: Budget
  readonly bytes: Budget
  readonly perUser: Budget
  readonly perIp: Budget
  readonly cost: { readonly [type: string]: number }
  readonly exceed: 'close' | 'drop' | 'delay'
}

/**
 * For report mode: counts every message, and adds to each denial the budget with which all of them would have passed.
 */
export function withNeeds(check: MessageCheck, policy: MessageRateSection): MessageCheck {
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
      const { facts } = verdict
      if (verdict.code === 'SALLY_MESSAGE_RATE') {
        const needed = { neededMessages: own.messages.amount, neededBytes: own.bytes.amount }
        return { ...verdict, facts: { ...facts, ...needed, reason: 'over-needed' } }
      }
      const needed = { neededOfUser: ofUser, userPerMs: perUser.perMs, neededOfIp: ofAddress, ipPerMs: perIp.perMs }
      return { ...verdict, facts: { ...facts, ...needed, reason: 'spent-needed' } }
    }
    const verdict = check(subject, connection)
    return verdict instanceof Promise ? verdict.then(explain) : explain(verdict)
  }
}

type Take = (connection: MessageConnection, cost: number, bytes: number, before?: number) => Verdict | Promise<Verdict>

/** Takes from the shared budgets. `before` is what an earlier step took from the connection for the same message. */
export function compileTake(policy: MessageRateSection, given: Store): Take {
  // A connection keeps its keys. They include the suffix, so no message creates a new string.
  const { store, suffix } = originOf(given)
  // A shared store would be called for every message. A share of the budget can answer here.
  const takeShared: Store['take'] = store.takeShare
    ? (key, amount, budget) => store.takeShare!(key, amount, budget)
    : (key, amount, budget, at) => store.take(key, amount, budget, at)
  const perIp = (key: string, amount: number, at: number): Taken | Promise<Taken> =>
    takeShared(key, Math.min(amount, policy.perIp.burst), policy.perIp, at)

  return (connection, amount, bytes, before = 0) => {
    const judge = (taken: Taken, whose: string): Verdict => {
      if (taken.ok) return PASS
      giveBack(policy, connection, amount + before, bytes)
      return deny('SALLY_MESSAGE_RATE_SHARED', { reason: 'spent', whose }, taken.retryAfterMs / 1000)
    }
    const at = connection.judgedAt
    let keys = connection.budgetKeys
    // The app may put another user into its session. The present user pays, never the former one.
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

export function giveBack(
  policy: MessageRateSection,
  connection: MessageConnection,
  amount: number,
  bytes: number,
): void {
  if (policy.exceed !== 'delay') return
  connection.messageTat -= amount * intervalMs(policy.messages)
  connection.byteTat -= bytes * intervalMs(policy.bytes)
}

export function denyLocal({ messages, bytes }: MessageRateSection, excess: number): Verdict {
  const facts = {
    reason: 'over',
    messages: messages.amount,
    perMs: messages.perMs,
    bytes: bytes.amount,
    bytesPerMs: bytes.perMs,
  }
  return deny('SALLY_MESSAGE_RATE', facts, excess / 1000)
}

export function intervalMs({ amount, perMs }: Budget): number {
  return perMs / amount
}
