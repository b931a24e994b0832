import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { nearest } from 'sallyport/internal'
import { ConfigError } from './config-error.ts'
import { refuseTakenAddresses } from './addresses.ts'
import { readDocument } from './document.ts'
import { refuseBrokenPolicies } from './policy-problems.ts'
import { requireCall } from './parse-call.ts'
import { type ReadFile, type Reading, refuse } from './reading.ts'
import { besideTicket, refuseOverlaps } from './route-overlaps.ts'
import { isSchemaPath } from './schema-files.ts'
import { FILE, type ReadFields } from './file-shape.ts'
import { isLoopback } from 'sallyport/internal'
import type { AdminConfig, GatewayConfig, ListenerConfig, RouteConfig, RoutePolicy } from '../model/config.ts'
import { type Weakness, weaknessesOf } from './weakness.ts'

/** Where a text came from, and what it may refer to. */
export interface ParseOptions {
  /** Name of the file, for errors; relative names in it are taken from its folder. */
  readonly file: string
  /** What `${NAME}` stands for. Default: the environment of the process. */
  readonly env?: { readonly [name: string]: string | undefined }
  /** Reads a file that is named in the text. Default: from the disk, relative to the folder of `file`. */
  readonly readFile?: ReadFile
}

/** A configuration, and what in it weakens beside the policies (their own `report()` lists those). */
export interface ParsedConfig {
  readonly config: GatewayConfig
  readonly weakened: readonly Weakness[]
}

/**
 * Reads a configuration (YAML or JSON) into a frozen one with every default filled in, units in ms and bytes, secrets
 * resolved and references held. Every policy was compiled by the library once.
 *
 * @throws ConfigError with every problem there is, each with file, line and column; a `TypeError` for a call without a text
 *   or the name of its file.
 */
export function parseConfig(text: string, options: ParseOptions): GatewayConfig {
  return parseConfigFully(text, options).config
}

/** As `parseConfig`, with what weakens. */
export function parseConfigFully(text: string, options: ParseOptions): ParsedConfig {
  requireCall(text, options)
  const { file, env = process.env } = options
  const readFile = options.readFile ?? fileReader(file)
  const document = readDocument(text, { file, env, verbatim: isSchemaPath })
  if (!('value' in document)) throw new ConfigError(document)
  const reading: Reading = { document, readFile, problems: [], plaintext: new Map() }
  const read = FILE.read(reading, [], document.value ?? {})
  refuseBrokenPolicies(reading)
  refuseOverlaps(reading)
  refuseDangling(reading)
  const config = read === undefined ? null : configOf(read)
  if (config !== null) {
    refuseOpenAdmin(reading, config.admin)
    refuseTakenAddresses(reading, config)
  }
  if (reading.problems.length > 0 || config === null) throw new ConfigError(reading.problems)
  return frozen({ config, weakened: weaknessesOf(config, reading) })
}

/** Reads relative to the folder of a configuration. */
export function fileReader(file: string): ReadFile {
  const folder = dirname(resolve(file))
  return name => readFileSync(resolve(folder, name), 'utf8')
}

function configOf(read: ReadFields): GatewayConfig {
  return {
    name: read.name,
    listeners: Array.from(read.listeners, ([name, listener]): ListenerConfig => ({ name, ...listener })),
    routes: Array.from(read.routes, ([id, route]): RouteConfig => {
      const { handshake, message, lifetime, report, timeout, clientPath, ...rest } = route
      const policy = { handshake, message, ...defined({ lifetime, report, timeout }) } as unknown as RoutePolicy
      return { id, ...rest, policy, clientPath: clientPath === undefined ? besideTicket(rest.ticketPath) : clientPath }
    }),
    upstreams: Object.fromEntries(read.upstreams),
    proxy: read.proxy as GatewayConfig['proxy'],
    admin: read.admin,
    log: read.log,
    workers: read.workers,
    store: read.store === null ? null : read.store.redis,
    drainMs: read.drain,
  }
}

const defined = (values: object): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

/** Names of upstreams that no entry has. */
function refuseDangling(reading: Reading): void {
  const file = reading.document.value as {
    upstreams?: object
    routes?: { [id: string]: { upstream?: unknown; http?: { upstream?: unknown } } }
  }
  const known = Object.keys(file?.upstreams ?? {})
  for (const [id, route] of Object.entries(file?.routes ?? {})) {
    for (const [path, name] of [
      [['routes', id, 'upstream'], route?.upstream],
      [['routes', id, 'http', 'upstream'], route?.http?.upstream],
    ] as const) {
      if (typeof name !== 'string' || known.includes(name)) continue
      const near = nearest(name, known)
      refuse(reading, [...path], name, {
        message: 'no such upstream',
        remedy: near === undefined ? `known: ${known.join(', ')}` : `did you mean '${near}'?`,
        nearest: near,
      })
    }
  }
}

function refuseOpenAdmin(reading: Reading, admin: AdminConfig | null): void {
  if (admin === null || 'socket' in admin.address || isLoopback(admin.address.host)) return
  refuse(reading, ['admin', 'address'], `${admin.address.host}:${admin.address.port}`, {
    message: 'the admin API is no public address',
    remedy: "write '127.0.0.1:9901' or a unix socket; from elsewhere come through ssh or a sidecar",
  })
}

/** Freezes plain data through and through, and returns it. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const entry of Object.values(value)) frozen(entry)
  return Object.freeze(value)
}
