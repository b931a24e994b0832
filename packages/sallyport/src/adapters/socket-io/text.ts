import type { Packet } from './server.ts'

/** Packet types of Socket.IO's protocol 5. */
export const PACKET: Readonly<
  Record<'connect' | 'disconnect' | 'event' | 'ack' | 'connectError' | 'binaryEvent' | 'binaryAck', number>
> = Object.freeze({ connect: 0, disconnect: 1, event: 2, ack: 3, connectError: 4, binaryEvent: 5, binaryAck: 6 })

/** Whether a text announces attachments, which follow as binary packets. */
export function isBinaryPacket(text: string): boolean {
  return text.startsWith('5') || text.startsWith('6')
}

/**
 * The JSON of a packet, as it was sent: a list for events and acknowledgements, an object for CONNECT; empty where there
 * is none. The decoder has parsed it already, so what stands before it is a type, a namespace up to its comma, and an id.
 */
export function payloadOf(text: string): string {
  let start = 1
  if (text[1] === '/') {
    const comma = text.indexOf(',')
    if (comma === -1) return ''
    start = comma + 1
  }
  const list = text.indexOf('[', start)
  const object = text.indexOf('{', start)
  const first = list === -1 || (object !== -1 && object < list) ? object : list
  return first === -1 ? '' : text.slice(first)
}

/** The namespace of a packet that Socket.IO's own encoder wrote. */
export function namespaceOf(text: string): string {
  if (text[1] !== '/') return '/'
  const comma = text.indexOf(',')
  return comma === -1 ? text.slice(1) : text.slice(1, comma)
}

/**
 * An event as one message: the text of its argument, byte for byte, with its name as the type. An event of another
 * form gives its list, which `message/format` refuses.
 */
export function messageOf({ data }: Packet, payload: string, discriminator: string): string {
  // A packet may leave its list out.
  if (!Array.isArray(data)) return payload
  const [name, value, ...more] = data as readonly unknown[]
  if (typeof name !== 'string' || more.length > 0) return payload
  const type = `${JSON.stringify(discriminator)}:${JSON.stringify(name)}`
  if (data.length === 1) return `{${type}}`
  if (!isPlain(value)) return payload
  const object = payload.slice(afterName(payload), payload.lastIndexOf(']'))
  // An object that names its own type is the message already, if that is the event's name.
  if (Object.hasOwn(value, discriminator)) return value[discriminator] === name ? object : payload
  const rest = object.slice(object.indexOf('{') + 1)
  return `{${type}${Object.keys(value).length === 0 ? '' : ','}${rest}`
}

/** Where the second element begins in the text of a list whose first is a string: behind the comma. */
function afterName(list: string): number {
  let at = list.indexOf('"') + 1
  while (at < list.length && list[at] !== '"') at += list[at] === '\\' ? 2 : 1
  return list.indexOf(',', at) + 1
}

/** Whether it is an object that JSON.parse made of `{…}`. */
export function isPlain(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
