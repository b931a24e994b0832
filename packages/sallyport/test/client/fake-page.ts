const define = (name: string, value: unknown): void => {
  Object.defineProperty(globalThis, name, { value, configurable: true })
}

/** What a page has of a window and of a document. */
export interface FakePage {
  readonly page: EventTarget
  readonly tab: EventTarget & { visibilityState: string }
}

/** Runs a test in what looks like a page to the client. */
export async function withPage(visibility: string, run: (page: FakePage) => Promise<void>): Promise<void> {
  const page = new EventTarget()
  const tab = Object.assign(new EventTarget(), { visibilityState: visibility })
  define('addEventListener', page.addEventListener.bind(page))
  define('removeEventListener', (name: string, listener: never) => page.removeEventListener(name, listener))
  define('document', tab)
  try {
    await run({ page, tab })
  } finally {
    for (const name of ['addEventListener', 'removeEventListener', 'document']) Reflect.deleteProperty(globalThis, name)
  }
}
