import { choice, count, duration, flag, list, mapped, may, must, object, secret, type Shape, text } from './shape.ts'
import * as checks from './text-checks.ts'
import { host, plaintext } from './text-shapes.ts'
import type { HealthConfig } from '../model/config.ts'

const pem = secret(value => (value.includes('-----BEGIN') ? null : 'not PEM'), 'name a PEM file: file:/etc/ssl/ca.pem')

const health: Shape<HealthConfig> = mapped(
  object({
    path: must(
      text(checks.faultOfPlainPath, "'/healthz'"),
      "write path: '/healthz'",
      'What is asked for by GET: anything but 2xx or 3xx takes the target out.',
    ),
    interval: may(duration(100), 10_000, 'Time between two looks. Default 10 s.'),
    timeout: may(duration(1), 2000, 'Longest wait for the answer. Default 2 s.'),
  }),
  ({ path, interval, timeout }) => ({ path, intervalMs: interval, timeoutMs: timeout }),
)

/** A group of backends. */
export const upstream = mapped(
  object({
    targets: must(
      list(
        text(checks.faultOfTarget, "'ws://127.0.0.1:9000', 'wss://backend:443' or 'unix:/run/app.sock'"),
        1,
        "'ws://127.0.0.1:9000'",
      ),
      "write targets: ['ws://127.0.0.1:9000']",
      'The backends, of which each connection gets one.',
    ),
    balance: may(
      choice('round-robin', 'least-connections'),
      'round-robin' as const,
      'How a backend is chosen. Default round-robin.',
    ),
    connectTimeout: may(
      duration(),
      5000,
      'TCP, TLS and the answer to the handshake together, at one target; at most two are waited for. Default 5 s.',
    ),
    eject: may(
      duration(),
      10_000,
      'How long a target is passed over that takes no connection or fails a probe; a probe that it answers ends this sooner. The last target is never passed over. Default 10 s.',
    ),
    failures: may(count(1, 1000), 1, 'Connects in a row that the target did not take before that. Default 1.'),
    health: may(health, null, 'A look at each backend now and then.'),
    tls: may(
      object({
        ca: may(pem, null, 'PEM of the authorities to trust instead of the system: file:/etc/ssl/backend-ca.pem.'),
        serverName: may(host, null, 'Name to verify instead of the one in the target.'),
        dangerouslyAcceptAnyCertificate: may(flag, false, 'Trusts whoever answers.'),
      }),
      null,
      'For wss and https targets.',
    ),
    dangerouslyAllowPlaintext: plaintext,
  }),
  ({ connectTimeout, eject, ...rest }) => ({
    ...rest,
    connectTimeoutMs: connectTimeout,
    ejectMs: eject,
  }),
)
