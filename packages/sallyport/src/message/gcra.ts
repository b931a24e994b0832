import type { Budget } from '../store/store.ts'

/*
 * The generic cell rate algorithm (ITU-T I.371): one number, the theoretical arrival time, stands for a budget that
 * refills evenly. What costs more than the burst passes when the budget is full, and is owed afterwards.
 */

/** In how many ms `cost` could be taken from the budget; 0 or less means now. Takes nothing. */
export function excessMs(tat: number, now: number, cost: number, { amount, perMs, burst }: Budget): number {
  const interval = perMs / amount
  return Math.max(tat, now) + cost * interval - now - Math.max(burst, cost) * interval
}

/** The theoretical arrival time after `cost` is taken. */
export function spent(tat: number, now: number, cost: number, { amount, perMs }: Budget): number {
  return Math.max(tat, now) + (cost * perMs) / amount
}
