import type { BrowserId } from '../browsers/browser.ts'
import type { SameSite } from './ground.ts'
import type { Relation } from './names.ts'

const ALL: readonly SameSite[] = ['none', 'unset', 'lax', 'strict']
const NEVER: readonly SameSite[] = []

/** Where the session cookie goes along with a handshake that another origin's page opens. `npm run lab -- matrix` measures it. */
export const COOKIE_TRAVELS: Readonly<Record<BrowserId, Readonly<Record<Relation, readonly SameSite[]>>>> = {
  chromium: {
    sibling: ALL,
    'plain sibling': ['none'],
    'cross-site': ['none'],
    'framed sibling': ['none'],
    'framed cross-site': ['none'],
    'cross-site after a popup': ['none'],
  },
  'chromium-debian': {
    sibling: ALL,
    'plain sibling': NEVER,
    'cross-site': NEVER,
    'framed sibling': NEVER,
    'framed cross-site': NEVER,
    'cross-site after a popup': NEVER,
  },
  firefox: {
    sibling: ALL,
    'plain sibling': ALL,
    'cross-site': NEVER,
    'framed sibling': NEVER,
    'framed cross-site': NEVER,
    'cross-site after a popup': ['none', 'unset'],
  },
  'firefox-open': {
    sibling: ALL,
    'plain sibling': ALL,
    'cross-site': ['none', 'unset'],
    'framed sibling': ['none', 'unset'],
    'framed cross-site': ['none', 'unset'],
    'cross-site after a popup': ['none', 'unset'],
  },
  webkit: {
    sibling: ALL,
    'plain sibling': ALL,
    'cross-site': ['none', 'unset'],
    'framed sibling': ALL,
    'framed cross-site': ['none', 'unset'],
    // Not run: under automation WebKitGTK opens no window.
    'cross-site after a popup': NEVER,
  },
  'webkit-itp': {
    sibling: ALL,
    'plain sibling': ALL,
    'cross-site': NEVER,
    'framed sibling': ALL,
    'framed cross-site': NEVER,
    'cross-site after a popup': NEVER,
  },
}
