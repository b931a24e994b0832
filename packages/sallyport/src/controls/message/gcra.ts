import type { Budget } from '../../model/store.ts'

/*
 * The generic cell rate algorithm (ITU-T I.371): one number, the theoretical arrival time, stands for a budget that
 * refills evenly. What costs more than the burst passes when the budget is full, and is owed afterwards.
 */

/** Sums of fractions at the size of epoch times are off by parts of a ms: less than this is nothing. */
const TOLERANCE_MS = 0.5

/** In how many ms `cost` could be taken from the budget; 0 is now. Takes nothing. */
export function excessMs(tat: number, now: number, cost: number, { amount, perMs, burst }: Budget): number {
  const interval = perMs / amount
  const excess = Math.max(tat, now) - now + (cost - Math.max(burst, cost)) * interval
  return excess < TOLERANCE_MS ? 0 : excess
}

/** The theoretical arrival time after `cost` is taken. */
export function spent(tat: number, now: number, cost: number, { amount, perMs }: Budget): number {
  return Math.max(tat, now) + (cost * perMs) / amount
}
