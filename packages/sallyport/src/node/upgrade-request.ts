import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Upgrade } from '../wire/index.ts'

/**
 * A handshake that the first-bytes reader read, as Node's own request. Session resolvers and Express middleware need
 * one. Its headers are created at the first access: a refusal never needs them, and a connection keeps only the lines.
 */
export class EngineRequest extends IncomingMessage {
  // No private fields: session middleware runs on an object that inherits from the request, and must be able to read
  // it.
  private madeHeaders: Record<string, string> | null = null
  private madeDistinct: Record<string, string[]> | null = null

  constructor(socket: Socket, upgrade: Pick<Upgrade, 'target' | 'rawHeaders'>) {
    super(socket)
    this.method = 'GET'
    this.url = upgrade.target
    this.httpVersion = '1.1'
    this.httpVersionMajor = 1
    this.httpVersionMinor = 1
    this.rawHeaders = upgrade.rawHeaders as string[]
    this.complete = true
  }

  // No name occurs twice in a clean handshake, so no values are joined.
  // @ts-expect-error Node itself has an accessor here, which its types show as a property.
  override get headers(): Record<string, string> {
    this.madeHeaders ??= Object.fromEntries(linesOf(this))
    return this.madeHeaders
  }

  override set headers(headers: Record<string, string>) {
    this.madeHeaders = headers
  }

  // @ts-expect-error As above.
  override get headersDistinct(): Record<string, string[]> {
    this.madeDistinct ??= Object.fromEntries(linesOf(this).map(([name, value]) => [name, [value]]))
    return this.madeDistinct
  }

  override set headersDistinct(headers: Record<string, string[]>) {
    this.madeDistinct = headers
  }
}

function linesOf({ rawHeaders }: IncomingMessage): [name: string, value: string][] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0)
  return names.map((name, index) => [name.toLowerCase(), String(rawHeaders[2 * index + 1])])
}
