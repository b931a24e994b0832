/** A lease lapses this long after its last renewal, in ms. The connections of a crashed node count for so long. */
export const LEASE_TTL_MS = 60_000
