import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { generate } from 'selfsigned'

/** A key and its certificate, both in PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Names that the certificate is for. A wildcard stands for one label only, so the deeper name is spelt out. */
export const CERTIFICATE_NAMES: readonly string[] = [
  'localhost',
  '*.localhost',
  'app.localhost',
  'evil.localhost',
  'evil.app.localhost',
]

const DAY_MS = 24 * 60 * 60 * 1000
/** Browsers refuse certificates that live longer than 398 days. */
const LIFETIME_DAYS = 90

/**
 * The development certificate: read from the file, or made anew when there is none, when it expires within a day, or
 * when it cannot be read. Self-signed; good for this machine's loopback names and for nothing else.
 */
export async function developmentCertificate(path: string, now: number = Date.now()): Promise<Certificate> {
  const kept = read(path, now)
  if (kept !== null) return kept
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'Sallyport chat (development)' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - DAY_MS),
    notAfterDate: new Date(now + LIFETIME_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...CERTIFICATE_NAMES.map(value => ({ type: 2 as const, value })),
          { type: 7 as const, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify({ key, cert }), { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return { key, cert }
}

function read(path: string, now: number): Certificate | null {
  try {
    const { key, cert } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    if (typeof key !== 'string' || typeof cert !== 'string') return null
    const parsed = new X509Certificate(cert)
    const names = parsed.subjectAltName ?? ''
    const complete = CERTIFICATE_NAMES.every(name => names.includes(`DNS:${name}`))
    return complete && parsed.validToDate.getTime() > now + DAY_MS ? { key, cert } : null
  } catch {
    return null
  }
}
