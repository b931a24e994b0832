import type { ControlId } from '../model/verdict.ts'
import { type Fields, openChild, readDanger, refuse } from './fields.ts'

/** A part of a JSON Schema, for editors. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** How one value of a policy is read, described, and told to an editor. `Input` is what a policy may write for it. */
export interface Shape<T, Input = unknown> {
  /** As the docs name it: `Duration`, `'close', 'drop' or 'delay'`. */
  readonly type: string
  readonly schema: JsonSchema
  /** The value at a key. Where it will not do: the fallback, and a problem in `fields.findings`. */
  read(fields: Fields, key: string, fallback: T): T
  /** A value in words: `30 s`. */
  words(value: T): string
  /** Keys below it that hold times; `''` is the value itself. */
  readonly times?: readonly string[]
  /** For the type alone; never set. */
  readonly input?: Input
}

/** One key of a policy. */
export interface Key<T, Input = unknown> {
  readonly shape: Shape<T, Input>
  /** The value in a policy that does not say the key. */
  readonly default: T
  readonly meaning: string
  /** The default in words, where it is not the value of `default`. */
  readonly shown?: string
  /** Why this default. */
  readonly because?: string
  /** `true` in the policy makes the control weaker. */
  readonly weakens?: true
  /** What a policy in a file writes instead, where no file can hold such a value. */
  readonly inFile?: string
  /** The value is a secret: it is never shown. */
  readonly secret?: true
}

// oxlint-disable-next-line typescript/no-explicit-any -- keys of any type; each keeps its own
export type Keys = { readonly [name: string]: Key<any, any> }

/** The value of a key after it was read. */
export type ValueOf<K> = K extends Key<infer T, infer _Input> ? T : never

/** What a policy may write in a section of these keys. */
export type InputOf<K extends Keys> = {
  readonly [N in keyof K]?: K[N] extends Key<infer _T, infer Input> ? Input : never
}

/** Describes one key. */
export function key<T, Input>(
  shape: Shape<T, Input>,
  fallback: T,
  meaning: string,
  more: Partial<Key<T, Input>> = {},
): Key<T, Input> {
  return Object.freeze({ shape, default: Object.freeze(fallback), meaning, ...more })
}

/** One section of a policy while it is read. */
export interface Section<K extends Keys> {
  readonly fields: Fields
  /** What the policy says at the key, as written; undefined where it says nothing. */
  said(name: keyof K & string): unknown
  /** The value of the key; `fallback` stands for its default. */
  value<N extends keyof K & string>(name: N, fallback?: ValueOf<K[N]>): ValueOf<K[N]>
  /** Whether a key that weakens is true; then the policy notes it under the control. */
  isWeakened(name: keyof K & string): boolean
  /** Tells that the value of a key will not do. */
  refuse(name: keyof K & string, shown: string, message: string, remedy: string, nearest?: string): void
}

/** The keys of the section itself: not `''`, its own value, nor `deflate.threshold`, a key of a value in it. */
function namesOf(keys: Keys): readonly string[] {
  return Object.keys(keys).filter(name => name !== '' && !name.includes('.'))
}

/** Opens the section of a control: unknown keys are told, and each value is read when it is asked for. */
export function openSection<K extends Keys>(
  door: Fields,
  control: { readonly id: ControlId; readonly keys: K },
): Section<K> {
  const { id, keys } = control
  const fields = openChild(door, id.slice(id.indexOf('/') + 1), namesOf(keys))
  return {
    fields,
    said: name => fields.get(name),
    value: (name, fallback = keys[name]!.default) => keys[name]!.shape.read(fields, name, fallback),
    isWeakened: name => readDanger(fields, name, id),
    refuse: (name, shown, message, remedy, nearest) => refuse(fields, name, shown, message, remedy, nearest),
  }
}
