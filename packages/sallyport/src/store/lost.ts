/**
 * Over how many ms the ends of open connections are spread once a store was away for its grace: a tenth of it. A node
 * counts as gone in the cluster only after that.
 */
export function lostWithinMs(graceMs: number): number {
  return Math.ceil(graceMs / 10)
}
