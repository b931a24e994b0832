/** The victim's host: its registrable domain is `shop.localhost`, as no browser knows `localhost` for a public suffix with more labels. */
export const VICTIM_HOST = 'app.shop.localhost'
export const VICTIM_SITE = 'shop.localhost'

/** What a page's origin is to the victim's, as browsers tell sites apart. */
export type Relation = 'sibling' | 'cross-site'

/** Same registrable domain is a sibling. A page of the same host over plain HTTP counts as one where sites are not schemeful. */
export function relationOf(origin: string): Relation {
  const { hostname } = new URL(origin)
  return hostname === VICTIM_SITE || hostname.endsWith(`.${VICTIM_SITE}`) ? 'sibling' : 'cross-site'
}
