/** Something that arrived at the attacker's server. */
export interface Loot {
  /** The `visit` of the page's address, when it had one: tells attempts apart. */
  readonly visit: string | null
  /** The attacker's host that the page was opened at. */
  readonly host: string
  /** Ms since the epoch. */
  readonly at: number
  readonly body: string
}

/** What the attacker has gathered, the newest last. */
export interface LootBag {
  add(loot: Loot): void
  of(visit: string | null): readonly Loot[]
}

/** How much one bag holds: it is open to whoever can reach loopback. */
const ITEMS = 500

export function createLootBag(): LootBag {
  const items: Loot[] = []
  return {
    add(loot) {
      items.push(loot)
      if (items.length > ITEMS) items.shift()
    },
    of: visit => items.filter(item => visit === null || item.visit === visit),
  }
}
