import type { IncomingMessage, Server } from 'node:http'
import { requireServer } from './http-server.ts'

/** Most header lines of a plain HTTP request. Apache accepts 100. */
export const MOST_HEADER_LINES = 200
/** Most header lines of a handshake, if no policy accepts more. */
const MOST_READ = 1000

/**
 * Makes a server read one header line more than any policy accepts. Node drops the lines beyond its bound, and versions
 * such as 22.18 do so without a notice. A dropped line may be a second Origin, or one that frames the body, so that the
 * body becomes the next request. The additional line shows that there were more. Newer versions refuse such a request
 * themselves (431). Without a bound, the cost of each line grows with their number.
 *
 * @param most greatest number of lines that a policy accepts for a handshake
 */
export function readLines(server: Server, most = 0): void {
  requireServer('readLines', server)
  server.maxHeadersCount = Math.max(MOST_READ, most) + 1
}

/** Whether a request must be refused for too many lines (431). Each line costs time wherever it is read. */
export function hasTooManyLines({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length > 2 * MOST_HEADER_LINES
}
