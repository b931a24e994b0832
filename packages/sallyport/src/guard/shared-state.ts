import { isNamed } from '../policy/parse.ts'
import type { Policy } from '../model/policy.ts'
import type { Runtime } from '../model/runtime.ts'
import { createMemoryStore, type MemoryStore } from '../store/memory.ts'
import type { RevocationTarget } from '../model/store.ts'
import { systemRuntime } from '../model/system-runtime.ts'
import { fingerprint } from './fingerprint.ts'

/*
 * A bundler can put the library into one process several times, and an app can make several guards for itself. What they
 * must have in common stands on `globalThis`, where every copy finds it.
 */

/** Raise it whenever `State`, `Member` or the contract of the store changes: copies of another number share nothing. */
const PROTOCOL = 1
const PLACE = Symbol.for('sallyport.shared')
/** This copy of the library. */
const COPY = {}

/** One guard, as the others see it. They hold it weakly, so that a guard out of use can be collected. */
interface Member {
  readonly copy: object
  heard(target: RevocationTarget): void
  /** Another copy of the library joined. */
  joined(): void
}

/** What guards have in common; it lives for as long as one of them. */
interface State {
  /** The default store; its revocations hold for every member. */
  readonly store: MemoryStore
  /** The default ticket secret of those who use this store; null stands for the default one. */
  readonly secretFor: (store: object | null) => string
  readonly members: Set<WeakRef<Member>>
  /** The copies of the library of which a guard has ever joined. */
  readonly copies: WeakSet<object>
}

interface Registry {
  readonly states: Map<string, WeakRef<State>[]>
}

/**
 * What a guard shares its state with: nothing, guards of its name, or another copy of the library too. `twin`: with nothing,
 * although this copy of the library has made another guard of an equal policy without a name.
 */
export type Company = 'nobody' | 'twin' | 'name' | 'copy'

/** A guard's place in what is shared. */
export interface Shared {
  readonly store: MemoryStore
  readonly secretFor: State['secretFor']
  /** What it shared its state with when it was made. */
  readonly company: Company
  /** Whether a copy of the library is here that shares nothing: one of another version. */
  readonly apart: boolean
  /** Hears of revocations from now on. */
  listen(): void
  leave(): void
}

/** What a guard does with news of the others. */
export interface SharedListener {
  heard(target: RevocationTarget): void
  joined(): void
}

/**
 * Joins the guards that share with one of this policy: those of the same `name`; without a name, a guard of an equal policy
 * that another copy of the library made. The place lasts for as long as the caller keeps the returned object.
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
      // The reference keeps `member` alive for as long as the guard keeps this answer.
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
        // One that fails spares nobody else.
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'a guard failed to end what was revoked')
  })
  return state
}

/** Whether one of them has a living guard of this copy of the library. */
function hasTwin(states: readonly State[]): boolean {
  return states.some(state => membersOf(state).some(({ copy }) => copy === COPY))
}

/** The living members; the others are forgotten. */
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

/** Guards of a simulation share with each other, not with this process. */
const simulated = new WeakMap<Runtime, Registry>()

function registryOf(runtime: Runtime): ReturnType<typeof registry> {
  if (runtime === systemRuntime) return registry()
  const known = simulated.get(runtime) ?? { states: new Map() }
  simulated.set(runtime, known)
  return { registry: known, apart: false }
}

/** The registry of this protocol; null where `globalThis` takes none: then every guard is on its own. */
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
