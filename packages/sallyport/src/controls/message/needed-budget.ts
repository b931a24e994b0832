import type { Budget } from '../../model/store.ts'

/**
 * The smallest budget with which all messages would have passed, for the given `perMs`. An operator uses it to choose a
 * budget after a time in report mode. It counts like the budget itself (GCRA) and grows when the budget would have
 * denied.
 */
export class NeededBudget {
  readonly #perMs: number
  #amount: number
  #owed = 0
  #at = 0

  constructor({ amount, perMs, burst }: Budget) {
    this.#perMs = perMs
    this.#amount = Math.max(1, amount, burst)
  }

  /** The amount per `perMs` that is needed, a whole number. */
  get amount(): number {
    return Math.ceil(this.#amount)
  }

  /** Counts one message. `now` in ms. */
  count(now: number, cost: number): void {
    const refilled = ((now - this.#at) * this.#amount) / this.#perMs
    this.#owed = Math.max(0, this.#owed - Math.max(0, refilled)) + cost
    this.#at = now
    if (this.#owed > this.#amount) this.#amount = this.#owed
  }
}

/** Most users and addresses whose need is kept. The oldest ones are forgotten first. */
const KEYS_MOST = 1000

/** The needed budgets of many users or addresses, on this node. */
export class NeededBudgets {
  readonly #budget: Budget
  readonly #needs = new Map<string, NeededBudget>()

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** Counts one message of a user or an address, and returns the amount that this one needs. */
  count(key: string, now: number, cost: number): number {
    let need = this.#needs.get(key)
    if (need === undefined) {
      const [first] = this.#needs.keys()
      if (this.#needs.size >= KEYS_MOST && first !== undefined) this.#needs.delete(first)
      this.#needs.set(key, (need = new NeededBudget(this.#budget)))
    }
    need.count(now, cost)
    return need.amount
  }
}
