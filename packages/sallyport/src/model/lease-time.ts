/** A lease lapses this long after its last renewal, in ms: how long the connections of a crashed node still count. */
export const LEASE_TTL_MS = 60_000
