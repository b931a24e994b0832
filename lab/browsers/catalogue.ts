import type { BrowserKind } from './browser.ts'
import { chromium, chromiumDebian } from './chromium.ts'
import { firefox, firefoxOpen } from './firefox.ts'
import { webkit, webkitItp } from './webkit.ts'

/** Every browser of the lab, in the order of the table. */
export const BROWSERS: readonly BrowserKind[] = [chromium, chromiumDebian, firefox, firefoxOpen, webkit, webkitItp]
