import type { FaultReport } from './fault.ts'
import { type FleetNode, startNode } from './fleet.ts'
import type { NodeSetup } from './orders.ts'

/** How hard and how long. Times in ms. */
export interface Scale {
  /** Grace of the stores: a dead node's places lapse 8 s after it. */
  readonly graceMs: number
  readonly deadlineMs: number
  /** How long Redis stays away. */
  readonly awayMs: number
  /** Handshakes while Redis is stopped. */
  readonly handshakes: number
  /** Handshakes while it is slow. */
  readonly honest: number
}

/** One row of the table. */
export interface Scenario {
  readonly name: string
  readonly run: (scale: Scale) => Promise<FaultReport>
}

/** Three nodes for the time of `work`. */
export async function withFleet<T>(
  setup: Partial<NodeSetup> & Pick<NodeSetup, 'redis'>,
  scale: Scale,
  work: (nodes: FleetNode[]) => Promise<T>,
): Promise<T> {
  const { graceMs, deadlineMs } = scale
  const nodes = await Promise.all(
    [0, 1, 2].map(index => startNode({ client: 'node-redis', index, store: { graceMs, deadlineMs }, ...setup })),
  )
  try {
    return await work(nodes)
  } finally {
    await Promise.all(nodes.map(node => node.kill()))
  }
}

/** What the store of a node told of itself. */
export const stateNote = async (node: FleetNode): Promise<string> => {
  const { states } = await node.stats()
  const count = (state: string): number => states.filter(entry => entry.state === state).length
  return `events: ${count('unavailable')} unavailable, ${count('probing')} probing, ${count('available')} available, ${count('lost')} lost`
}
