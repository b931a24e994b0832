const BRACKETS = /^\[|\]$/g
const IPV4 = /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/
/** `localhost` and the names below it (RFC 6761 §6.3). */
const NAME = /^(?:[^.]+\.)*localhost$/

/**
 * Whether a host is this machine: `localhost` and the names below it, `127.0.0.0/8` and `::1`, with or without brackets.
 *
 * @param host as a URL has it, in lower case
 */
export function isLoopback(host: string): boolean {
  const bare = host.replace(BRACKETS, '')
  return bare === '::1' || NAME.test(bare) || IPV4.test(bare)
}
