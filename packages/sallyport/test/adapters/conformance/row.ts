import type { SallyEvent } from 'sallyport'
import type { Ability, Client, Dialling, PolicyPart, Running } from './way-in.ts'

/** One attack, or one thing that honest people do. */
export interface Row {
  readonly name: string
  /** Left out: every way in can do it. */
  readonly needs?: Ability
  run(way: (part: PolicyPart) => Promise<Running>): Promise<void>
}

/** What Ann's page sends. */
export function honest({ origin }: Running, ticket: string): Dialling {
  return { origin, sid: 'ann', ticket }
}

/** Opens a connection as an honest page does. */
export async function enter(
  running: Running,
  { sid = 'ann', ...more }: { readonly sid?: string; readonly answersPings?: boolean } = {},
): Promise<Client> {
  return running.dial({ ...honest(running, await running.ticket(sid)), sid, ...more })
}

export const chat = (text: string): string => JSON.stringify({ type: 'chat', text })

export const isEnd = ({ kind }: SallyEvent): boolean => kind === 'close'
