/** The victim's host. Its site is `shop.localhost`: a browser takes `localhost` for a public suffix like any unknown one. */
export const VICTIM_HOST = 'app.shop.localhost'
const VICTIM_SITE = 'shop.localhost'

/**
 * What a page is to the victim's origin, as browsers tell sites apart: same registrable domain or not, over plain HTTP, in
 * a sandboxed frame, which has no origin and sends `null`, or after it opened the victim's app in a window and she clicked there.
 */
export type Relation =
  | 'sibling'
  | 'plain sibling'
  | 'cross-site'
  | 'framed sibling'
  | 'framed cross-site'
  | 'cross-site after a popup'

export function relationOf(origin: string, framed: boolean = false, popup: boolean = false): Relation {
  const { hostname, protocol } = new URL(origin)
  const sibling = hostname === VICTIM_SITE || hostname.endsWith(`.${VICTIM_SITE}`)
  if (framed) return sibling ? 'framed sibling' : 'framed cross-site'
  if (!sibling) return popup ? 'cross-site after a popup' : 'cross-site'
  return protocol === 'http:' ? 'plain sibling' : 'sibling'
}
