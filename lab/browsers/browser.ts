/** A browser with one of the cookie settings that matter. */
export type BrowserId = 'chromium' | 'chromium-debian' | 'firefox' | 'firefox-open' | 'webkit' | 'webkit-itp'

/** One tab. */
export interface Tab {
  /** A real click, which counts as the user's. */
  click(selector: string): Promise<void>
  /** A click that opens a window; answers the window's tab once its page is parsed. */
  clickThrough(selector: string): Promise<Tab>
}

/** A fresh victim: no cookie, no history. */
export interface Profile {
  /** Opens a tab and resolves once the page is parsed. */
  open(url: string): Promise<Tab>
  close(): Promise<void>
}

/** A running browser. */
export interface LabBrowser {
  readonly id: BrowserId
  readonly version: string
  /** What it tries first for a `.localhost` name, which has both loopback addresses. */
  readonly firstAddress: '127.0.0.1' | '::1'
  profile(): Promise<Profile>
  /** Ends it and its whole process group. */
  end(): Promise<void>
}

/** What can be started. */
export interface BrowserKind {
  readonly id: BrowserId
  readonly title: string
  /** Whether what it needs is installed. */
  installed(): boolean
  start(): Promise<LabBrowser>
}

/** Longest wait for one step in a browser, in ms. */
export const STEP_MS = 20_000
