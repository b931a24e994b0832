import type { BrowserId } from '../browsers/browser.ts'
import type { SameSite } from './description.ts'
import type { Relation } from './names.ts'

/** Where the session cookie goes along with a handshake that another origin's page opens. */
export const COOKIE_TRAVELS: Readonly<Record<BrowserId, Readonly<Record<Relation, readonly SameSite[]>>>> = {
  chromium: { sibling: ['none', 'unset', 'lax', 'strict'], 'cross-site': ['none'] },
  'chromium-debian': { sibling: ['none', 'unset', 'lax', 'strict'], 'cross-site': [] },
  firefox: { sibling: ['none', 'unset', 'lax', 'strict'], 'cross-site': [] },
  'firefox-open': { sibling: ['none', 'unset', 'lax', 'strict'], 'cross-site': ['none', 'unset'] },
  webkit: { sibling: ['none', 'unset', 'lax', 'strict'], 'cross-site': ['none', 'unset'] },
  'webkit-itp': { sibling: ['none', 'unset', 'lax', 'strict'], 'cross-site': [] },
}
