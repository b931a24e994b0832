import type { ChatStore, User } from './chat-store.ts'
import type { Incoming, Outgoing, Person } from './messages.ts'

/** One open connection of a signed-in user, whatever carries it. */
export interface Peer {
  readonly user: User
  send(message: Outgoing): void
}

/** The chat itself: who is here, and what each message does. It trusts its input; a door must stand before it. */
export interface Hub {
  join(peer: Peer): void
  leave(peer: Peer): void
  readonly handlers: {
    readonly [Type in keyof Incoming]: (message: Incoming[Type], peer: Peer) => void | Promise<void>
  }
}

/** Builds the chat. `endSessions` is called after an account was deleted and must end all that still acts for it. */
export function createHub(store: ChatStore, endSessions: (user: User) => void | Promise<void>): Hub {
  const peers = new Set<Peer>()

  const people = (): Person[] => {
    const online = new Set([...peers].map(peer => peer.user.id))
    return store.users().map(({ id, name, displayName }) => ({ name, displayName, online: online.has(id) }))
  }
  const toAll = (message: Outgoing, but?: Peer): void => {
    for (const peer of peers) if (peer !== but) peer.send(message)
  }
  const toUsers = (message: Outgoing, ...users: readonly User[]): void => {
    for (const peer of peers) if (users.some(user => user.id === peer.user.id)) peer.send(message)
  }

  return {
    join(peer) {
      peers.add(peer)
      peer.send({ type: 'welcome', you: peer.user.name, rooms: [...store.rooms()], people: people() })
      toAll({ type: 'people', people: people() }, peer)
    },
    leave(peer) {
      if (peers.delete(peer)) toAll({ type: 'people', people: people() })
    },
    handlers: {
      chat({ roomId, message }, peer) {
        if (store.room(roomId) === undefined) return
        toAll({ type: 'chat', roomId, message: store.addMessage(roomId, peer.user, message, Date.now()) })
      },
      private({ to, message }, peer) {
        const receiver = store.userByName(to)
        if (receiver === undefined) return
        const sent = store.addPrivateMessage(peer.user, receiver, message, Date.now())
        toUsers({ type: 'private', message: sent }, peer.user, receiver)
      },
      history({ roomId }, peer) {
        peer.send({ type: 'history', roomId, messages: [...store.history(roomId)] })
      },
      getPrivateMessages(_message, peer) {
        peer.send({ type: 'privateMessages', messages: [...store.privateMessages(peer.user)] })
      },
      typing({ roomId }, peer) {
        toAll({ type: 'typing', roomId, from: peer.user.name }, peer)
      },
      async deleteAccount(_message, peer) {
        store.deleteUser(peer.user.id)
        toUsers({ type: 'accountDeleted' }, peer.user)
        await endSessions(peer.user)
        toAll({ type: 'people', people: people() }, peer)
      },
    },
  }
}
