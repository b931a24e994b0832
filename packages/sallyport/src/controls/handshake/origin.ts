import { after } from '../../model/after.ts'
import type { Attempt } from '../../model/attempt.ts'
import type { Budget } from '../../model/store.ts'
import { type Awaitable, type Denial, deny as denyAny, PASS, type Verdict } from '../../model/verdict.ts'
import { type Fields, refuse } from '../../shape/fields.ts'
import { danger, list } from '../../shape/kinds.ts'
import { faultOfOrigin, showOrigin } from '../../shape/origin-value.ts'
import { bearsSecret, hidden } from '../../shape/secret-text.ts'
import { readEach } from '../../shape/scalars.ts'
import { key, openSection } from '../../shape/shape.ts'
import { isEmptyList, isList, kindOf } from '../../shape/shown.ts'
import { listInWords } from '../../shape/words.ts'
import { addressKey } from '../../store/address-key.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { ControlContext } from '../context.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'

/** `handshake.origin` of a parsed policy: the pages that may connect. */
export interface OriginSection {
  readonly allow: readonly string[]
  readonly allowMissing: boolean
}

/** Path of the key that accepts any page. Other sections depend on it. */
export const ANY_ORIGIN = 'handshake.origin.dangerouslyAllowAnyOrigin'

const WRITE = "allow: ['https://app.company.com']"

const KEYS = {
  allow: key(
    list<string>("'https://app.company.com'", () => null),
    null,
    'Origins as browsers send them: `https://app.company.com`.',
    { shown: '*must be decided*' },
  ),
  dangerouslyAllowMissing: danger('Lets clients in that send no Origin: none of them is a browser.'),
  dangerouslyAllowInsecure: danger('`http:` origins beyond loopback may stand in the list.'),
  dangerouslyAllowAnyOrigin: danger('Instead of `allow`: every page of the web may connect.'),
}
/** What a policy may write at `handshake.origin`. */
export type OriginInput =
  | {
      readonly allow: readonly string[]
      readonly dangerouslyAllowMissing?: boolean
      readonly dangerouslyAllowInsecure?: boolean
    }
  | { readonly dangerouslyAllowAnyOrigin: boolean }

const DENIALS = {
  SALLY_ORIGIN_MISSING: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'malicious_cors',
    requirements: ['S1', 'WS-6', 'ASVS-4.4.2', 'RFC-10.2'],
    means: 'there is no Origin header',
    remedy: 'Browsers always send one. For native clients set `handshake.origin.dangerouslyAllowMissing`.',
    tells: 'no Origin header: not a browser, or one was stripped',
  },
  SALLY_ORIGIN_NOT_ALLOWED: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'malicious_cors',
    requirements: ['S1', 'S11', 'S12', 'S14', 'WS-6', 'WS-7', 'ASVS-4.4.2', 'RFC-10.2'],
    means: 'the Origin is not, character for character, in the allow-list',
    remedy:
      'Add it to `handshake.origin.allow` if the page is yours; else it is Cross-Site WebSocket Hijacking, stopped.',
    tells: {
      repeated: 'the Origin header is repeated',
      'not-listed': 'Origin {origin} is not in the list',
      'not-of-session': 'not the origin that opened the session',
      'not-of-endpoint':
        'the page of a ticket request is of another origin than the endpoint: serve both from one host and port (in development by the proxy of the dev server), or use a resolver that reads no cookie',
    },
  },
} as const
const deny = denying(DENIALS)

const SHOWN = 200
/**
 * Budget of refused Origins per address, as a multiple of `handshake.rate.perIp`. A page that connects without pause is
 * told to wait.
 */
const FOREIGN_FACTOR = 10

/**
 * The Origin must equal one entry of the list, byte for byte (seed: exact match only; RFC 6455 §10.2, ASVS 4.4.2). It
 * is not parsed: a browser serialises it (RFC 6454 §6.2), so any other spelling does not come from an allowed page.
 */
export const origin = defineControl({
  id: 'handshake/origin',
  denies: 'Origin is missing, `null`, repeated, or not exactly (scheme, host, port) in the list',
  default: '*must be decided*',
  mustDecide: true,
  meets: ['S3', 'S15', 'WS-31', 'RFC-10.1'],
  keys: KEYS,
  example: "origin: { allow: ['https://app.company.com'] }",
  denials: DENIALS,
  read: readOrigin,
  effective: section =>
    section === null
      ? off('any Origin')
      : on(`${listInWords(section.allow)}${section.allowMissing ? ', or none' : ''}`),
  compile(
    policy: HandshakeOf<{ origin: OriginSection | null; rate: { readonly perIp: Budget } | null }>,
    { foreign, runtime }: ControlContext,
  ): HandshakeCheck {
    const section = policy.handshake.origin
    if (section === null) {
      return attempt => {
        const lines = attempt.request.lines('origin')
        attempt.origin = lines.length === 1 ? lines[0]! : null
        return PASS
      }
    }
    // Keeps the policy's own string. A part of the request would keep the whole request in memory.
    const allowed = new Map(section.allow.map(value => [value, value]))
    const judge = (attempt: Attempt): Verdict => {
      const lines = attempt.request.lines('origin')
      if (lines.length === 0) {
        return section.allowMissing ? PASS : deny('SALLY_ORIGIN_MISSING')
      }
      const [value] = lines
      if (lines.length > 1) return deny('SALLY_ORIGIN_NOT_ALLOWED', { reason: 'repeated' })
      attempt.origin = allowed.get(value!) ?? value!
      if (!allowed.has(value!)) {
        return deny('SALLY_ORIGIN_NOT_ALLOWED', { reason: 'not-listed', origin: shown(value!) })
      }
      return PASS
    }
    const { rate } = policy.handshake
    if (rate === null) return judge
    const { amount, perMs, burst } = rate.perIp
    const budget = { amount: amount * FOREIGN_FACTOR, perMs, burst: burst * FOREIGN_FACTOR }
    /** Nothing else takes from this budget. The foreign page cannot use up the visitor's other budgets. */
    const charge = ({ request }: Attempt, denial: Denial): Awaitable<Verdict> =>
      after(foreign.take(addressKey(request.ip), 1, budget), taken =>
        taken.ok ? denial : denyAny('SALLY_HANDSHAKE_RATE', { reason: 'origins' }, 1 + runtime.random() * 9),
      )
    return attempt => {
      const verdict = judge(attempt)
      return verdict.pass ? verdict : charge(attempt, verdict)
    }
  },
})

/** The key is required. Null means "any page", which the policy must request by name. */
function readOrigin(handshake: Fields): OriginSection | null {
  const said = handshake.get('origin')
  const told = (value: string, message: string): null => {
    refuse(handshake, 'origin', value, message, `write origin: { ${WRITE} }`)
    return null
  }
  if (said === undefined) return told('nothing', 'it must be decided which pages may connect')
  if (typeof said !== 'object' || said === null || isList(said)) return told(kindOf(said), 'an object is meant here')
  const section = openSection(handshake, { id: 'handshake/origin', keys: KEYS })
  const any = section.isWeakened('dangerouslyAllowAnyOrigin')
  const allowMissing = section.isWeakened('dangerouslyAllowMissing')
  const insecure = section.isWeakened('dangerouslyAllowInsecure')
  const allow = section.said('allow')
  if (any) {
    if (allow !== undefined) {
      const remedy = 'remove allow or dangerouslyAllowAnyOrigin'
      section.refuse('allow', kindOf(allow), 'a list, and any origin beside it', remedy)
    }
    return null
  }
  if (allow === undefined) {
    section.refuse('allow', 'nothing', 'it must be decided which pages may connect', `write ${WRITE}`)
    return null
  }
  const origins = readEach(section.fields, 'allow', "'https://app.company.com'", (value, at, index) => {
    const fault = faultOfOrigin(value, insecure)
    if (fault === null) return value as string
    refuse(at, index, showOrigin(value), fault.message, fault.remedy, fault.nearest)
    return null
  })
  if (isEmptyList(allow)) section.refuse('allow', 'an empty list', 'nobody could connect', `write ${WRITE}`)
  return Object.freeze({ allow: origins ?? [], allowMissing })
}

/** For the operator. An Origin with a password does not come from a browser, and it may be a person's own URL. */
function shown(value: string): string {
  const cut = value.slice(0, SHOWN)
  return bearsSecret(cut) ? hidden(value) : JSON.stringify(cut).slice(0, SHOWN)
}
