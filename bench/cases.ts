/** One load of the benchmarks of messages. */
export interface Case {
  /** Of a message. */
  readonly bytes: number
  readonly connections: number
  /** Messages in flight on each connection. */
  readonly depth: number
}

/** What every benchmark of messages runs. */
export const CASES: readonly Case[] = [
  { bytes: 120, connections: 1, depth: 1 },
  { bytes: 120, connections: 50, depth: 1 },
  { bytes: 120, connections: 500, depth: 1 },
  { bytes: 120, connections: 50, depth: 16 },
  { bytes: 1024, connections: 50, depth: 16 },
  { bytes: 16384, connections: 50, depth: 1 },
]

/** `120 B, 50/16`: messages of 120 bytes, 50 connections, 16 in flight on each. */
export function nameOf({ bytes, connections, depth }: Case): string {
  return `${bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`}, ${connections}/${depth}`
}

/** The same for who has not read that: `120 B, 50 connections, 16 messages in flight on each`. */
export function wordsOf({ bytes, connections, depth }: Case): string {
  const size = bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`
  const flight = depth === 1 ? '1 message' : `${depth} messages`
  return `${size}, ${connections === 1 ? `1 connection, ${flight} in flight` : `${connections} connections, ${flight} in flight on each`}`
}
