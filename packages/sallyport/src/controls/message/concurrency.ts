import { count, flag } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { countInWords } from '../../shape/words.ts'
import { defineControl, on } from '../definition.ts'
import type { MessageOf } from './message-control.ts'

/** `message.concurrency` of a parsed policy. */
export interface ConcurrencySection {
  readonly handlers: number
  readonly background: number
  readonly countListeners: boolean
}

const HANDLERS = 16
const BACKGROUND = 1000

const KEYS = {
  handlers: key(count(1, 100_000), HANDLERS, 'Handlers of one connection that run at once.', {
    because: 'handlers that wait on a database; more of one connection starve the others',
  }),
  background: key(count(1, 100_000), BACKGROUND, 'Tasks of one connection that `connection.background` runs at once.', {
    because: 'streams of one page: three times what a dashboard of 300 tiles has; each holds some KiB',
  }),
  countListeners: key(
    flag,
    false,
    'Behind `guard.ws()`: whether the promise of a `message` listener counts as a running handler.',
    { because: "a listener's promise tells nothing of its length: a subscription's lasts as long as the connection" },
  ),
}
export type ConcurrencyInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_MESSAGE_CONCURRENCY: {
    action: 'pause',
    level: 'info',
    event: 'excess_rate_limit_exceeded',
    requirements: ['S9', 'WS-25'],
    means: 'as many handlers of this connection run as the bound allows; its socket is paused',
    remedy: 'Raise `message.concurrency.handlers`, or make the handler faster.',
    tells: {
      handlers: '{running} handlers run',
      background: '{running} background tasks run',
      held: '{messages} messages of {bytes} bytes came while the connection was held',
      waiting: '{bytes} bytes wait to be handled, the most of all connections, and together they wait for too much',
    },
  },
  SALLY_HANDLER_FAILED: {
    action: 'reply',
    level: 'error',
    event: 'sys_crash',
    requirements: ['ASVS-16.5.3'],
    means: "the app's handler threw",
    remedy: 'See the error given to the logger; the peer was told nothing of it.',
    tells: 'the handler threw',
  },
} as const

/** Bounds the handlers of one connection that run at the same time. */
export const concurrency = defineControl({
  id: 'message/concurrency',
  denies:
    'more than N handlers of one connection run at once; the socket is read ahead at most one message and 64 KiB, so that control frames are seen',
  default: `${HANDLERS} handlers, ${countInWords(BACKGROUND)} background tasks`,
  notProbed: 'a paused socket and a slow handler look the same from outside',
  keys: KEYS,
  example: 'concurrency: { handlers: 16 }',
  denials: DENIALS,
  read(message): ConcurrencySection {
    const section = openSection(message, { id: 'message/concurrency', keys: KEYS })
    return Object.freeze({
      handlers: section.value('handlers'),
      background: section.value('background'),
      countListeners: section.value('countListeners'),
    })
  },
  effective: ({ handlers, background, countListeners }) =>
    on(`${handlers} handlers${countListeners ? ', listeners too' : ''}, ${countInWords(background)} background tasks`),
  /** Most handlers at the same time. */
  compile: (policy: MessageOf<{ concurrency: ConcurrencySection }>): number => policy.message.concurrency.handlers,
})

/** Counts the running handlers of one connection. It refuses nothing: at the bound the connection is no longer read. */
export interface Concurrency {
  /** Number of handlers that run now. */
  readonly running: number
  /** A handler starts. Returns true when the bound is reached: pause the socket. */
  enter(): boolean
  /** A handler ended. Returns true when the count falls below the bound: resume the socket. */
  leave(): boolean
}

/**
 * Creates the count of one connection. Messages that were read before the pause may exceed the limit. They are counted
 * too.
 */
export function createConcurrency(limit: number): Concurrency {
  let running = 0
  return {
    get running() {
      return running
    },
    enter() {
      running++
      return running >= limit
    },
    leave() {
      if (running === 0) return false
      running--
      return running === limit - 1
    },
  }
}
