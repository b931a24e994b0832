export { expressSession, type PickedSession, type SessionMiddleware, type SessionRequest } from './express-session.ts'
export { signedCookie, type SignedCookieOptions } from './signed-cookie.ts'
export { SessionUnavailable } from './no-session.ts'
export type { Credential, Session, SessionResolver } from '../model/session.ts'
