import type { IncomingMessage, Server } from 'node:http'

/** Header lines of a request of plain HTTP; Apache takes 100. */
export const MOST_HEADER_LINES = 200

/**
 * Makes a server read all header lines, which its bound in bytes bounds. Of more than a thousand Node leaves the others
 * out, in some versions without a word: a second Origin, or what frames the body, so that the body is the next request.
 */
export function readAllLines(server: Server): void {
  server.maxHeadersCount = 0
}

/** Whether a request is to be refused for them (431): each line costs whoever looks at it. */
export function hasTooManyLines({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length > 2 * MOST_HEADER_LINES
}
