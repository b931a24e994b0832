import { isLoopback } from '../model/loopback.ts'
import type { Unusable } from '../shape/duration.ts'
import { bearsSecret } from '../shape/secret-text.ts'
import { kindOf, quote } from '../shape/shown.ts'

/** Extensions are pages too; their origin is the id that the store gave them, and it is compared whole like any other. */
const EXTENSION =
  /^(?:chrome-extension:\/\/[a-p]{32}|moz-extension:\/\/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})$/

/** An origin as an error may show it: without credentials, query and fragment. */
export function showOrigin(value: unknown): string {
  if (typeof value !== 'string') return kindOf(value)
  const at = value.lastIndexOf('@')
  const bare =
    at === -1
      ? value
      : `${value.includes('://') ? value.slice(0, value.indexOf('://') + 3) : ''}…@${value.slice(at + 1)}`
  return quote(bare.replace(/([?#]).*$/s, '$1…'))
}

/**
 * Null for an origin as browsers serialise it (RFC 6454 §6.2): scheme, host and port, nothing else; or why it can never
 * match, and what to write. `insecure` allows `http:` beyond loopback.
 */
export function faultOfOrigin(value: unknown, insecure: boolean): Unusable | null {
  if (value instanceof RegExp)
    return {
      message: 'patterns are how Origin checks are passed',
      remedy: "write each origin in full: 'https://app.company.com'",
    }
  if (value === undefined || value === null)
    return { message: 'no value: is an environment variable unset?', remedy: "write 'https://app.company.com'" }
  if (value instanceof URL) return { message: 'an origin is text', ...wrote(value.href, insecure) }
  if (typeof value !== 'string') return { message: 'an origin is text', remedy: "write 'https://app.company.com'" }
  if (EXTENSION.test(value)) return null
  const fault = faultOfText(value, insecure)
  if (fault !== null) return fault
  const url = URL.parse(value)
  if (url === null)
    return {
      message: 'not an origin: its host or port is invalid',
      remedy: "write scheme, host and port: 'https://app.company.com'",
    }
  const unlike = faultOfForm(value, url, insecure)
  if (unlike !== null) return unlike
  if (/^\.|\.\./.test(url.hostname)) {
    return {
      message: 'a host with an empty label: a leading dot is no wildcard',
      remedy: 'write each subdomain as an entry of its own',
    }
  }
  if (url.protocol === 'http:' && !insecure && !isLoopback(url.hostname)) {
    return {
      message: 'http: beyond this machine: whoever is on the network can write that page',
      remedy: `write '${value.replace('http:', 'https:')}', or set handshake.origin.dangerouslyAllowInsecure`,
      nearest: value.replace('http:', 'https:'),
    }
  }
  return null
}

/** "Write this", where the text is an origin of the web once it is read: one that is then taken. */
function wrote(text: string, insecure: boolean): Pick<Unusable, 'remedy' | 'nearest'> {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || bearsSecret(text.replace(/[?#].*$/s, '')))
    return { remedy: "write scheme, host and port: 'https://app.company.com'" }
  const origin = url.origin.replace(/\.(?=:\d+$|$)/, '')
  const safe = insecure || isLoopback(url.hostname) ? origin : origin.replace(/^http:/, 'https:')
  return { remedy: `write '${safe}'`, nearest: safe }
}

function faultOfText(value: string, insecure: boolean): Unusable | null {
  if (value === '')
    return { message: 'an empty text', remedy: "write 'https://app.company.com', or leave the entry out" }
  if (value === '*')
    return {
      message: 'a wildcard lets every web site connect',
      remedy: "write each origin in full: 'https://app.company.com'",
    }
  if (value === 'null')
    return {
      message: 'null is the Origin of every sandboxed frame, an attacker’s too',
      remedy: 'serve the page from an https: origin and write that',
    }
  if (value.includes('*'))
    return {
      message: 'a wildcard lets every subdomain in, also one that is taken over',
      remedy: 'write each subdomain as an entry of its own',
    }
  if (value.includes(','))
    return { message: 'several origins in one text', remedy: 'write each as an entry of its own' }
  if (/[\s\p{C}]/u.test(value))
    return { message: 'white space or a control character', ...wrote(value.replaceAll(/[\s\p{C}]/gu, ''), insecure) }
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    if (!/^[\w.-]+(?::\d+)?(?:\/.*)?$/.test(value) && !/^\[[\da-f:]+\]/i.test(value))
      return { message: 'not an origin', ...wrote(/^https?:\/?\w/i.test(value) ? value : '', insecure) }
    const local = isLoopback(URL.parse(`http://${value}`)?.hostname ?? '')
    return { message: 'the scheme is missing', ...wrote(`${local ? 'http' : 'https'}://${value}`, insecure) }
  }
  if (scheme === 'ws' || scheme === 'wss') {
    return {
      message: 'the Origin is that of the page, not of the socket',
      ...wrote(value.replace(/^ws/i, 'http'), insecure),
    }
  }
  if (scheme === 'chrome-extension' || scheme === 'moz-extension') {
    return {
      message: 'not the id of an extension',
      remedy: "write 'chrome-extension://' and its 32 letters a to p, or 'moz-extension://' and its lower-case UUID",
    }
  }
  if (scheme !== 'http' && scheme !== 'https')
    return {
      message: `${scheme}: pages have no origin that can be told from another`,
      remedy: "write an https: origin: 'https://app.company.com'",
    }
  if (value.includes('@'))
    return { message: 'credentials do not belong to an origin', remedy: 'write it without user name and password' }
  if (value.includes('\\')) return { message: 'a backslash', remedy: "write 'https://app.company.com'" }
  return null
}

function faultOfForm(value: string, url: URL, insecure: boolean): Unusable | null {
  if (url.origin === value && !url.hostname.endsWith('.')) return null
  const instead = wrote(value, insecure)
  const authority = value.slice(value.indexOf('://') + 3)
  if (authority.includes('?')) return { message: 'a query does not belong to an origin', ...instead }
  if (authority.includes('#')) return { message: 'a fragment does not belong to an origin', ...instead }
  if (/^[^/]*\/$/.test(authority)) return { message: 'a trailing slash: browsers send none', ...instead }
  if (authority.includes('/')) return { message: 'a path does not belong to an origin', ...instead }
  if (/\P{ASCII}/u.test(authority)) return { message: 'browsers send such a host in punycode', ...instead }
  if (url.hostname.endsWith('.')) return { message: 'a trailing dot makes it another host', ...instead }
  if (/[A-Z]/.test(value)) return { message: 'upper case: browsers send lower case', ...instead }
  if (/:(?:443|80)$/.test(authority))
    return { message: 'the default port of the scheme: browsers leave it out', ...instead }
  return { message: 'not the form that browsers send', ...instead }
}
