import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares `Authorization: Bearer …` with the token, in a time that tells nothing of where they differ. */
export function createTokenCheck(token: string): (authorization: string | undefined) => boolean {
  const wanted = digest(token)
  return authorization => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    // Hashes have one length, whatever was sent.
    return timingSafeEqual(digest(given ?? ''), wanted) && given !== undefined
  }
}
