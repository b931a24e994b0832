/**
 * Header lines of a request over HTTP/2 as HTTP/1.1 has them, which is how the doors read requests (RFC 9113 §8.2.3, §8.3.1): a
 * Host for `:authority`, and one Cookie line of what browsers cut into several. A Host that differs from `:authority` stays
 * beside it, and two Host lines are served to nobody.
 */
export function http1Lines(rawHeaders: readonly string[]): readonly string[] {
  const lines: string[] = []
  const hosts = new Set<string>()
  const cookies: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const value = rawHeaders[index + 1]!
    if (name === ':authority' || name === 'host') hosts.add(value)
    else if (name === 'cookie') cookies.push(value)
    else if (!name.startsWith(':')) lines.push(name, value)
  }
  for (const host of hosts) lines.push('host', host)
  if (cookies.length > 0) lines.push('cookie', cookies.join('; '))
  return lines
}
