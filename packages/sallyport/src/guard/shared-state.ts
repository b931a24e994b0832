import { isNamed } from '../policy/parse.ts'
import type { Policy } from '../policy/types.ts'
import type { Runtime } from '../model/runtime.ts'
import { createMemoryStore, type MemoryStore } from '../store/memory.ts'
import type { RevocationTarget } from '../model/store.ts'
import { systemRuntime } from '../model/system-runtime.ts'
import { fingerprint } from './fingerprint.ts'

/*
 * A bundler can put several copies of the library into one process, and an app can create several guards. The state
 * that they must share is on `globalThis`, where every copy finds it.
 */

/**
 * Raise it when `State`, `Member` or the contract of the store changes. Copies with different numbers share nothing.
 */
const PROTOCOL = 1
const PLACE = Symbol.for('sallyport.shared')
/** This copy of the library. */
const COPY = {}

/** One guard, as the other guards see it. They hold it weakly, so that an unused guard can be collected. */
interface Member {
  readonly copy: object
  heard(target: RevocationTarget): void
  /** Another copy of the library joined. */
  joined(): void
}

/** The state that guards share. It lives as long as one of them. */
interface State {
  /** The default store. Its revocations apply to every member. */
  readonly store: MemoryStore
  /** The default ticket secret of the guards that use this store. Null stands for the default store. */
  readonly secretFor: (store: object | null) => string
  readonly members: Set<WeakRef<Member>>
  /** The copies of the library that have had a member here. */
  readonly copies: WeakSet<object>
}

interface Registry {
  readonly states: Map<string, WeakRef<State>[]>
}

/**
 * What a guard shares its state with: no guard, guards of its name, or guards of another copy of the library. `twin`:
 * with no guard, although this copy of the library has another guard of an equal policy without a name.
 */
export type Company = 'nobody' | 'twin' | 'name' | 'copy'

/** A guard's membership in shared state. */
export interface Shared {
  readonly store: MemoryStore
  readonly secretFor: State['secretFor']
  /** What it shared its state with when it was created. */
  readonly company: Company
  /** Whether the process has a copy of the library of another version, which shares nothing. */
  readonly apart: boolean
  /** Subscribes to revocations. */
  listen(): void
  leave(): void
}

/** What a guard does with news from the other members. */
export interface SharedListener {
  heard(target: RevocationTarget): void
  joined(): void
}

/**
 * Joins the guards that share state with a guard of this policy. With a `name`: those of the same name. Without a name:
 * a guard of an equal policy from another copy of the library. The membership lasts as long as the caller keeps the
 * returned object.
 */
export function joinShared(policy: Policy, runtime: Runtime, listener: SharedListener): Shared {
  const place = registryOf(runtime)
  const isByName = isNamed(policy)
  const key = isByName ? `name ${policy.name}` : `policy ${fingerprint(policy)}`
  const states = liveStates(place?.registry, key)
  const found = states.findLast(state => isByName || !state.copies.has(COPY))
  const state = found ?? createState(runtime)
  if (found === undefined && place !== null) enter(place.registry, key, states, state)
  state.copies.add(COPY)
  const others = membersOf(state)
  const member: Member = { copy: COPY, ...listener }
  const own = new WeakRef(member)
  const copies = others.filter(({ copy }) => copy !== COPY)
  for (const other of copies) other.joined()
  return {
    store: state.store,
    secretFor: state.secretFor,
    company: copies.length > 0 ? 'copy' : others.length > 0 ? 'name' : hasTwin(states) ? 'twin' : 'nobody',
    apart: place?.apart ?? false,
    listen: () => void state.members.add(own),
    leave() {
      // This reference keeps `member` alive while the guard keeps the returned object.
      if (own.deref() === member) state.members.delete(own)
    },
  }
}

function createState(runtime: Runtime): State {
  const randomSecret = (): string => runtime.randomBytes(32).toString('base64')
  const secrets = new WeakMap<object, string>()
  let secret: string | null = null
  const state: State = {
    store: createMemoryStore({}, runtime),
    secretFor(store) {
      if (store === null) return (secret ??= randomSecret())
      const known = secrets.get(store) ?? randomSecret()
      secrets.set(store, known)
      return known
    },
    members: new Set(),
    copies: new WeakSet(),
  }
  state.store.onRevoked(target => {
    const failures: unknown[] = []
    for (const member of membersOf(state)) {
      try {
        member.heard(target)
      } catch (error) {
        // The other members still get the news.
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'a guard failed to end what was revoked')
  })
  return state
}

/** Whether one of the states has a living guard of this copy of the library. */
function hasTwin(states: readonly State[]): boolean {
  return states.some(state => membersOf(state).some(({ copy }) => copy === COPY))
}

/** The living members. References to collected ones are removed. */
function membersOf({ members }: State): readonly Member[] {
  const living: Member[] = []
  for (const reference of members) {
    const member = reference.deref()
    if (member === undefined) members.delete(reference)
    else living.push(member)
  }
  return living
}

function liveStates(place: Registry | undefined, key: string): readonly State[] {
  return (place?.states.get(key) ?? []).flatMap(reference => reference.deref() ?? [])
}

function enter(place: Registry, key: string, living: readonly State[], state: State): void {
  place.states.set(
    key,
    [...living, state].map(one => new WeakRef(one)),
  )
  ended.register(state, key)
}

const ended = new FinalizationRegistry<string>(key => {
  const place = registry()?.registry
  if (place === undefined) return
  const living = (place.states.get(key) ?? []).filter(reference => reference.deref() !== undefined)
  if (living.length === 0) place.states.delete(key)
  else place.states.set(key, living)
})

/** The guards of one simulation share with each other and not with this process. */
const simulated = new WeakMap<Runtime, Registry>()

function registryOf(runtime: Runtime): ReturnType<typeof registry> {
  if (runtime === systemRuntime) return registry()
  const known = simulated.get(runtime) ?? { states: new Map() }
  simulated.set(runtime, known)
  return { registry: known, apart: false }
}

/** The registry of this protocol. Null if `globalThis` refuses new properties: then every guard stands alone. */
function registry(): { readonly registry: Registry; readonly apart: boolean } | null {
  try {
    const versions = (Reflect.get(globalThis, PLACE) ?? place()) as Record<number, Registry>
    if (typeof versions !== 'object') return null
    versions[PROTOCOL] ??= { states: new Map() }
    return { registry: versions[PROTOCOL], apart: Object.keys(versions).some(key => key !== String(PROTOCOL)) }
  } catch {
    return null
  }
}

function place(): object {
  const versions = {}
  Object.defineProperty(globalThis, PLACE, { value: versions })
  return versions
}
