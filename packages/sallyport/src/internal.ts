/**
 * What `@sallyport/gateway` needs of this package and nobody else should use: no promise is made about these names, and
 * a patch release may change them. To build a proxy of your own, use `sallyport/embed` and `sallyport/wire`.
 *
 * @packageDocumentation
 */
// The gateway's own sockets: what it reads first, how it speaks to a backend, how it bounds those that are silent.
export type { KernelQueue } from './model/kernel-queue.ts'
export { isLoopback } from './model/loopback.ts'
export { kernelQueueOf } from './node/kernel-queue.ts'
export { EndpointSocket } from './node/endpoint-socket.ts'
export { installFirstBytesReader, type ReadReceiver } from './node/first-bytes-reader.ts'
export { hasTooManyLines, readLines } from './node/header-lines.ts'
export { mostDescriptors, roomFor } from './node/descriptors.ts'
export { boundSockets } from './node/socket-bounds.ts'
export { cutUnread } from './node/unread-answers.ts'
export { socketOf } from './node/upgrade-socket.ts'
// Time, timers and randomness, which a test can replace.
export type { Runtime, Timer } from './model/runtime.ts'
export { systemRuntime } from './model/system-runtime.ts'
// Parts of controls that the gateway applies outside a guard.
export { READING_RATE, stepOf } from './controls/lifetime/backpressure.ts'
export { createHostCheck } from './controls/handshake/host.ts'
export { createProxyCheck } from './request/client-address.ts'
export { isTicketProtocol } from './request/carriers.ts'
export { tryTicketSecrets } from './ticket/trial.ts'
// How values of a configuration are read and shown in errors: the same in the policy and in the gateway's file.
export { nearest } from './shape/nearest.ts'
export { requireNumber, requireOptions } from './shape/options.ts'
export { isPlaceholder } from './shape/secret-value.ts'
export { bearsSecret } from './shape/secret-text.ts'
export { kindOf, quote } from './shape/shown.ts'
// Constants of the wire.
export { NO_STATUS } from './wire/close.ts'
export { MAX_UPGRADE_BYTES } from './wire/upgrade.ts'
