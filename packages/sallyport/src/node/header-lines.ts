import type { IncomingMessage, Server } from 'node:http'
import { requireServer } from './http-server.ts'

/** Header lines of a request of plain HTTP; Apache takes 100. */
export const MOST_HEADER_LINES = 200
/** Of a handshake, where nobody says more. */
const MOST_READ = 1000

/**
 * Makes a server read one header line more than anybody takes. What comes after its bound Node leaves out, in versions
 * such as 22.18 without a word: a second Origin, or what frames the body, so that the body is the next request. So it is
 * known that there was more, and newer versions refuse it by themselves (431). Without a bound each line costs the more
 * the more there are.
 *
 * @param most as many as a policy takes of a handshake
 */
export function readLines(server: Server, most = 0): void {
  requireServer('readLines', server)
  server.maxHeadersCount = Math.max(MOST_READ, most) + 1
}

/** Whether a request is to be refused for them (431): each line costs whoever looks at it. */
export function hasTooManyLines({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length > 2 * MOST_HEADER_LINES
}
