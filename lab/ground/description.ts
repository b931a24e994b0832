import type { ControlId } from 'sallyport'
import type { BrowserId } from '../browsers/browser.ts'
import type { Ground, SameSite } from './ground.ts'
import type { Target } from './target.ts'

/** A place that the attacker's page is opened at. */
export interface AttackerSite {
  /** Without a port: `https://evil.localhost`. Any name under `.localhost`, `http:` or `https:`. */
  readonly origin: string
  /**
   * The browsers in which the page hijacks the flawed app. Left out: what the cookie matrix says for the flaw's
   * SameSite and the relation of this origin to the victim's.
   */
  readonly succeedsIn?: readonly BrowserId[]
  /** The exploit acts from a sandboxed frame in the page. */
  readonly framed?: true
  /** The browsers in which it is run at all. Default: every one. */
  readonly runsIn?: readonly BrowserId[]
  /**
   * The victim signed in by a click; clicks `#open` on the attacker's page, which opens the app in a window; clicks in
   * that window; and then clicks `#go` on the attacker's page.
   */
  readonly popup?: true
}

/** What an honest client says, and the `type` of the first reply that it waits for. */
export interface Honest {
  readonly send: { readonly type: string; readonly [key: string]: unknown }
  readonly reply: string
  /** The account that works honestly. Default: `ann`, the victim. */
  readonly as?: 'ann' | 'bob'
}

interface AnyFlaw {
  /** One line for the table. */
  readonly title: string
  /** The control whose denial must stop it, and no other. */
  readonly control: ControlId
  readonly honest: Honest
  /**
   * True once the victim's state was changed by the attack. Asked whenever something was stolen or reported, and at the
   * end. Left out: the only witness is the attacker's server, holding the victim's secret.
   */
  readonly harmed?: (app: { readonly ground: Ground }) => boolean
  /** Plain `http:` and `ws:` on loopback instead of TLS. */
  readonly plain?: true
}

/** An attack by a page in the victim's browser: `exploit.html`. */
export interface BrowserFlaw extends AnyFlaw {
  readonly kind: 'browser'
  /** As the app sets it; undefined for an app without sign-in. */
  readonly sameSite?: SameSite
  readonly attackers: readonly [AttackerSite, ...AttackerSite[]]
  /**
   * DNS rebinding: of the name's two loopback addresses the attacker serves the page at one, on the victim's own port, and
   * goes away, so that the same name leads to the victim at the other.
   */
  readonly rebinds?: true
}

/** An attack that needs no browser: `exploit.ts` exports `attack`. */
export interface ClientFlaw extends AnyFlaw {
  readonly kind: 'client'
}

/** What `flaw.ts` exports as `flaw`. The folder's name is the flaw's. */
export type Flaw = BrowserFlaw | ClientFlaw

/** What a started app answers. */
export interface Running {
  close?(): void | Promise<void>
}

/** What `app.ts` and `guarded.ts` export as `start`. */
export type Start = (ground: Ground) => Running | void | Promise<Running | void>

/** What `exploit.ts` exports as `attack`. It returns when it has done what it could; a refusal is no error. */
export type Attack = (target: Target) => Promise<void>

/** What `exploit-server.ts` exports as `serve`: called by the page's `server(body)`, which gets the answer. */
export type Serve = (target: Target, body: string) => Promise<string>
