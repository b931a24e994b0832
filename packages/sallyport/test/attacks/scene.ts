import { after } from 'node:test'
import { frame, OPCODE, type RawPeer, rawPeer } from '../guard/raw-peer.ts'
import { createWorld, type World } from '../support/world.ts'

const worlds: World[] = []
const peers: RawPeer[] = []
after(async () => {
  for (const { socket } of peers) socket.destroy()
  await Promise.all(worlds.map(world => world.close()))
})

/** A world that ends with the file's tests. */
export async function start(...args: Parameters<typeof createWorld>): Promise<World> {
  const world = await createWorld(...args)
  worlds.push(world)
  return world
}

/** Ann's session in the hands of a client that does as it likes. */
export async function attack(
  world: World,
  more: { readonly extensions?: string; readonly allowHalfOpen?: boolean } = {},
): Promise<RawPeer> {
  const ticket = await world.ticket('ann-1')
  const { port, origin } = world
  const protocols = ['sallyport.v1', `sallyport.ticket.${ticket}`]
  const peer = await rawPeer({ port, origin, protocols, cookie: 'sid=ann-1', ...more })
  peers.push(peer)
  return peer
}

/** The frame of a chat message. */
export const chat = (message: string): Buffer => frame(OPCODE.text, JSON.stringify({ type: 'chat', message }))
