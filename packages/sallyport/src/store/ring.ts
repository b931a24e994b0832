/** Something that may stand in a ring. Both ends belong to the ring: start with null, where it stands in none. */
export interface Linked {
  before: Linked | null
  after: Linked | null
}

/**
 * A ring of things that know their neighbours, its own beginning among them: what `after` leads to until it leads back here.
 * A place in it costs nobody any memory, where a set pays for each and for its table.
 */
export interface Ring {
  before: Linked
  after: Linked
}

/** An empty one. */
export function createRing(): Ring {
  const ring: Linked = { before: null, after: null }
  ring.before = ring
  ring.after = ring
  return ring as Ring
}

/** Puts it at the end of a ring. It must stand in none. */
export function link(ring: Ring, item: Linked): void {
  const last = ring.before
  item.before = last
  item.after = ring
  last.after = item
  ring.before = item
}

/** Takes it out of the ring that it stands in; false where it stood in none. */
export function unlink(item: Linked): boolean {
  const { before, after } = item
  if (before === null || after === null) return false
  before.after = after
  after.before = before
  item.before = null
  item.after = null
  return true
}
