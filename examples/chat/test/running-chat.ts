import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SallyEvent } from 'sallyport'
import { startChat } from '../src/chat.ts'
import type { RunningChat } from '../src/chat.ts'
import type { Notice } from '../src/door.ts'
import type { Options } from '../src/options.ts'
import { freePort } from '../../../test/support/free-port.ts'

/** A chat on free ports with a data folder of its own. `end` stops it and leaves nothing behind. */
export interface TestChat {
  readonly chat: RunningChat
  readonly events: readonly SallyEvent[]
  readonly notices: readonly Notice[]
  end(): Promise<void>
}

/** Starts a chat. A `data` folder that is given is the caller's: it stays. */
export async function startTestChat(options: Partial<Options>): Promise<TestChat> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'sallyport-chat-'))
  const events: SallyEvent[] = []
  const notices: Notice[] = []
  const chat = await startChat(
    {
      port: await freePort(),
      attackerPort: await freePort(),
      unguarded: false,
      sameSite: 'lax',
      json: false,
      ...options,
      data,
    },
    { event: event => void events.push(event), notice: notice => void notices.push(notice) },
  )
  return {
    chat,
    events,
    notices,
    async end() {
      await chat.close()
      if (options.data === undefined) rmSync(data, { recursive: true, force: true })
    },
  }
}
