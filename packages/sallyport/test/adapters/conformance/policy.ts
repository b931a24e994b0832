import type { createGuard, Session } from 'sallyport'
import type { PolicyPart } from './way-in.ts'

const text = { type: 'string', maxLength: 2_000 }
const typed = (properties: object, required: readonly string[]): object => ({
  type: 'object',
  properties: { type: { type: 'string' }, ...properties },
  required: ['type', ...required],
  additionalProperties: false,
})

/** The sections of every way in. A page says `chat`, asks for `bulk`, or has the server end it by `leave`. */
export function sectionsOf({ handshake, message, lifetime, report }: PolicyPart, origin: string) {
  return {
    handshake: {
      origin: { allow: [origin] },
      ticket: { carrier: 'query' as const, secret: 'a secret of thirty-two bytes or more' },
      ...handshake,
    },
    message: {
      schema: { chat: typed({ text, n: { type: 'number' } }, ['text']), bulk: typed({}, []), leave: typed({}, []) },
      size: { bytes: 65_536 },
      ...message,
    },
    lifetime: { ...lifetime },
    ...(report !== undefined && { report }),
  }
}

/** The same as the input of `createGuard`. */
export function policyOf(part: PolicyPart, origin: string): Parameters<typeof createGuard>[0] {
  const { handshake, ...rest } = sectionsOf(part, origin)
  return { ...rest, handshake: { ...handshake, session: sessionOf } } as Parameters<typeof createGuard>[0]
}

/** The cookie `sid` names a user. One that ends in `~` and a number ends at that time, in ms since the epoch. */
export function sessionOf(request: { cookie(name: string): string | undefined }): Session | null {
  const sid = request.cookie('sid')
  if (sid === undefined) return null
  const [user, expiresAt] = sid.split('~')
  return { id: sid, user: user!, ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }) }
}
