import { spawnSync } from 'node:child_process'

/** A network namespace with two cables to this one: one for clients, one for Redis. */
export interface Namespace {
  /** Goes before a command that is to run in it. */
  readonly prefix: readonly string[]
  /** Its own address on the cable for clients. */
  readonly host: string
  /** Our address on the cable for Redis. */
  readonly redisHost: string
  /** Pulls the cable for Redis, or plugs it in. Nobody is told: packets are lost. */
  cut(): void
  join(): void
  close(): void
}

const NOBODY = '02:00:00:00:00:01'

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) {
    throw new Error(
      `ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}; the cut needs root, network namespaces and iproute2`,
    )
  }
}

/** Makes one; throws with the reason where this machine cannot. */
export function createNamespace(): Namespace {
  const id = process.pid % 100_000
  const name = `sally-${id}`
  const net = 64 + (id % 64)
  const cables = [
    { ours: `sc${id}a`, theirs: `sc${id}b`, host: `100.${net}.1.1`, guest: `100.${net}.1.2` },
    { ours: `sr${id}a`, theirs: `sr${id}b`, host: `100.${net}.2.1`, guest: `100.${net}.2.2` },
  ] as const
  ip('netns', 'add', name)
  const close = (): void => {
    // Its ends of the cables go with it, and with them ours.
    spawnSync('ip', ['netns', 'del', name])
    for (const { ours } of cables) spawnSync('ip', ['link', 'del', ours])
  }
  process.once('exit', close)
  try {
    for (const { ours, theirs, host, guest } of cables) {
      ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', name)
      ip('addr', 'add', `${host}/30`, 'dev', ours)
      ip('link', 'set', ours, 'up')
      ip('-n', name, 'addr', 'add', `${guest}/30`, 'dev', theirs)
      ip('-n', name, 'link', 'set', theirs, 'up')
    }
    ip('-n', name, 'link', 'set', 'lo', 'up')
  } catch (error) {
    close()
    throw error
  }
  const [clients, redis] = cables
  return {
    prefix: ['ip', 'netns', 'exec', name],
    host: clients.guest,
    redisHost: redis.host,
    // Frames of both sides go to a station that does not exist: an interface that is down would tell the sender.
    cut() {
      ip('-n', name, 'neigh', 'replace', redis.host, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', redis.theirs)
      ip('neigh', 'replace', redis.guest, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', redis.ours)
    },
    join() {
      ip('-n', name, 'neigh', 'del', redis.host, 'dev', redis.theirs)
      ip('neigh', 'del', redis.guest, 'dev', redis.ours)
    },
    close() {
      process.off('exit', close)
      close()
    },
  }
}
