import { DatabaseSync } from 'node:sqlite'

/** An account, without its password hash: what the rest of the app may see of it. */
export interface User {
  readonly id: number
  /** Unique, lower case: what one signs in with. */
  readonly name: string
  readonly displayName: string
}

export interface Room {
  /** A UUID. */
  readonly id: string
  readonly name: string
  readonly topic: string
}

/** A message in a room, or (with `to`) between two people. `from` is null where the account was deleted. */
export interface StoredMessage {
  readonly id: number
  readonly from: string | null
  readonly text: string
  /** Ms since the epoch. */
  readonly at: number
}

export interface PrivateMessage extends StoredMessage {
  readonly from: string
  readonly to: string
}

/** The chat's database. Every query is parameterised: no value ever becomes part of a statement. */
export interface ChatStore {
  /** The open database, for the parts that keep their own tables in it. */
  readonly database: DatabaseSync
  addUser(name: string, displayName: string, passwordHash: string): User
  user(id: number): User | undefined
  userByName(name: string): User | undefined
  passwordHash(name: string): string | null
  users(): readonly User[]
  /** Deletes the account, its sessions and its private messages; its words in rooms stay, without a name. */
  deleteUser(id: number): void
  addRoom(room: Room): void
  room(id: string): Room | undefined
  rooms(): readonly Room[]
  addMessage(roomId: string, from: User, text: string, at: number): StoredMessage
  /** The newest messages of a room, oldest first. */
  history(roomId: string): readonly StoredMessage[]
  addPrivateMessage(from: User, to: User, text: string, at: number): PrivateMessage
  /** The newest private messages that someone sent or received, oldest first. */
  privateMessages(user: User): readonly PrivateMessage[]
  close(): void
}

/** How many messages one history answer holds. */
export const HISTORY_LENGTH = 100

const TABLES = `
  PRAGMA foreign_keys = ON;
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS rooms (id TEXT PRIMARY KEY, name TEXT NOT NULL, topic TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id TEXT NOT NULL REFERENCES rooms (id),
    from_user INTEGER REFERENCES users (id) ON DELETE SET NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS messages_by_room ON messages (room_id, id);
  CREATE TABLE IF NOT EXISTS private_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    from_user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    to_user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sessions (
    sid_hash TEXT PRIMARY KEY,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
`

/** Opens the database, making its tables when they are not there. `:memory:` keeps nothing. */
export function openChatStore(path: string): ChatStore {
  const database = new DatabaseSync(path)
  database.exec(TABLES)
  const one = <Row>(sql: string): ((...values: (string | number)[]) => Row | undefined) => {
    const statement = database.prepare(sql)
    return (...values) => statement.get(...values) as Row | undefined
  }
  const many = <Row>(sql: string): ((...values: (string | number)[]) => readonly Row[]) => {
    const statement = database.prepare(sql)
    return (...values) => statement.all(...values) as unknown as readonly Row[]
  }
  const run = (sql: string): ((...values: (string | number)[]) => number) => {
    const statement = database.prepare(sql)
    return (...values) => Number(statement.run(...values).lastInsertRowid)
  }

  const columns = 'id, name, display_name AS displayName'
  const user = one<User>(`SELECT ${columns} FROM users WHERE id = ?`)
  const userByName = one<User>(`SELECT ${columns} FROM users WHERE name = ?`)
  const users = many<User>(`SELECT ${columns} FROM users ORDER BY name`)
  const hash = one<{ readonly hash: string }>('SELECT password_hash AS hash FROM users WHERE name = ?')
  const addUser = run('INSERT INTO users (name, display_name, password_hash) VALUES (?, ?, ?)')
  const deleteUser = run('DELETE FROM users WHERE id = ?')
  const addRoom = run('INSERT INTO rooms (id, name, topic) VALUES (?, ?, ?)')
  const room = one<Room>('SELECT id, name, topic FROM rooms WHERE id = ?')
  const rooms = many<Room>('SELECT id, name, topic FROM rooms ORDER BY rowid')
  const addMessage = run('INSERT INTO messages (room_id, from_user, text, at) VALUES (?, ?, ?, ?)')
  const history = many<StoredMessage>(`
    SELECT messages.id, users.name AS "from", text, at FROM messages LEFT JOIN users ON users.id = from_user
    WHERE room_id = ? ORDER BY messages.id DESC LIMIT ${HISTORY_LENGTH}`)
  const addPrivate = run('INSERT INTO private_messages (from_user, to_user, text, at) VALUES (?, ?, ?, ?)')
  const privates = many<PrivateMessage>(`
    SELECT private_messages.id, sender.name AS "from", receiver.name AS "to", text, at FROM private_messages
    JOIN users AS sender ON sender.id = from_user JOIN users AS receiver ON receiver.id = to_user
    WHERE from_user = ? OR to_user = ? ORDER BY private_messages.id DESC LIMIT ${HISTORY_LENGTH}`)

  return {
    database,
    addUser: (name, displayName, passwordHash) => ({ id: addUser(name, displayName, passwordHash), name, displayName }),
    user: id => user(id),
    userByName: name => userByName(name),
    passwordHash: name => hash(name)?.hash ?? null,
    users: () => users(),
    deleteUser: id => void deleteUser(id),
    addRoom: ({ id, name, topic }) => void addRoom(id, name, topic),
    room: id => room(id),
    rooms: () => rooms(),
    addMessage: (roomId, from, text, at) => ({ id: addMessage(roomId, from.id, text, at), from: from.name, text, at }),
    history: roomId => history(roomId).toReversed(),
    addPrivateMessage: (from, to, text, at) => ({
      id: addPrivate(from.id, to.id, text, at),
      from: from.name,
      to: to.name,
      text,
      at,
    }),
    privateMessages: ({ id }) => privates(id, id).toReversed(),
    close: () => database.close(),
  }
}
