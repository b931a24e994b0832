import { openFields } from '../shape/fields.ts'
import { type Findings, PolicyError } from '../shape/problem.ts'
import { EXAMPLES } from './examples.ts'
import { placesOf } from './places.ts'
import { readProxy } from './proxy-section.ts'
import { readEvents, readRoot, ROOT_KEYS } from './root-keys.ts'
import { createSections } from './sections.ts'
import type { Policy } from './types.ts'

const HINTS: Findings['hints'] = { exampleOf: path => EXAMPLES[path], placesOf }
const KEYS: readonly string[] = [
  ...new Set(['handshake', 'message', 'lifetime', ...Object.keys(ROOT_KEYS).map(path => path.split('.')[0]!)]),
]

/**
 * Reads a policy from any source into a frozen one, with every default filled in and every unit resolved. Objects of
 * the app (functions, schemas, store, logger) are kept unchanged.
 *
 * @throws PolicyError with every problem, and never any other error
 */
export function parsePolicy(input: unknown): Policy {
  const findings: Findings = { hints: HINTS, problems: [], weakened: [] }
  const root = openFields(input === undefined ? {} : input, '', KEYS, findings)
  const sections = createSections(root)
  const policy: Policy = {
    handshake: sections.readDoor('handshake') as Policy['handshake'],
    message: sections.readDoor('message') as Policy['message'],
    name: readRoot(root, 'name'),
    proxy: readProxy(root),
    lifetime: sections.readDoor('lifetime') as Policy['lifetime'],
    report: readRoot(root, 'report'),
    timeoutMs: readRoot(root, 'timeout'),
    store: readRoot(root, 'store'),
    events: readEvents(root),
    weakened: Object.freeze(findings.weakened.map(entry => Object.freeze(entry))),
  }
  if (findings.problems.length > 0) throw new PolicyError(findings.problems)
  if (root.get('name') === undefined) unnamed.add(policy)
  return Object.freeze(policy)
}

const unnamed = new WeakSet<Policy>()

/**
 * Whether the policy has a name of its own. Guards with the same name belong together. Guards with the default name do
 * not.
 */
export function isNamed(policy: Policy): boolean {
  return !unnamed.has(policy)
}
