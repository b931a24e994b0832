import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CLIENT_SCRIPT_TEXT } from '../assets/client-script-text.ts'
import { gatewayAnswer } from './gateway-answer.ts'

const BODY = Buffer.from(CLIENT_SCRIPT_TEXT, 'utf8')
const ETAG = `"${createHash('sha256').update(BODY).digest('base64url')}"`
/** For pages of its own origin alone: no CORS, and no `<script>` of others. Short, since it changes with the gateway. */
const HEADERS = {
  ETag: ETAG,
  'Cache-Control': 'public, max-age=300',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
}

/** Answers with the browser's half of the library, `sallyport/client`, as one ES module. */
export function serveClientScript(request: IncomingMessage, response: ServerResponse): void {
  const { method } = request
  if (method !== 'GET' && method !== 'HEAD') {
    const { status, headers, body } = gatewayAnswer(405, 'GATEWAY_METHOD_NOT_ALLOWED')
    response.writeHead(status, { ...headers, Allow: 'GET, HEAD' }).end(body)
  } else if (isKnown(request.headers['if-none-match'])) {
    response.writeHead(304, HEADERS).end()
  } else {
    const head = { ...HEADERS, 'Content-Type': 'text/javascript; charset=utf-8', 'Content-Length': BODY.length }
    response.writeHead(200, head).end(method === 'HEAD' ? undefined : BODY)
  }
}

/** RFC 9110 §13.1.2: compared weakly. */
function isKnown(tags: string | undefined): boolean {
  return tags !== undefined && tags.split(',').some(tag => ['*', ETAG].includes(tag.trim().replace(/^W\//, '')))
}
