import { createHash } from 'node:crypto'
import { createGuard, PolicyError, type SessionResolver } from 'sallyport'
import { resolverOf } from '../session/resolver.ts'
import { type Path, parsePath, pathText } from './path.ts'
import { POLICY_SECTIONS } from './policy-shape.ts'
import { type Reading, refuse } from './reading.ts'
import { policyInputOf } from './route-policy.ts'
import { isObject } from './shape.ts'
import { SESSION } from './session-shape.ts'
import { faultOfHost } from './text-checks.ts'
import type { GatewayConfig, RoutePolicy, SessionConfig } from '../model/config.ts'

/**
 * Has the library itself judge the policy of every route, and tells its problems by line and column.
 */
export function refuseBrokenPolicies(reading: Reading): void {
  const file = reading.document.value
  if (!isObject(file) || !isObject(file['routes'])) return
  const told = new Set<string>()
  for (const [id, route] of Object.entries(file['routes'])) {
    if (isObject(route)) judge(reading, id, route, file, told)
  }
}

function judge(
  reading: Reading,
  id: string,
  route: { readonly [key: string]: unknown },
  file: { readonly [key: string]: unknown },
  told: Set<string>,
): void {
  const at: Path = ['routes', id]
  const before = reading.problems.length
  const scratch: Reading = { ...reading, problems: [] }
  const sections: { [key: string]: unknown } = {}
  for (const [key, { shape }] of Object.entries(POLICY_SECTIONS)) {
    const said = route[key]
    if (said !== undefined && said !== null) sections[key] = shape.read(scratch, [...at, key], said)
  }
  const unread = scratch.problems.map(problem => problem.path)
  const session = SESSION.read(scratch, [...at, 'session'], route['session'])
  const hosts = Array.isArray(route['hosts']) ? route['hosts'].filter(isHost) : []
  const parts = {
    // The very object: a schema that is taken out of it is out.
    route: { hosts, policy: sections as unknown as RoutePolicy },
    config: { name: 'sallyport', proxy: (file['proxy'] ?? null) as GatewayConfig['proxy'] },
  }
  const key = digestOf([sections, session, hosts, parts.config])
  if (unread.length === 0 && GOOD.has(key)) return
  const resolving = resolver(reading, [...at, 'session'], session)
  // The library stops at the first schema that it cannot compile: it is taken out, so that the next one is reported too.
  for (let round = 0; round < MOST_SCHEMAS; round++) {
    try {
      createGuard(policyInputOf(parts.route, parts.config, resolving))
      if (round === 0 && unread.length === 0 && reading.problems.length === before) remember(key)
      return
    } catch (error) {
      if (error instanceof PolicyError) {
        tellProblems(error)
        return
      }
      const type = tellSchema(reading, at, sections, error)
      if (type === null) return
      sections['message'] = withoutType(sections['message'], type)
    }
  }

  function tellProblems(error: PolicyError): void {
    for (const problem of error.problems) {
      const inside = parsePath(problem.path)
      const path = inside[0] === 'proxy' ? inside : [...at, ...inside]
      // All routes share `proxy`; what is wrong with it is told once.
      const key = JSON.stringify(inside[0] === 'proxy' ? [path, problem.message] : [id, path, problem.message])
      // A value that could not even be read is reported already.
      if (told.has(key) || unread.some(text => isWithin(text, pathText(path)) || isWithin(pathText(path), text)))
        continue
      told.add(key)
      refuse(reading, path, undefined, {
        ...problem,
        remedy: problem.remedy.replaceAll(/process\.env\.(\w+)/g, "'${$1}'"),
        atKey: problem.message === 'unknown key',
        ...(problem.value === 'nothing' ? { value: '' } : {}),
      })
    }
  }
}

const MOST_SCHEMAS = 200

/**
 * Digests of what the library has found good in this process: a reload of a hundred routes of which one has changed compiles
 * one. What is made of a route later is compiled again, so that nothing rests on this.
 */
const GOOD = new Set<string>()
const MOST_GOOD = 2000

function remember(key: string): void {
  if (GOOD.size >= MOST_GOOD) GOOD.delete(GOOD.values().next().value!)
  GOOD.add(key)
}

const digestOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts, bigintAsText)).digest('base64')

/** A schema may hold bigints. */
const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

/** Tells of a schema that cannot be compiled; its type, or null where the error names none. */
function tellSchema(
  reading: Reading,
  at: Path,
  sections: { readonly [key: string]: unknown },
  error: unknown,
): string | null {
  const message = error instanceof Error ? error.message : String(error)
  const [, type, rest = message] = /^schema of "((?:[^"\\]|\\.)*)": (.*)$/s.exec(message) ?? []
  const [what = rest, ...remedy] = rest.split(
    /\.? (?=Write |Check |Give |Use |Name |Remove |Declare |Install |Make |Correct |Drop )/,
  )
  const key = ['schema', 'outbound'].find(name => {
    const types = (sections['message'] as { readonly [name: string]: unknown } | undefined)?.[name]
    return type !== undefined && isObject(types) && Object.hasOwn(types, type)
  })
  refuse(reading, [...at, 'message', key ?? 'schema', ...(type === undefined ? [] : [type])], undefined, {
    message: what,
    remedy: remedy.join(' ') || 'see docs/gateway/configuration.md',
  })
  return key === undefined ? null : type!
}

/** The section without a type; with one that accepts anything where it was the last. */
function withoutType(message: unknown, type: string): unknown {
  const section = message as { readonly [key: string]: unknown }
  const cut = (types: unknown): unknown => {
    if (!isObject(types)) return types
    const left = Object.entries(types).filter(([name]) => name !== type)
    return left.length > 0 ? Object.fromEntries(left) : { '-': { type: 'object' } }
  }
  return {
    ...section,
    schema: cut(section['schema']),
    ...(section['outbound'] === undefined ? {} : { outbound: cut(section['outbound']) }),
  }
}

type Resolver = SessionResolver | { readonly dangerouslyAnonymous: true }

/** An invalid one is reported already, and may be a value that must not be shown. */
const isHost = (name: unknown): name is string => typeof name === 'string' && faultOfHost(name) === null

const nobody: SessionResolver = () => null

/** The resolver of a session, or one that finds nobody where it cannot be made: the rest of the policy is judged all the same. */
function resolver(reading: Reading, path: Path, session: SessionConfig | undefined): Resolver {
  if (session === undefined) return nobody
  try {
    return resolverOf(session)
  } catch (error) {
    const [what = '', ...remedy] = (error instanceof Error ? error.message : '')
      .replaceAll(/"[^"]*"/g, '(hidden)')
      .split(/(?<=\.) (?=[A-Z])/)
    refuse(reading, [...path, session.kind], undefined, {
      message: what,
      remedy: remedy.join(' ') || 'see docs/gateway/sessions.md',
    })
    return nobody
  }
}

const isWithin = (inner: string, outer: string): boolean =>
  inner === outer || (inner.startsWith(outer) && '.['.includes(inner[outer.length]!))
