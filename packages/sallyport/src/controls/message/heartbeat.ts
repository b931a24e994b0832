import type { Policy } from '../../model/policy.ts'
import type { Budget } from '../../model/store.ts'

/** The subprotocol whose clients may send the heartbeat below. */
export const HEARTBEAT_PROTOCOL = 'sallyport.v1'
/** The type of the heartbeat of `sallyport.v1`, and of its answer. No message of an app may have either. */
export const PING_TYPE = 'sallyport.ping'
export const PONG_TYPE = 'sallyport.pong'
/** Longest text of a heartbeat, and of its answer, in bytes. */
export const HEARTBEAT_BYTES = 64
/** What one connection may ask for beside its budget of messages: four times what a silent page sends. */
export const HEARTBEAT_BUDGET: Budget = Object.freeze({ amount: 12, perMs: 60_000, burst: 12 })

/** A text that is a heartbeat when it comes byte for byte, and the text that answers it. */
export interface Heartbeat {
  readonly text: string
  readonly bytes: Buffer
  readonly reply: string
  /** The subprotocol that must have been negotiated; null where the policy declares the heartbeat. */
  readonly protocol: string | null
}

/** Compiles the heartbeats of a policy: that of `sallyport.v1`, and those of `message.heartbeat`. */
export function compileHeartbeats({ message }: Policy): readonly Heartbeat[] {
  const own = { text: JSON.stringify({ type: PING_TYPE }), reply: JSON.stringify({ type: PONG_TYPE }) }
  return [
    ...message.heartbeat.map(pair => ({ ...pair, protocol: null })),
    { ...own, protocol: HEARTBEAT_PROTOCOL },
  ].map(({ text, reply, protocol }) => ({ text, bytes: Buffer.from(text), reply, protocol }))
}

/** The heartbeat that `bytes[start..end)` are; undefined for any other message. Cheap where the length differs. */
export function heartbeatIn(
  heartbeats: readonly Heartbeat[],
  bytes: Buffer,
  start: number,
  end: number,
): Heartbeat | undefined {
  const length = end - start
  for (const heartbeat of heartbeats) {
    const expected = heartbeat.bytes
    if (expected.length !== length || expected[0] !== bytes[start]) continue
    // From the end, where messages of one length differ most often. For so few bytes a call of Buffer's costs more.
    let index = length - 1
    while (index > 0 && bytes[start + index] === expected[index]) index--
    if (index === 0) return heartbeat
  }
  return undefined
}
