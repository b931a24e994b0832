import { POLICY_SECTIONS } from './policy-shape.ts'
import { RELAY_DEFAULT, relay } from './relay-shape.ts'
import { DEFAULT_TICKET_PATH } from './route-overlaps.ts'
import { SESSION } from './session-shape.ts'
import { duration, flag, list, mapped, may, must, object, text } from './shape.ts'
import * as checks from './text-checks.ts'
import { host, none } from './text-shapes.ts'

/** Engine.IO's long polling, the other transport of Socket.IO: a way around both doors. */
export const POLLING = '?transport=polling'

const upstream = must(
  text(checks.faultOfWord, 'the name of an upstream'),
  'write upstream: app',
  'A name below `upstreams`.',
)

const http = mapped(
  object({
    path: may(text(checks.faultOfPlainPath, "'/'"), '/', 'Prefix; the longest match of the host wins. Default /.'),
    upstream,
    timeout: may(duration(), 60_000, 'Longest wait for the head of the answer. Default 60 s.'),
    refuse: may(
      list(text(checks.faultOfRefused, "'/sockjs/*' or '?transport=polling'"), 0, "'/sockjs/*'"),
      [] as readonly string[],
      'What no backend gets, as transports beside the WebSocket: /path, /path/*, ?name or ?name=value. Besides: ?transport=polling.',
    ),
    dangerouslyPassPolling: may(
      flag,
      false,
      'Lets ?transport=polling pass: long polling of Socket.IO, around both doors.',
    ),
  }),
  ({ timeout, refuse: refused, dangerouslyPassPolling, ...rest }) => ({
    ...rest,
    timeoutMs: timeout,
    refuse: dangerouslyPassPolling ? refused : [...new Set([POLLING, ...refused])],
  }),
)

/** What one host and path leads to. */
export const route = object({
  hosts: may(
    list(host, 1, "'app.company.com'"),
    [] as readonly string[],
    'Names as in Host, without port. Default: every name that no other route has.',
  ),
  path: must(
    text(checks.faultOfPath, "'/ws', or '/ws/*' for everything below it"),
    "write path: '/ws'",
    'The path of the WebSocket, exact; ends in /* for everything below it.',
  ),
  upstream,
  session: must(
    SESSION,
    'write session: { forwardAuth: { url: … } }, { jwt: … }, { signedCookie: … } or { dangerouslyAnonymous: true }',
    'How the session of the HTTP side is found.',
  ),
  ...POLICY_SECTIONS,
  relay: may(relay, () => RELAY_DEFAULT, 'What the backend sees of the client.'),
  http: may(http, null, 'Plain HTTP that goes to an upstream, so that one origin can be served whole.'),
  ticketPath: may(
    text(checks.faultOfPlainPath, "'/.sallyport/ticket'"),
    DEFAULT_TICKET_PATH,
    'Where tickets are issued. Default /.sallyport/ticket.',
  ),
  clientPath: may(
    none(text(checks.faultOfPlainPath, "'/.sallyport/client.js'")),
    undefined,
    'Where the page imports the browser client from; false: nowhere. Default: client.js beside ticketPath.',
  ),
})
