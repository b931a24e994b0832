import type { Budget } from '../../model/store.ts'

/*
 * The generic cell rate algorithm (ITU-T I.371). One number, the theoretical arrival time, represents a budget that
 * refills evenly. A cost above the burst passes when the budget is full, and the excess is owed afterwards.
 */

/** Sums of fractions near epoch times are wrong by parts of a ms. A smaller difference than this counts as zero. */
const TOLERANCE_MS = 0.5

/** In how many ms `cost` could be taken from the budget. 0 means now. Takes nothing. */
export function excessMs(tat: number, now: number, cost: number, { amount, perMs, burst }: Budget): number {
  const interval = perMs / amount
  const excess = Math.max(tat, now) - now + (cost - Math.max(burst, cost)) * interval
  return excess < TOLERANCE_MS ? 0 : excess
}

/** The theoretical arrival time after `cost` is taken. */
export function spent(tat: number, now: number, cost: number, { amount, perMs }: Budget): number {
  return Math.max(tat, now) + (cost * perMs) / amount
}
