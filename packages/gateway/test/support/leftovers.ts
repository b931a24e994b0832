import { afterEach } from 'node:test'

/** What a test that failed did not come to close: else the run would wait for it. */
const open = new Set<() => Promise<void>>()

/** Makes a close that runs once, by the test or after it. */
export function closing(close: () => Promise<void>): () => Promise<void> {
  const once = async (): Promise<void> => {
    if (open.delete(once)) await close()
  }
  open.add(once)
  return once
}

afterEach(async () => {
  for (const close of open) await close()
})
