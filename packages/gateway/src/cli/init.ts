import { writeFileSync } from 'node:fs'
import type { ExitCode, Terminal } from './terminal.ts'
import { COMMON, DEFAULT_FILE, readArguments } from './usage.ts'

export const INIT_HELP = `sallyport-gateway init [--config gateway.yaml] [--force]

Writes a configuration to begin with: every line explained, strict throughout.

  -c, --config FILE   where to; default ${DEFAULT_FILE}; - is standard output
      --force         over a file that is there

Exit code: 0 well, 1 the file is there or cannot be written, 2 usage.
`

/** What `init` writes. It passes \`check --strict\` once the two secrets are in the environment. */
export const STARTER: string = `# yaml-language-server: $schema=./node_modules/@sallyport/gateway/schema/gateway.schema.json
# A gateway in front of one WebSocket backend. Check it:  sallyport-gateway check --strict
# \${NAME} comes from the environment; file:/run/secrets/name is read from a file. Neither is ever printed.
name: my-app

listeners:
  public:
    # Behind a proxy that ends TLS; see \`proxy\` below. To end TLS here: address 0.0.0.0:443 and
    #   tls: { cert: /etc/sallyport/tls/cert.pem, key: /etc/sallyport/tls/key.pem }
    address: 127.0.0.1:8080

# The gateway believes X-Forwarded-For and X-Forwarded-Proto of these addresses only: the proxy in front.
proxy:
  trust: [127.0.0.1]

upstreams:
  app:
    targets: [ws://127.0.0.1:9000]

routes:
  chat:
    hosts: [app.example.com]
    path: /ws
    upstream: app

    # Finds the user: asks the app with the client's own cookies. 2xx means yes, 401 and 403 no, anything else 503.
    session:
      forwardAuth:
        url: http://127.0.0.1:9000/me
        # What names the user: a header of that answer, or the session cookie.
        userHeader: X-User
        # sessionHeader: X-Session-Id
        # cookie: sid
        # expiresHeader: X-Session-Expires

    handshake:
      # Exactly as browsers send it: scheme, host, and port unless it is the default; no slash at the end.
      origin: { allow: [https://app.example.com] }
      # The page fetches a ticket (POST /.sallyport/ticket?path=/ws) and offers it as a subprotocol. openssl rand -base64 32
      ticket: { secret: '\${TICKET_SECRET}' }

    message:
      rate: { messages: 100, per: 1 minute }
      # Only declared messages pass. From an AsyncAPI document: sallyport-gateway import api.yaml > messages.json
      # and then  schema: file:messages.json
      schema:
        chat:
          type: object
          required: [type, text]
          additionalProperties: false
          properties:
            type: { const: chat }
            text: { type: string, maxLength: 1000 }

    # To see first what would be denied, without denying:  report: true  (GET /-/report lists it)

# The admin API: loopback or a unix socket, never a public address.
admin:
  address: 127.0.0.1:9901
  token: \${ADMIN_TOKEN}

log: { level: info, format: json }
`

/** `init`: writes the starter file, and never over another one unasked. */
export function init(args: readonly string[], terminal: Terminal): ExitCode {
  const { values } = readArguments(args, { ...COMMON, force: { type: 'boolean' } })
  const file = values.config ?? DEFAULT_FILE
  if (file === '-') {
    terminal.out(STARTER)
    return 0
  }
  try {
    writeFileSync(file, STARTER, { flag: values.force === true ? 'w' : 'wx', mode: 0o640 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    terminal.err(
      code === 'EEXIST' ? `${file} is there already: --force writes over it` : `${file} cannot be written (${code})`,
    )
    return 1
  }
  terminal.out(
    `${file} is written. Next: set TICKET_SECRET and ADMIN_TOKEN (openssl rand -base64 32), then sallyport-gateway check`,
  )
  return 0
}
